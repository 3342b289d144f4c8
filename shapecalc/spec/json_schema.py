"""The JSON Schema of the spec language, made from the kinds themselves, for editors to complete by."""

from __future__ import annotations

import inspect
from typing import Any, get_args

from shapecalc.layers.base import Caller, Kind, Merge
from shapecalc.layers.glossary import GLOSSARY
from shapecalc.layers.index import KERAS
from shapecalc.layers.registry import FRAMEWORKS, get, kinds
from shapecalc.spec.tree import Budget, Expect, Paper

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KEYS = {
    "authors": "Who wrote it.",
    "buffers": "Numbers that are kept and not trained, such as the statistics of batch normalization.",
    "macs": "Multiply-accumulates of one sample.",
    "output": "The output's sizes without the batch, or a mapping of named outputs.",
    "params": "Parameters: for a budget also as 5M, or an expression.",
    "title": "Its title.",
    "trainable_params": "Parameters that are trained.",
    "url": "Where it can be read.",
    "year": "When it appeared.",
}
"""What the keys of the smaller parts mean."""
_VALUE = {"type": ["number", "string", "boolean", "array", "null"]}
_STEP_NAME = {"type": "string", "pattern": r"^([A-Za-z_][A-Za-z0-9_]*|[0-9]+(_[0-9]+)?)(\.[A-Za-z0-9_]+)*$"}
_NAME = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}


def schema() -> dict[str, Any]:
    """Return the schema; every registered kind is in it with its fields and their descriptions."""
    classes = [get(name) for name in kinds()]
    return {
        "$schema": DIALECT,
        "title": "shapecalc model",
        "description": "A neural network: parameters, input, blocks and layers.",
        "type": "object",
        "required": ["input", "layers"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "description": "The name of the model."},
            "title": {"type": "string", "description": "The name for a reader."},
            "description": {"type": "string", "description": "What a reader should know."},
            "paper": _node(Paper, "Where the architecture was published."),
            "framework": {
                "enum": list(FRAMEWORKS),
                "description": "Whose rules the layers follow: torch (the default) or keras, channels last.",
            },
            "batched": {
                "type": "boolean",
                "description": "False where the input's sizes are whole: no batch is put in front of them.",
            },
            "parameters": _values("Named numbers, words, truth values or lists, with their defaults."),
            "input": {
                "description": "The input's sizes without the batch, or a mapping of named inputs.",
                "anyOf": [_ref("shape"), {"type": "object", "additionalProperties": _ref("shape")}],
            },
            "blocks": {
                "type": "object",
                "description": "Layer lists with arguments, to be used as kinds.",
                "additionalProperties": _ref("block"),
            },
            "layers": _ref("steps"),
            "outputs": {
                "description": "The steps whose results leave the model; the last step by default.",
                "anyOf": [
                    {"type": "array", "items": {"type": "string"}},
                    {"type": "object", "additionalProperties": {"type": "string"}},
                ],
            },
            "expect": _ref("expect"),
            "budget": _ref("budget"),
            "variants": {
                "type": "object",
                "description": "Members of a family: the same layers under other parameters.",
                "additionalProperties": _ref("variant"),
            },
        },
        "$defs": _definitions(classes),
    }


def _definitions(classes: list[type[Kind]]) -> dict[str, Any]:
    modifiers = {
        "name": _STEP_NAME | {"description": "The step's name, for paths and references."},
        "repeat": {
            "description": "How many times, or loop variables: {i: 4} or {d: depths}.",
            "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}, {"type": "object"}],
        },
        "when": {"type": ["boolean", "string"], "description": "Leave the step out where this is false."},
        "from": {
            "description": "The earlier steps whose results are taken.",
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        },
        "share": {"type": "string", "description": "The earlier step whose weights are used."},
        "trainable": {"type": "boolean", "description": "False freezes the weights of the step."},
        "called": {
            "enum": [*get_args(Caller)],
            "description": "What torch calls: a module (the default), a custom module that holds the weights "
            "of a function, a function, or a method. Tools that count costs do not see all of them.",
        },
    }
    bodies: dict[str, Any] = {cls.kind: _ref(f"kind.{cls.kind}") for cls in classes}
    bodies |= {kind: {"anyOf": [_ref(f"kind.{kind}"), _ref(f"keras.{kind}")]} for kind in KERAS}
    bodies |= {
        "sequential": _ref("steps") | {"description": "Layers, one after the other, as one step."},
        "side": _ref("steps") | {"description": "Layers beside the trunk: their result is an output."},
    }
    return {
        "shape": {"type": "array", "items": {"type": ["integer", "string"]}},
        "steps": {"type": "array", "items": _ref("step"), "description": "Layers, one after the other."},
        "step": {
            "anyOf": [
                {"type": "string", "description": "A kind or a block without fields."},
                {
                    "type": "object",
                    "properties": modifiers | bodies,
                    # A further key is the name of a block, or of an argument that chooses a kind.
                    "additionalProperties": {"type": ["object", "null"]},
                },
            ]
        },
        "branch": {
            "description": "A list of layers, [] for what arrives, or the name of an earlier step.",
            "anyOf": [_ref("steps"), {"type": "string"}, {"type": "object"}],
        },
        "block": {
            "description": "Layers with arguments, used by the block's name as if it were a kind.",
            "type": "object",
            "required": ["layers"],
            "additionalProperties": False,
            "properties": {
                "args": _values("Arguments with their defaults; null marks a required one."),
                "layers": _ref("steps"),
            },
        },
        "expect": _node(Expect, "What the model must come to."),
        "budget": _node(Budget, "The most that the model may cost: check fails beyond it."),
        "variant": {
            "description": "A member of a family.",
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "title": {"type": "string", "description": "The name for a reader."},
                "paper": _node(Paper, "Where it was published."),
                "parameters": _values("Parameters that differ from the family's."),
                "expect": _ref("expect"),
                "budget": _ref("budget"),
            },
        },
        **{f"kind.{cls.kind}": kind_schema(cls) for cls in classes},
        **{f"keras.{kind}": kind_schema(get(kind, "keras")) for kind in KERAS},
    }


def kind_schema(cls: type[Kind]) -> dict[str, Any]:
    """Return the schema of one kind's fields."""
    generated = cls.model_json_schema(mode="validation")
    properties: dict[str, Any] = {}
    for name, info in cls.model_fields.items():
        if name == "branches":
            continue
        found = dict(generated["properties"].get(name, {}))
        found.pop("title", None)
        text = info.description or GLOSSARY.get(name)
        if text:
            found["description"] = text
        properties[name] = found
    result: dict[str, Any] = {
        "description": (inspect.getdoc(cls) or "").split("\n", 1)[0],
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": False,
    }
    if "$defs" in generated:
        result["$defs"] = generated["$defs"]
    required = [name for name, info in cls.model_fields.items() if info.is_required()]
    if required:
        result |= {"required": required, "type": "object"}
    if issubclass(cls, Merge):
        result["additionalProperties"] = _ref("branch")
        return {"anyOf": [result, {"type": "array", "items": _ref("branch")}]}
    return result


def _node(cls: Any, description: str) -> dict[str, Any]:
    generated = cls.model_json_schema()
    return {
        "description": description,
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {key: value for key, value in found.items() if key not in ("title", "default")}
            | {"description": _KEYS[name]}
            for name, found in generated["properties"].items()
        },
        **({"required": generated["required"]} if "required" in generated else {}),
    }


def _values(description: str) -> dict[str, Any]:
    return {"type": "object", "description": description, "additionalProperties": _VALUE}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}
