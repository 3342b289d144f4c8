"""Findings as a SARIF 2.1.0 log, with their repairs as replacements that a code host can apply."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from shapecalc.diagnostics.diagnostic import Diagnostic, Edit, Fix
from shapecalc.diagnostics.rule import rule
from shapecalc.errors import Place

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(found: Sequence[Diagnostic], version: str) -> dict[str, Any]:
    """Return the findings as a SARIF 2.1.0 log, which code hosts and editors read.

    Columns count characters from 1, as `columnKind` says; a region ends before its `endColumn`.
    Source: OASIS, Static Analysis Results Interchange Format 2.1.0, sections 3.30 and 3.55 to 3.57.
    """
    driver = {
        "name": "shapecalc",
        "version": version,
        "rules": [_rule(code) for code in sorted({one.code for one in found})],
    }
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(one) for one in found],
            }
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    one = rule(code)
    return {
        "id": code,
        "shortDescription": {"text": one.title},
        "fullDescription": {"text": one.means},
        "help": {"text": one.remedy},
    }


def _result(one: Diagnostic) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": one.code,
        "level": one.severity,
        "message": {"text": one.message},
        "locations": [_location(one)] if one.place.file else [],
    }
    fixes = [_fix(fix, one.place) for fix in one.fixes if fix.edits and one.place.file]
    return result | {"fixes": fixes} if fixes else result


def _location(one: Diagnostic) -> dict[str, Any]:
    region = {
        name: value
        for name, value in (("startLine", one.place.line), ("startColumn", one.place.column))
        if value is not None
    }
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(one.place)}, "region": region}}


def _fix(fix: Fix, place: Place) -> dict[str, Any]:
    change = {
        "artifactLocation": {"uri": _uri(place)},
        "replacements": [_replacement(edit) for edit in fix.edits],
    }
    properties = {"applicability": fix.applicability}
    return {"description": {"text": fix.description}, "artifactChanges": [change], "properties": properties}


def _replacement(edit: Edit) -> dict[str, Any]:
    """Return an edit as what is deleted, perhaps nothing, and what stands there then."""
    line, column = edit.end
    region = {"startLine": edit.line, "startColumn": edit.column, "endLine": line, "endColumn": column}
    replacement: dict[str, Any] = {"deletedRegion": region}
    return replacement | {"insertedContent": {"text": edit.new}} if edit.new else replacement


def _uri(place: Place) -> str:
    """Return the file of a place as a URI reference, relative where the path is."""
    return quote((place.file or "").replace(os.sep, "/"))
