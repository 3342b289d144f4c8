"""The public functions of the torch bridge; torch is imported only when they are called."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from shapecalc.bridges import need
from shapecalc.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import torch
    from torch import nn

    from shapecalc.bridges.torch.key_value_cache import KeyValueCache
    from shapecalc.bridges.torch.proof.verification import Verification
    from shapecalc.model import Model


@contextmanager
def _without_plugins() -> Iterator[None]:
    """Keep pydantic from reading the metadata of every installed package when it completes our classes."""
    name = "PYDANTIC_DISABLE_PLUGINS"
    if name in os.environ:
        yield
        return
    os.environ[name] = "__all__"
    try:
        yield
    finally:
        os.environ.pop(name, None)


def from_torch(
    module: nn.Module,
    input: Any = None,  # noqa: A002  (the word that a spec uses)
    *,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Model:
    """Trace a torch module into a model: module names become paths, the spatial sizes of the input stay free.

    `input` is a shape without the batch axis, or a shape per argument of `forward` by name. `args` and
    `kwargs` are the call's own arguments instead; their shapes include the batch axis, if there is one.
    The module is copied to the meta device and its forward runs once in evaluation mode, so nothing is
    computed and the module is not changed. An operation without a rule becomes `opaque`, and totals are
    then "at least".

    Raises `SpecError` where the module cannot be traced, or torch is not installed.

    >>> from torch import nn
    >>> net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(2048, 10))
    >>> report = from_torch(net, input=(3, 16, 16)).analyze()
    >>> report.params, report["0"].weights["weight"]
    (20714, (8, 3, 3, 3))
    """
    from shapecalc.engine.gc_pause import collector_paused

    need("torch")
    # To look through all that torch holds takes longer than what is loaded here.
    with collector_paused(), _without_plugins():
        from shapecalc.bridges.torch.tracer.importing import traced

        return traced(module, input, args, kwargs, name)


def build(
    model: Model,
    *,
    device: torch.device | str = "cpu",
    input: Any = None,  # noqa: A002  (the word that a spec uses)
    **parameters: Any,
) -> nn.Module:
    """Build a model as a live torch module; its named parameters are those of the report.

    Every submodule has the path of its layer; shared weights are one parameter. Weights are initialized
    as torch's own layers initialize them, in training mode; `device="meta"` allocates nothing. The module
    takes the inputs in the order of the spec or by name, with any batch size, and returns the output, or
    a dict where the spec has several. `input` and `parameters` are those of `Model.analyze`.

    Raises `ShapeError` where the model does not hold, `SpecError` for a Keras spec or a layer without a
    torch counterpart, `NotInstalled` without torch.

    >>> from shapecalc import build, load
    >>> module = build(load("lenet5"), device="meta")
    >>> {name: tuple(weight.shape) for name, weight in module.named_parameters()}["c3.weight"]
    (16, 6, 5, 5)
    """
    need("torch")
    from shapecalc.bridges.torch.build import build as build_network

    return build_network(model, device, input, parameters)


def export(
    model: Model,
    *,
    input: Any = None,  # noqa: A002  (the word that a spec uses)
    **parameters: Any,
) -> str:
    """Return a model as PyTorch source code that imports only torch.

    Blocks become classes, repeats `nn.Sequential`; submodules have the names of the report's layers. The
    exported module has the model's named parameters, shapes and MACs. `input` and `parameters` are those
    of `Model.analyze`.

    Raises `ShapeError` where the model does not hold, `SpecError` for a Keras spec and for a layer or a name
    that cannot be written in Python, `NotInstalled` without torch.

    >>> from shapecalc import export, load
    >>> print(*(line for line in export(load("lenet5")).splitlines() if line.startswith("class")))
    class LeNet5(nn.Module):
    """
    need("torch")
    from shapecalc.bridges.torch.export.export_model import export as export_source

    return export_source(model, input, parameters)


def key_value_cache(network: nn.Module) -> KeyValueCache:
    """Return what a language model of transformers keeps after a text, its length and the batch free.

    Keys and values, latents or states: the floating-point tensors of the cache that its forward returns,
    traced on the meta device. `bytes`, `per_token`, `longest` and `largest_batch` say what it takes and what
    fits, `prefill_macs` and `decode_macs` what a text and a token after it cost; what is left free is in
    closed form, in the length `L` and the batch `N`.

    Raises `SpecError` where the forward takes no `input_ids` and `use_cache` or keeps nothing, `NotInstalled`
    without torch.

    >>> import torch
    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "vocab_size": 100}
    >>> with torch.device("meta"):
    ...     network = LlamaForCausalLM(LlamaConfig(num_attention_heads=4, num_key_value_heads=2, **sizes))
    >>> cache = key_value_cache(network)
    >>> cache.bytes(dtype="bf16"), cache.bytes(1000, batch=8), cache.per_token(1000)
    (128·L, 2048000, 256)
    >>> cache.decode_macs()
    128·L + 18,688
    """
    need("torch")
    from shapecalc.bridges.torch.key_value_cache import read_cache

    return read_cache(network)


def verify(
    model: Model | nn.Module,
    *,
    input: Any = None,  # noqa: A002  (the word that a spec uses)
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    **parameters: Any,
) -> Verification:
    """Prove every layer of a model equal to torch's symbolic shapes, and run the network once.

    A torch module is imported, with `input`, `args` and `kwargs` as `from_torch` takes them. Of an import
    it is the module itself that runs, under symbolic shapes and at several sizes; of a spec, the network
    that is built from it, with `input` and `parameters` as `Model.analyze` takes them. Equal layers are
    proved once. `progress` is called with the number of layers done and in total. The result has a verdict
    per layer, `counts`, `is_refuted`, and prints as `shapecalc verify` does.

    Raises what `from_torch` and `Model.analyze` raise, `NotInstalled` without torch.

    >>> from shapecalc import load, verify
    >>> verify(load("lenet5")).counts
    {'proved': 12}
    """
    need("torch")
    from torch import nn

    from shapecalc.bridges.torch.proof.verification import verify as verify_model

    if isinstance(model, nn.Module):
        imported = from_torch(model, input, args=args, kwargs=kwargs)
        return verify_model(imported, None, parameters, progress)
    if args or kwargs:
        raise SpecError("`args` and `kwargs` are for torch modules: a model has its own inputs")
    return verify_model(model, input, parameters, progress)
