"""Products of tensors: of matrices and vectors, by an equation of letters, and outer ones."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters
from typing import Any

from torch import Tensor

from shapecalc import layers
from shapecalc.bridges.torch.tracer.shape_rules import equal
from shapecalc.bridges.torch.tracer.trace import Call, Rule
from shapecalc.bridges.torch.tracer.traced_number import concrete, tensors_in
from shapecalc.bridges.torch.tracer.traced_sizes import field_value
from shapecalc.layers.base import Kind
from shapecalc.layers.traced import TracedFunction


def _matmul(call: Call) -> bool:
    """A matrix product; `addmm` and its like add a tensor that expands to it."""
    *added, left, right = tensors_in(call.arguments)
    if call.name != "matmul":  # which alone broadcasts
        equal(*(call.trace.sizes(tensor)[:-2] for tensor in (left, right)))
    return _plus(call, added, layers.Matmul(), left, right)


def _plus(call: Call, added: list[Tensor], product: Kind, left: Tensor | str, right: Tensor) -> bool:
    """Append a product that gives the result, or to which a tensor is added that expands to it."""
    last = call.step(product, left, right, results=[call.result])
    if not added:
        return True
    call.trace.guard_expansion(added[0], last, call.result.shape)
    return call.ends(layers.Add(), added[0], last)


# ---- equations


def _einsum(call: Call) -> bool:
    """An equation in its explicit form: with its result, letters for dots, and each letter once in a term."""
    equation, operands = call.arguments["equation"], call.arguments["operands"]
    if not isinstance(equation, str):
        equation, operands = _of_sublists([equation, *operands])
    if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = operands[0]
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow:
        letters = left.replace(",", "").replace(".", "")
        right = "..." * ("..." in left) + "".join(
            sorted(letter for letter in set(letters) if letters.count(letter) == 1)
        )
    ranks = [
        tensor.dim() - len(term.replace("...", "")) for tensor, term in zip(operands, terms, strict=True)
    ]
    spare = "".join(letter for letter in reversed(ascii_letters) if letter not in equation)
    dots = max((rank for rank, term in zip(ranks, terms, strict=True) if "..." in term), default=0)
    if dots > len(spare):
        return False
    for number, rank in enumerate(ranks):
        terms[number] = terms[number].replace("...", spare[dots - rank : dots])
    right = right.replace("...", spare[:dots])
    sources = [_without_repeats(call, *pair) for pair in zip(operands, terms, strict=True)]
    equation = f"{','.join(term for _, term in sources)}->{right}"
    return call.ends(layers.Einsum(equation=equation), *(source for source, _ in sources))


def _of_sublists(items: Sequence[Any]) -> tuple[str, list[Tensor]]:
    """Return the equation of tensors that are each followed by the numbers of their axes."""
    operands = [*items[: len(items) // 2 * 2 : 2]]

    def term(axes: Sequence[Any]) -> str:
        return "".join("..." if axis is Ellipsis else ascii_letters[axis] for axis in axes)

    result = f"->{term(items[-1])}" if len(items) % 2 else ""
    return ",".join(map(term, items[1 : len(operands) * 2 : 2])) + result, operands


def _without_repeats(call: Call, tensor: Tensor, term: str) -> tuple[Tensor | str, str]:
    """Return a tensor without the axes that a letter names again, and its term: a diagonal of both."""
    letters = [*dict.fromkeys(term)]
    if len(letters) == len(term):
        return tensor, term
    sizes = call.trace.sizes(tensor)
    shape = [sizes[term.index(letter)] for letter in letters]
    equal(sizes, [shape[letters.index(letter)] for letter in term])
    layer = TracedFunction(function="diagonal", shape=field_value(shape))
    return call.step(layer, tensor, name="diagonal"), "".join(letters)


def _tensordot(call: Call) -> bool:
    """A sum over pairs of axes: the last of the first and the first of the second, or as listed."""
    left, right = call.first("a", "input"), call.first("b", "other")
    dims, names = concrete(call.first("dims")), iter(ascii_letters)
    ranks = left.dim(), right.dim()
    if isinstance(dims, int):
        dims = [*range(ranks[0] - dims, ranks[0])], [*range(dims)]
    if not isinstance(dims, (tuple, list)):
        return False
    terms = [[next(names) for _ in range(rank)] for rank in ranks]
    for first, second in zip(*dims, strict=True):
        terms[1][second] = terms[0][first]
    return _by_terms(call, left, right, *terms)


def _inner(call: Call) -> bool:
    left, right = call.input, call.arguments["other"]
    if not left.dim() or not right.dim():
        return False
    equal(*(call.trace.sizes(tensor)[-1:] for tensor in (left, right)))
    *first, last = [*ascii_letters[: left.dim()]]
    return _by_terms(call, left, right, [*first, last], [*ascii_letters[26 : 25 + right.dim()], last])


def _by_terms(call: Call, left: Tensor, right: Tensor, first: list[str], second: list[str]) -> bool:
    """Sum over the letters of both; those of one are the axes of the result."""
    result = [letter for letter in (*first, *second) if (letter in first) != (letter in second)]
    equation = f"{''.join(first)},{''.join(second)}->{''.join(result)}"
    return call.ends(layers.Einsum(equation=equation), left, right)


# ---- of vectors


def _outer(call: Call) -> bool:
    """A column by a row; `addr` adds a tensor that expands to it."""
    *added, left, right = tensors_in(call.arguments)
    column = call.step(layers.Unsqueeze(dim=1), left)
    return _plus(call, added, layers.Multiply(), column, right)


def _vecdot(call: Call) -> bool:
    left, right = tensors_in(call.arguments)
    dim = concrete(call.arguments.get("dim", -1))
    equal(*([call.trace.sizes(tensor)[dim]] for tensor in (left, right)))
    product = call.step(layers.Multiply(), left, right)
    return call.ends(layers.Reduce(function="sum", dim=dim), product)


PRODUCTS: dict[str, Rule] = {
    **dict.fromkeys(("matmul", "mm", "bmm", "mv", "dot", "vdot", "addmm", "addmv", "baddbmm"), _matmul),
    "einsum": _einsum,
    "tensordot": _tensordot,
    "inner": _inner,
    **dict.fromkeys(("outer", "ger", "addr"), _outer),
    "linalg_vecdot": _vecdot,
}
"""By the name of the function."""
