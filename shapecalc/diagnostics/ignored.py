"""Which warnings and notes are left out: by `ignore` in the spec or the options, or a comment on a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from shapecalc.diagnostics.diagnostic import Diagnostic, lines_of
from shapecalc.diagnostics.rule import rule
from shapecalc.engine.inferred_spec import InferredSpec
from shapecalc.errors import Place, SpecError, quote
from shapecalc.report.report import Report
from shapecalc.spec.tree import Spec

_COMMENT = re.compile(r"#\s*shapecalc:\s*ignore(?:\s*\[([^\]]*)\]|(?!\s*\[|[\w-]))")


def reported(
    findings: Iterable[Diagnostic], spec: Spec, report: Report, codes: Iterable[str]
) -> list[Diagnostic]:
    """Return the findings without those that are ignored; errors are always reported.

    `codes` are ignored everywhere, those of the spec too, those of a step for its layers. A comment
    `# shapecalc: ignore[silent-loss]`, in a spec or in Python, is for its line; without codes it is for all.
    Raises `SpecError` for an unknown code, and for that of an error.
    """
    everywhere = {*_checked(codes, Place()), *_checked(spec.ignore, spec.place.of("ignore"))}
    by_path = {
        node.path: {*_checked(node.ignored, node.place.of("ignore"))}
        for node in report.graph.nodes
        if node.ignored
    }

    @cache
    def lines(file: str | None) -> list[str]:
        text = spec.text if isinstance(spec, InferredSpec) and file == spec.place.file else None
        return lines_of(file) if text is None else text.splitlines()

    def is_ignored(finding: Diagnostic) -> bool:
        if finding.severity == "error":
            return False
        code, paths = finding.code, finding.paths
        return (
            code in everywhere
            or (bool(paths) and all(code in by_path.get(path, ()) for path in paths))
            or _has_comment(finding.place, code, lines)
        )

    return [finding for finding in findings if not is_ignored(finding)]


def _checked(codes: Any, place: Place) -> Iterator[str]:
    for code in (codes,) if isinstance(codes, str) or not isinstance(codes, Iterable) else codes:
        if not isinstance(code, str):
            raise SpecError(f"ignore: {quote(code)} is not the code of a diagnostic", place=place)
        try:
            is_error = rule(code).severity == "error"
        except SpecError as error:
            raise SpecError(f"ignore: {error.message}", place=place, hint=error.hint) from None
        if is_error:
            hint = "warnings and notes can be ignored"
            raise SpecError(f"ignore: {quote(code)} is an error", place=place, hint=hint)
        yield code


def _has_comment(place: Place, code: str, lines: Callable[[str | None], list[str]]) -> bool:
    line = place.line or 0
    own = lines(place.file)[line - 1 : line] if line else []
    comment = _COMMENT.search(own[0]) if own else None
    return comment is not None and (comment[1] is None or code in re.split(r"[\s,]+", comment[1].strip()))
