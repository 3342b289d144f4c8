"""Findings as a SARIF 2.1.0 log, with their fixes as replacements that a code host can apply."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from shapecalc.diagnostics.diagnostic import Diagnostic, Edit, Fix
from shapecalc.diagnostics.rule import rule
from shapecalc.errors import Place

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(findings: Sequence[Diagnostic], version: str) -> dict[str, Any]:
    """Return the findings as a SARIF 2.1.0 log, which code hosts and editors read.

    Columns count characters from 1, as `columnKind` says; a region ends before its `endColumn`.
    Source: OASIS, Static Analysis Results Interchange Format 2.1.0, sections 3.30 and 3.55 to 3.57.
    """
    driver = {
        "name": "shapecalc",
        "version": version,
        "rules": [_rule(code) for code in sorted({finding.code for finding in findings})],
    }
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding) for finding in findings],
            }
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    about = rule(code)
    return {
        "id": code,
        "shortDescription": {"text": about.title},
        "fullDescription": {"text": about.means},
        "help": {"text": about.remedy},
    }


def _result(finding: Diagnostic) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": finding.severity,
        "message": {"text": "\n".join((finding.message, *finding.details))},
        "locations": [_location(finding)] if finding.place.file else [],
    }
    fixes = [_fix(fix, finding.place) for fix in finding.fixes if fix.edits and finding.place.file]
    return result | {"fixes": fixes} if fixes else result


def _location(finding: Diagnostic) -> dict[str, Any]:
    region = {
        name: value
        for name, value in (("startLine", finding.place.line), ("startColumn", finding.place.column))
        if value is not None
    }
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(finding.place)}, "region": region}}


def _fix(fix: Fix, place: Place) -> dict[str, Any]:
    change = {
        "artifactLocation": {"uri": _uri(place)},
        "replacements": [_replacement(edit) for edit in fix.edits],
    }
    properties = {"applicability": fix.applicability}
    return {"description": {"text": fix.description}, "artifactChanges": [change], "properties": properties}


def _replacement(edit: Edit) -> dict[str, Any]:
    """Return an edit as what is deleted, perhaps nothing, and the text in its place."""
    line, column = edit.end
    region = {"startLine": edit.line, "startColumn": edit.column, "endLine": line, "endColumn": column}
    replacement: dict[str, Any] = {"deletedRegion": region}
    return replacement | {"insertedContent": {"text": edit.new}} if edit.new else replacement


def _uri(place: Place) -> str:
    """Return the file of a place as a URI reference, relative where the path is."""
    return quote((place.file or "").replace(os.sep, "/"))
