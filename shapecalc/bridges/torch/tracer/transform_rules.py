"""Functions of signals and matrices: Fourier transforms, decompositions, linear equations."""

from __future__ import annotations

from shapecalc.bridges.torch.tracer.shape_rules import (
    Shape,
    ShapeRule,
    equal,
    require,
    rule_of_shapes,
    sizes_of,
    stretched,
)
from shapecalc.bridges.torch.tracer.trace import Call, Rule
from shapecalc.bridges.torch.tracer.traced_number import concrete, tensors_in
from shapecalc.bridges.torch.tracer.traced_sizes import least

# ---- Fourier transforms: of real numbers the last axis holds one half


def _fft(call: Call) -> Shape | None:
    """Along one axis or several, each cut or padded to a length that may be given."""
    x, name, dim = [*sizes_of(call)], call.name, concrete(call.arguments.get("dim"))
    lengths = call.first("n", "s")
    lengths = [*lengths] if isinstance(lengths, (tuple, list)) else None if lengths is None else [lengths]
    if dim is None:
        dim = range(-(len(x) if lengths is None else len(lengths)), 0)
    axes = [axis % len(x) for axis in ((dim,) if isinstance(dim, int) else dim)]
    lengths = [-1] * len(axes) if lengths is None else lengths
    for axis, length in zip(axes, lengths, strict=True):
        if concrete(length) != -1:
            x[axis] = length
        elif axis == axes[-1] and name.startswith(("fft_irfft", "fft_hfft")):
            x[axis] = 2 * (x[axis] - 1)
    require(*(x[axis] >= 1 for axis in axes))
    if name.startswith(("fft_rfft", "fft_ihfft")):
        x[axes[-1]] = x[axes[-1]] // 2 + 1
    return tuple(x)


def _stft(call: Call) -> Shape | None:
    """Frequencies by frames, of a signal that is padded by half a window on both sides if centred."""
    x, window, hop = sizes_of(call), call.arguments["n_fft"], call.arguments["hop_length"]
    is_half = call.arguments["onesided"] is not False and not call.input.is_complex()
    if not call.arguments["return_complex"] or not isinstance(window, int):
        return None
    length = x[-1]
    if call.arguments["center"]:
        require(length > window // 2)  # what is reflected
        length = length + window // 2 * 2
    require(length >= window)
    frames = (length - window) // (window // 4 if hop is None else hop) + 1
    return (*x[:-1], window // 2 + 1 if is_half else window, frames)


# ---- matrices


def _square(call: Call) -> Shape | None:
    x = sizes_of(call)
    return x if len(x) > 1 and equal(x[-1:], x[-2:-1]) else None


def _determinant(call: Call) -> Shape | None:
    x = _square(call)
    return None if x is None else x[:-2]


def _eigen(call: Call) -> list[Shape] | None:
    x = _square(call)
    return None if x is None else [x[:-1], x][: len(tensors_in(call.result))]


def _svd(call: Call) -> list[Shape]:
    *front, rows, columns = sizes_of(call)
    rank = least(rows, columns)
    if call.name == "linalg_svdvals":
        return [(*front, rank)]
    is_full = call.arguments.get("full_matrices")
    left, right = (rows, columns) if is_full else (rank, rank)
    return [(*front, rows, left), (*front, rank), (*front, right, columns)]


def _matrix_norm(call: Call) -> Shape | None:
    is_of_last = concrete(call.arguments["dim"]) in ([-2, -1], (-2, -1))
    return sizes_of(call)[:-2] if is_of_last and not call.arguments["keepdim"] else None


def _qr(call: Call) -> list[Shape] | None:
    *front, rows, columns = sizes_of(call)
    rank = least(rows, columns)
    is_reduced = call.arguments.get("mode", "reduced") == "reduced"
    return [(*front, rows, rank), (*front, rank, columns)] if is_reduced else None


def _solved(call: Call) -> Shape | None:
    """Solutions of linear equations, as many as right sides; vectors where those are vectors."""
    x, right = sizes_of(call), sizes_of(call, "B")
    if not equal(x[-2:-1], x[-1:]) or not call.arguments.get("left", True):
        return None
    if len(right) == 1 or concrete(right) == concrete(x[:-1]):
        return right if equal(right, x[:-1]) else None
    if len(right) == len(x) - 1:  # at equal sizes these are vectors
        require(any(m != n for m, n in zip(right, x, strict=False)))
    return (*stretched(x[:-2], right[:-2]), x[-1], right[-1]) if equal(right[-2:-1], x[-1:]) else None


def _inverted(call: Call) -> Shape:
    x = sizes_of(call)
    require(not call.arguments.get("hermitian") or equal(x[-2:-1], x[-1:]))
    return (*x[:-2], *x[:-3:-1])


_OF_SHAPES: dict[str, ShapeRule] = {
    **{
        f"fft_{name}{axes}": _fft
        for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
        for axes in ("", "2", "n")
    },
    "stft": _stft,
    **dict.fromkeys(("inverse", "linalg_inv", "linalg_cholesky", "matrix_exp", "linalg_matrix_exp"), _square),
    **dict.fromkeys(("det", "linalg_det", "logdet", "linalg_slogdet"), _determinant),
    **dict.fromkeys(("linalg_eigh", "linalg_eig", "linalg_eigvalsh", "linalg_eigvals"), _eigen),
    **dict.fromkeys(("linalg_svd", "linalg_svdvals"), _svd),
    "linalg_qr": _qr,
    "linalg_solve": _solved,
    **dict.fromkeys(("pinverse", "linalg_pinv"), _inverted),
    "linalg_matrix_norm": _matrix_norm,
}
TRANSFORMS: dict[str, Rule] = {name: rule_of_shapes(rule) for name, rule in _OF_SHAPES.items()}
"""By the name of the function."""
