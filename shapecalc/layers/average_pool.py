"""Pooling with a sliding window that takes all numbers in it: average and power average."""

from collections.abc import Iterator
from typing import Annotated, Any

from shapecalc.algebra import Dim, product
from shapecalc.layers.counts import Operations, greatest, mean, norm
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.extended_number import INFINITIES, Power
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Flag, Integer, Nullable, complaint
from shapecalc.layers.pool import Pool, PoolPadding
from shapecalc.layers.requirement import Requirement, Shape


class _Divisor(Integer):
    """Any integer but zero."""

    def check(self, value: Any) -> Any:
        number = super().check(value)
        if number == 0:
            raise complaint("a divisor cannot be 0")
        return number

    def json_schema(self) -> dict[str, Any]:
        return {**super().json_schema(), "not": {"const": 0}}


Divisor = Annotated[Dim | None, Nullable(_Divisor())]


class AvgPool(Pool, torch="torch.nn.AvgPool{rank}d", keras="keras.layers.AveragePooling{rank}D"):
    """The mean of every window: `[N, C, {sizes}]` to `[N, C, {sizes:'}]`, n' = ⌊(n + 2p - k)/s⌋ + 1.

    The stride is the kernel's size if left out; count_include_pad and divisor_override change values, not
    shapes. Refuses a padding of more than half the kernel and an input smaller than the window. Source: LeCun
    et al., Gradient-based learning applied to document recognition, 1998.

    >>> AvgPool{rank}d(kernel_size=2, ceil_mode=True).output((1, 6, {each:7}))
    (1, 6, {each:4})
    """

    order = "kernel_size stride padding ceil_mode ..."
    family = Family.AVERAGE_POOL
    saves = "input"
    reduced_by = mean

    padding: PoolPadding = 0
    count_include_pad: Flag = True


class LPPool(Pool, torch="torch.nn.LPPool{rank}d"):
    """(Σ xᵖ)^(1/p) over every window: `[N, C, {sizes}]` to `[N, C, {sizes:'}]`, n' = ⌊(n - k)/s⌋ + 1.

    `norm_type` is the power p, not zero; `inf` takes the largest magnitude. The stride is the kernel's size
    if left out. Refuses an input smaller than the window.

    >>> LPPool{rank}d(norm_type=2, kernel_size=3, stride=2).output((1, 8, {each:9}))
    (1, 8, {each:4})
    """

    order = "norm_type ..."
    family = Family.POWER_POOL

    norm_type: Power

    def operations(self, x: Shape) -> Operations:
        seen, results = self.seen(x), product(self.output(x))
        if isinstance(self.norm_type, str):
            return greatest(seen, results)  # of no finite power torch takes the greatest number
        return norm(self.norm_type, seen, results)


class AvgPool2d(AvgPool, rank=2):
    divisor_override: Divisor = None


class AvgPool3d(AvgPool, rank=3):
    """As torch does here alone, an input smaller than the kernel is refused even where padding would do."""

    divisor_override: Divisor = None

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        yield from self._covered(x)
        yield from super().fitting(x)


class LPPool3d(LPPool, rank=3):
    """For a finite power an input smaller than the kernel is refused, as by `avg_pool3d`."""

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        if self.norm_type not in INFINITIES:
            yield from self._covered(x)
        yield from super().fitting(x)


__getattr__ = of_rank(__name__)
