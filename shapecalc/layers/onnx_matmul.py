"""ONNX's matrix products: Gemm, products of quantized matrices, and of weights packed in a few bits."""

from collections.abc import Iterator
from typing import ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Shapes
from shapecalc.layers.counts import Operations, products
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Flag
from shapecalc.layers.merge import Matmul, stretches
from shapecalc.layers.onnx_operator import Computing, OnnxOperator, Operands
from shapecalc.layers.requirement import Requirement, Shape, shown


class Product(OnnxOperator):
    """A product of two matrices or of stacks of them, the first operand and another."""

    family = Family.MATRIX_PRODUCT
    pair: ClassVar[tuple[str, str]] = ("A", "B")

    def factors(self, x: Operands) -> Shapes:
        """Return the two matrices as they are multiplied."""
        return tuple([x[name] for name in self.pair])

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        for requirement in Matmul().requirements(self.factors(x)):
            text = requirement.message
            yield requirement.saying(f"{self.kind}: {text}")

    def output(self, x: Operands) -> Shape:
        return Matmul().output(self.factors(x))

    def macs(self, x: Operands) -> Dim:
        return Matmul().operations(self.factors(x)).macs


class OnnxGemm(Product, kind="onnx_gemm"):
    """A'·B' + C of matrices, A' and B' being turned where the flags say so; C is stretched to the product.

    `[M, K]` and `[K, N]` make `[M, N]`, and cost M·N·K MACs. Refuses other ranks, inner sizes that differ,
    and a C that does not stretch. Source: ONNX, Gemm.

    >>> OnnxGemm(trans_b=True).output({"A": (8, 64), "B": (10, 64), "C": (10,)})
    (8, 10)
    """

    operands = "A B C?"

    trans_a: Flag = False
    trans_b: Flag = False

    def factors(self, x: Operands) -> Shapes:
        turned = self.trans_a, self.trans_b
        return tuple(
            [x[name][::-1] if turn else x[name] for name, turn in zip(self.pair, turned, strict=True)]
        )

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from self.ranked(x, A=2, B=2)
        yield from super().requirements(x)
        if x.get("C"):
            result = self.output(x)
            says = f"{self.kind}: C, {shown(x['C'])}, does not stretch to {shown(result)}"
            yield Requirement("rank", len(result), ">=", len(x["C"]), says)
            for requirement in stretches(self.kind, (result, x["C"])):
                yield requirement.saying(says)
            for n, size in zip(x["C"][::-1], result[::-1], strict=False):
                if n != 1:
                    yield Requirement("broadcast", n, "==", size, says)


class OnnxMatMulInteger(Product, kind="onnx_mat_mul_integer"):
    """The product of matrices of small integers, each with a zero point or none, in integers.

    Shapes and MACs are those of `matmul`. Refuses what it refuses. Source: ONNX, MatMulInteger.

    >>> OnnxMatMulInteger().output({"A": (8, 64), "B": (64, 10)})
    (8, 10)
    """

    operands = "A B a_zero_point? b_zero_point?"


class OnnxQLinearMatMul(Product, kind="onnx_q_linear_mat_mul"):
    """The product of quantized matrices, quantized again: a scale and a zero point for each of the three.

    Shapes and MACs are those of `matmul`. Refuses what it refuses. Source: ONNX, QLinearMatMul.

    >>> matrices = {"a": (2, 4), "b": (4, 3)}
    >>> OnnxQLinearMatMul().output(matrices | dict.fromkeys(("a_scale", "b_scale"), ()))
    (2, 3)
    """

    operands = "a a_scale a_zero_point b b_scale b_zero_point y_scale y_zero_point"
    pair = ("a", "b")


class OnnxMatMulNBits(OnnxOperator, kind="onnx_mat_mul_n_bits"):
    """The product by a matrix that is packed in `bits` bits, a scale for each block of one column.

    `[..., K]` becomes `[..., N]`, for K·N MACs each. B has `[N, ⌈K/block_size⌉, block_size·bits/8]` bytes.
    Refuses another last axis than K. Source: com.microsoft, MatMulNBits.

    >>> OnnxMatMulNBits(in_features=64, out_features=10, bits=4, block_size=32).output({"A": (2, 7, 64)})
    (2, 7, 10)
    """

    family = Family.LINEAR
    operands = "A B scales zero_points? g_idx? bias?"

    in_features: Count
    out_features: Count
    bits: Count = 4
    block_size: Count = 32

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        says = f"{self.kind}: the last axis of {shown(x['A'])} is not {self.in_features}"
        yield Requirement("rank", len(x["A"]), ">=", 1, says)
        yield Requirement("matmul", x["A"][-1], "==", self.in_features, says)

    def output(self, x: Operands) -> Shape:
        return (*x["A"][:-1], self.out_features)

    def operations(self, x: Operands) -> Operations:
        results = product(self.output(x))
        return products(results * self.in_features, results, biased="bias" in x)


class OnnxDynamicQuantizeLinear(Computing, kind="onnx_dynamic_quantize_linear"):
    """Small integers for a tensor, by its least and greatest element; and the scale and zero point.

    Source: ONNX, DynamicQuantizeLinear.

    >>> OnnxDynamicQuantizeLinear().outputs({"x": (2, 3)})
    ((2, 3), (), ())
    """

    family = Family.ELEMENTWISE
    operands = "x"

    def output(self, x: Operands) -> Shape:
        return x["x"]

    def outputs(self, x: Operands) -> Shapes:
        return (x["x"], (), ())
