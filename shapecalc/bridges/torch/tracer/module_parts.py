"""The parts of a module and their tensors, in torch's order; torch has a generator for each level."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

_MODULES = "_modules"


def named_parts(module: nn.Module) -> dict[str, nn.Module]:
    """Return a module and those in it by path, each once, as `named_modules` does."""
    parts: dict[str, nn.Module] = {}
    seen: set[int] = set()
    open_parts = [("", module)]
    while open_parts:
        path, part = open_parts.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        parts[path] = part
        if inside := getattr(part, _MODULES):
            prefix = f"{path}." if path else ""
            inner = [(f"{prefix}{name}", each) for name, each in inside.items() if each is not None]
            open_parts += reversed(inner)
    return parts


def tensors_of(parts: dict[str, nn.Module], table: str) -> dict[str, Tensor]:
    """Return what parts register, `_parameters` or `_buffers`, by path, each once."""
    tensors: dict[str, Tensor] = {}
    seen: set[int] = set()
    for path, part in parts.items():
        if inside := getattr(part, table):
            prefix = f"{path}." if path else ""
            for name, tensor in inside.items():
                if tensor is not None and id(tensor) not in seen:
                    seen.add(id(tensor))
                    tensors[prefix + name] = tensor
    return tensors


def by_identity(named: Mapping[str, object]) -> dict[int, str]:
    """Return the paths of parts or tensors by the identity of these."""
    return {id(item): path for path, item in named.items()}


def registered(parts: dict[str, nn.Module]) -> list[Tensor]:
    """Return the parameters and then the buffers of parts."""
    return [*tensors_of(parts, "_parameters").values(), *tensors_of(parts, "_buffers").values()]
