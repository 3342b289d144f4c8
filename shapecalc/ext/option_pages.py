"""From options to the page of a view, and the files that it depends on."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from shapecalc.arguments import is_torch, load_model
from shapecalc.errors import SpecError, quote
from shapecalc.ext.options import Options
from shapecalc.render.piece import Line, Page, Paragraph, Strong
from shapecalc.spec.find import bundled, folder, locate

if TYPE_CHECKING:
    from shapecalc.model import Model
    from shapecalc.report.report import Report

Resolve: TypeAlias = Callable[[str], str]
"""Returns the path of a file that a document names."""


class Trusted:
    """Resolves files for documents that may also name objects in Python modules, which are imported."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    def __call__(self, name: str) -> str:
        return self._resolve(name)


def source(name: str, resolve: Resolve) -> str:
    """Return the name of a network as a command takes it: a bundled name, or a path that was resolved."""
    if name == "-":
        raise SpecError("- is standard input, and a document has none")
    if is_torch(name):
        if isinstance(resolve, Trusted):
            return name
        raise SpecError(
            f"{quote(name)} names an object in a Python module, which would be imported and run",
            hint="save what shapecalc.from_torch(...).to_yaml() returns and name that file, or allow it "
            "where you trust the documents: shapecalc_python in conf.py, python of MkDocs' plugin",
        )
    if name in bundled() or not any(sign in name for sign in "./\\"):
        return name
    file, colon, variant = name.partition(":")
    return f"{resolve(file)}{colon}{variant}" if not Path(resolve(name)).is_file() else resolve(name)


def files(options: Options, resolve: Resolve) -> list[Path]:
    """Return the spec files that options name, whether they are any good or not."""
    names = [options.model, *([options.against] if options.against else [])]
    return [path for name in names for path in files_of(name, resolve)]


def files_of(name: str, resolve: Resolve) -> list[Path]:
    """Return the spec file that a document names: none for an object in a Python module."""
    resolved = source(name, resolve)
    return [] if is_torch(resolved) else [locate(resolved)[0]]


def page(options: Options, resolve: Resolve, base: Path) -> Page:
    """Return the page of a view, the same on every machine: paths of files are relative to the base."""
    prefixes = (f"{base}{os.sep}", f"{folder().parent}{os.sep}")
    content: Page = _relative(_VIEWS[options.view](options, resolve), prefixes)
    if options.caption is None or options.view == "layers":
        return content
    return (Paragraph((Strong(options.caption),)), *content)


def _relative(part: Any, prefixes: tuple[str, ...]) -> Any:
    """Return a part of a page without the prefixes of its paths."""
    if isinstance(part, str):
        for prefix in prefixes:
            part = part.replace(prefix, "") if prefix in part else part
        return part
    if isinstance(part, tuple):
        return tuple([_relative(inner, prefixes) for inner in part])
    if is_dataclass(part) and not isinstance(part, type):
        return replace(
            part, **{own.name: _relative(getattr(part, own.name), prefixes) for own in fields(part)}
        )
    return part


def value_line(text: str, resolve: Resolve) -> Line:
    """Return a single value in the words of `shapecalc value`: `resnet50 params unit=M`."""
    from shapecalc.arguments import valued

    words = text.split()
    if len(words) < 2:
        raise SpecError(
            f"{quote(text)} names no value", hint="write a network and a value, as in resnet50 params"
        )
    model, name, *more = words
    return valued(source(model, resolve), name, tuple(more))


def _report(options: Options, resolve: Resolve) -> Report:
    if options.batch is not None and "batch" in options.free:
        raise SpecError("batch gives the batch that free leaves free: choose one")
    model, shapes, parameters = _load(options.model, options, resolve)
    return model.analyze(
        input=shapes,
        batch=1 if options.batch is None else options.batch,
        symbolic=options.free,
        dtype=options.dtype,
        count=options.count,
        convention=options.convention,
        **parameters,
    )


def _load(name: str, options: Options, resolve: Resolve) -> tuple[Model, Any, dict[str, Any]]:
    return load_model(source(name, resolve), options.input, options.parameters)


def _shows_batch(options: Options) -> bool:
    return options.batch is not None or "batch" in options.free


def _layers(options: Options, resolve: Resolve) -> Page:
    from shapecalc.views.layer_table import layer_table

    table = layer_table(
        _report(options, resolve),
        options.depth,
        batch=_shows_batch(options),
        columns=options.columns,
        caption=None if options.caption is None else (options.caption,),
        has_notes=options.notes,
        fields="field" in map(str.lower, options.columns),
    )
    return (table,)


def _summary(options: Options, resolve: Resolve) -> Page:
    from shapecalc.views.layer_table import notes_page

    return notes_page(_report(options, resolve), batch=_shows_batch(options))


def _derivation(options: Options, resolve: Resolve) -> Page:
    from shapecalc.views.derivation_page import derivation_page

    batch = True if _shows_batch(options) else None
    return derivation_page(_report(options, resolve).derive(*options.layers, batch=batch))


def _layer(options: Options, resolve: Resolve) -> Page:
    from shapecalc.views.node_facts import entry_page

    report = _report(options, resolve)
    if not options.layers:
        raise SpecError("the view `layer` needs to know which", hint="say it with the option layers")
    return tuple(block for path in options.layers for block in entry_page(report[path]))


def _sizes(options: Options, resolve: Resolve) -> Page:
    from shapecalc.render.lines import as_page

    model, shapes, parameters = _load(options.model, options, resolve)
    return as_page(model.sizes(input=shapes, free=options.free or None, **parameters).lines())


def _diff(options: Options, resolve: Resolve) -> Page:
    from shapecalc.report.comparison import compare
    from shapecalc.views.comparison_page import comparison_page

    if options.against is None:
        raise SpecError(
            "the view `diff` compares two networks", hint="say the other one with the option against"
        )
    model, shapes, parameters = _load(options.against, options, resolve)
    other = model.analyze(input=shapes, **parameters)
    return comparison_page(compare(_report(options, resolve), other, options.convention))


def _check(options: Options, resolve: Resolve) -> Page:
    from shapecalc.diagnostics.diagnostic import diagnostic_page

    model, shapes, parameters = _load(options.model, options, resolve)
    diagnostics = model.check(input=shapes, **parameters)
    if not diagnostics:
        return (Paragraph(("nothing to complain about",)),)
    return tuple(block for diagnostic in diagnostics for block in diagnostic_page(diagnostic))


_VIEWS: dict[str, Callable[[Options, Resolve], Page]] = {
    "layers": _layers,
    "summary": _summary,
    "derivation": _derivation,
    "layer": _layer,
    "sizes": _sizes,
    "diff": _diff,
    "check": _check,
}
