"""A torch module by where it is defined, built without memory: an object of Python, or a configuration."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar
from unittest import mock

import torch
from torch import nn

from shapecalc.bridges.keras import is_keras, keras_on
from shapecalc.bridges.keras.keras_api import from_keras
from shapecalc.bridges.torch import from_torch
from shapecalc.bridges.torch.tracer.declared_place import declared_place
from shapecalc.bridges.torch.tracer.failed_constructor import constructor_error
from shapecalc.bridges.torch.tracer.module_run import outcome
from shapecalc.bridges.torch.transformers_config import configured, usual_input
from shapecalc.diagnostics.diagnostic import Diagnostic
from shapecalc.errors import ForwardError, SpecError, nearest, quote
from shapecalc.spec.find import is_configuration

if TYPE_CHECKING:
    from shapecalc.model import Model

_T = TypeVar("_T")

_QUICK: dict[str, Any] = {"weights": None, "weights_backbone": None, "init_weights": False}
"""What builders of torchvision take, so that nothing is fetched and nothing is drawn at random."""
_VIDEO = "torchvision.models.video"


def model_at(path: str, shapes: Any, settings: Mapping[str, Any]) -> Model:
    """Return the model of a module at `pkg.mod:attribute` or `file.py:attribute`, or of what builds one.

    A configuration file of transformers is the network that it describes, and a Keras model is read as one.

    `shapes` is an input as `from_torch` takes it; torchvision's builders know one themselves. Raises
    `SpecError` where there is no such thing, where it is no module, and where no shape is known.
    """
    is_file = is_configuration(path)

    def run(module: nn.Module, target: Any) -> Model:
        if is_keras(module):
            return from_keras(module, shapes, name=path.rpartition(":")[2].replace(".", "_"))
        sizes = (usual_input(module) if is_file else _usual(target)) if shapes is None else shapes
        if sizes is None:
            like = "3x16x112x112" if _is_in(target, _VIDEO) else "3x224x224"
            raise SpecError(f"{path} needs --input with the sizes of its input", hint=f"as in --input {like}")
        name = type(module).__name__ if is_file else path.rpartition(":")[2].replace(".", "_")
        try:
            return from_torch(module, input=sizes, name=name)
        except ForwardError as error:
            raise ForwardError([_located(finding, module, path) for finding in error.diagnostics]) from error

    return with_module(path, settings, run)


def with_module(path: str, settings: Mapping[str, Any], run: Callable[[nn.Module, Any], _T]) -> _T:
    """Return what a function makes of the module at a path, and of the object there, which may build it.

    While it runs, imports work as they do for `python FILE` and `python -m`: a forward may import too.
    """
    is_file = is_configuration(path)
    file, _, _ = path.rpartition(":") if ":" in path else (path, "", "")
    own = [str(Path(file).resolve().parent)] if file.endswith(".py") else []
    with mock.patch.object(sys, "path", [*own, str(Path.cwd()), *sys.path]):
        target = configured(path, settings) if is_file else _object_at(path)
        if isinstance(target, nn.Module) or is_keras(target):
            if settings and not is_file:
                raise SpecError(f"{path} is a module that is built already: --set has nothing to set")
            return run(target, target)
        return run(_built(path, target, settings, lambda module: run(module, target)), target)


def _located(finding: Diagnostic, module: nn.Module, path: str) -> Diagnostic:
    """Return a finding in a forward of torch's own with the place where the file makes the layer."""
    file, _, name = path.rpartition(":")
    if finding.place.line or not file.endswith(".py") or not finding.paths:
        return finding
    return replace(finding, place=declared_place(module, finding.paths[0], (str(Path(file).resolve()), name)))


