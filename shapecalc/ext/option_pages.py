"""From the options of a view to its page, for the documents of a site."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shapecalc.arguments import Loaded, is_torch, load_model, valued
from shapecalc.errors import SpecError, quote
from shapecalc.ext.options import Options
from shapecalc.render.piece import Line, Page, Paragraph, Strong
from shapecalc.spec.find import bundled, folder, locate

if TYPE_CHECKING:
    from shapecalc.report.report import Report


@dataclass(frozen=True, slots=True)
class DocumentSite:
    """Where the files of documents are, what is notified of them, and whether Python may be imported."""

    resolve: Callable[[str], str]
    """Returns the path of a file that a document names."""
    base: Callable[[], Path] = Path.cwd
    """Returns the folder that paths in a page are relative to."""
    depends: Callable[[Path], None] = lambda _path: None
    """Is called with each spec file that is read, whether it exists or not."""
    imports: bool = False

    def page(self, options: Options) -> Page:
        """Return the page of a view, the same on every machine: paths of files are relative to the base."""
        prefixes = (f"{self.base()}{os.sep}", f"{folder().parent}{os.sep}")
        content: Page = _relative(_VIEWS[options.view](self, options), prefixes)
        if options.caption is None or options.view == "layers":
            return content
        return (Paragraph((Strong(options.caption),)), *content)

    def value(self, text: str) -> Line:
        """Return a single value from the arguments of `shapecalc value`: `resnet50 params unit=M`."""
        words = text.split()
        if len(words) < 2:
            raise SpecError(
                f"{quote(text)} names no value", hint="write a network and a value, as in resnet50 params"
            )
        model, name, *more = words
        return valued(self.source(model), name, tuple(more))

    def source(self, name: str) -> str:
        """Return a network as a command takes it: a bundled name, or a resolved path."""
        if name == "-":
            raise SpecError("- is standard input, and a document has none")
        if is_torch(name):
            if self.imports:
                return name
            raise SpecError(
                f"{quote(name)} names an object in a Python module, which would be imported and run",
                hint="save what shapecalc.from_torch(...).to_yaml() returns and name that file, or allow it "
                "where you trust the documents: shapecalc_python in conf.py, python of MkDocs' plugin",
            )
        if name not in bundled() and any(sign in name for sign in "./\\"):
            file, colon, variant = name.partition(":")
            is_file = Path(self.resolve(name)).is_file()
            name = self.resolve(name) if is_file else f"{self.resolve(file)}{colon}{variant}"
        self.depends(locate(name)[0])
        return name

    def load(self, name: str, options: Options) -> Loaded:
        """Load a network with the input and parameters of the options."""
        return load_model(self.source(name), options.input, options.parameters)

    def report(self, options: Options) -> tuple[Report, bool]:
        """Return the report, and whether its shapes show the batch."""
        return self.load(options.model, options).analyze(
            options.batch,
            options.free,
            dtype=options.dtype,
            count=options.count,
            convention=options.convention,
        )


def _relative(part: Any, prefixes: tuple[str, ...]) -> Any:
    """Return a part of a page without the prefixes of its paths."""
    if isinstance(part, str):
        for prefix in prefixes:
            part = part.replace(prefix, "")
        return part
    if isinstance(part, tuple):
        return tuple([_relative(inner, prefixes) for inner in part])
    if is_dataclass(part) and not isinstance(part, type):
        return replace(
            part, **{own.name: _relative(getattr(part, own.name), prefixes) for own in fields(part)}
        )
    return part


def _layers(site: DocumentSite, options: Options) -> Page:
    from shapecalc.views.layer_table import layer_table

    report, batch = site.report(options)
    table = layer_table(
        report,
        options.depth,
        batch=batch,
        columns=options.columns,
        caption=None if options.caption is None else (options.caption,),
        has_notes=options.notes,
        fields="field" in map(str.lower, options.columns),
    )
    return (table,)


def _summary(site: DocumentSite, options: Options) -> Page:
    from shapecalc.views.layer_table import notes_page

    report, batch = site.report(options)
    return notes_page(report, batch=batch)


def _derivation(site: DocumentSite, options: Options) -> Page:
    from shapecalc.views.derivation_page import derivation_page

    report, batch = site.report(options)
    return derivation_page(report.derive(*options.layers, batch=batch or None))


def _layer(site: DocumentSite, options: Options) -> Page:
    from shapecalc.views.node_facts import entry_page

    if not options.layers:
        raise SpecError("the view `layer` needs the path of a layer", hint="name it in the option layers")
    report, _ = site.report(options)
    return tuple(block for path in options.layers for block in entry_page(report[path]))


def _sizes(site: DocumentSite, options: Options) -> Page:
    from shapecalc.render.lines import as_page

    loaded = site.load(options.model, options)
    return as_page(loaded.model.sizes(free=options.free or None, **loaded.arguments).lines())


def _diff(site: DocumentSite, options: Options) -> Page:
    from shapecalc.report.comparison import compare
    from shapecalc.views.comparison_page import comparison_page

    if options.against is None:
        raise SpecError("the view `diff` compares two networks", hint="name the second in the option against")
    report, _ = site.report(options)
    other, _ = site.load(options.against, options).analyze()
    return comparison_page(compare(report, other, options.convention))


def _check(site: DocumentSite, options: Options) -> Page:
    from shapecalc.diagnostics.diagnostic import diagnostic_page

    loaded = site.load(options.model, options)
    diagnostics = loaded.model.check(**loaded.arguments)
    if not diagnostics:
        return (Paragraph(("nothing to complain about",)),)
    return tuple(block for diagnostic in diagnostics for block in diagnostic_page(diagnostic))


_VIEWS: dict[str, Callable[[DocumentSite, Options], Page]] = {
    "layers": _layers,
    "summary": _summary,
    "derivation": _derivation,
    "layer": _layer,
    "sizes": _sizes,
    "diff": _diff,
    "check": _check,
}