def _object_at(path: str) -> Any:
    name, _, attributes = path.rpartition(":") if ":" in path else (path, "", "")
    try:
        target: Any = _module_of_file(name) if name.endswith(".py") else import_module(name)
    except ModuleNotFoundError as error:
        raise SpecError(f"no Python module is called {quote(error.name or name)}") from None
    except SpecError:
        raise
    except Exception as error:  # whatever the user's file raises
        raise SpecError(f"the Python module {name} does not load: {_text(error)}") from error
    if not attributes:
        classes = [key for key, value in vars(target).items() if _is_network(value, target)]
        like = f"{name}:{classes[-1] if classes else 'Net'}"
        raise SpecError(f"{name} is a file of Python: name the module in it", hint=f"as in {like}")
    for attribute in attributes.split("."):
        if not hasattr(target, attribute):
            where = name if isinstance(target, ModuleType) else getattr(target, "__name__", name)
            raise SpecError(f"{where} has no {quote(attribute)}{nearest(attribute, dir(target))}")
        target = getattr(target, attribute)
    return target


def _is_network(value: Any, module: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, nn.Module) and value.__module__ == module.__name__


def _module_of_file(text: str) -> ModuleType:
    """Import a file by its name in its package; without one, by its own, or another where that is taken."""
    file = Path(text).resolve()
    if not file.is_file():
        raise SpecError(f"there is no file {quote(text)}")
    folder, name = file.parent, file.stem
    while (folder / "__init__.py").is_file():
        folder, name = folder.parent, f"{folder.name}.{name}"
    known = sys.modules.get(name)
    if known is not None and Path(known.__file__ or "") == file:
        return known
    if "." in name:
        with mock.patch.object(sys, "path", [str(folder), *sys.path]):
            return import_module(name)
    name = name if known is None else f"{name}_{len(sys.modules)}"
    spec = spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _built(
    path: str, target: Any, settings: Mapping[str, Any], run: Callable[[nn.Module], object]
) -> nn.Module:
    if not callable(target):
        raise SpecError(f"{path} is a {type(target).__name__}, neither a torch module nor what builds one")
    takes: Mapping[str, inspect.Parameter] = {}
    with suppress(TypeError, ValueError):
        takes = inspect.signature(target).parameters
    open_ended = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in takes.values())
    for key in settings:
        if takes and key not in takes and not open_ended:
            raise SpecError(
                f"{path} takes no {quote(key)}{nearest(key, [*takes])}", hint=f"it takes {', '.join(takes)}"
            )
    arguments = {**{key: value for key, value in _QUICK.items() if key in takes}, **settings}
    if open_ended and _is_in(target, "torchvision.models"):
        family = getattr(target, "__name__", "")
        arguments |= {"init_weights": False} if family.startswith(("vgg", "inception", "googlenet")) else {}

    def build(device: str) -> nn.Module:
        with warnings.catch_warnings(), torch.device(device), keras_on(device):
            warnings.simplefilter("ignore")
            module: nn.Module = target(**arguments)
        if not isinstance(module, nn.Module) and not is_keras(module):
            raise SpecError(f"{path} makes a {type(module).__name__}, not a torch module")
        return module

    last: Exception | None = None
    for device in ("meta", "cpu"):  # a builder that computes with tensors needs their numbers
        made = outcome(partial(build, device))
        if not isinstance(made, Exception):
            return made
        if isinstance(made, SpecError):
            raise made
        last = made
    if (reason := constructor_error(last, lambda: build("meta"), run)) is not None:
        raise reason from last
    raise SpecError(f"{path} does not build: {_text(last)}") from last


def _text(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}"[:400] if lines else type(error).__name__


def _is_in(target: Any, package: str) -> bool:
    return str(getattr(target, "__module__", "")).startswith(package)


def _usual(target: Any) -> tuple[int, ...] | None:
    """Return the input that torchvision's own weights of a builder are for."""
    if not _is_in(target, "torchvision.models") or _is_in(target, _VIDEO):  # which say no number of frames
        return None
    from torchvision.models import get_model_weights

    try:
        transforms = next(iter(get_model_weights(target))).transforms()
    except (ValueError, StopIteration):
        return None
    sizes = getattr(transforms, "crop_size", None) or getattr(transforms, "resize_size", None)
    if not sizes:
        return None
    side = [*sizes] if isinstance(sizes, (list, tuple)) else [sizes]
    return (3, *side * (2 if len(side) == 1 else 1))
