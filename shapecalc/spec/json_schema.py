"""The JSON Schema of the spec language, made from the kinds themselves, for editors to complete by."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic.json_schema import GenerateJsonSchema

from shapecalc.layers.base import Caller, Kind, Merge
from shapecalc.layers.declaration import positions
from shapecalc.layers.glossary import GLOSSARY
from shapecalc.layers.index import KERAS, ONNX
from shapecalc.layers.registry import FRAMEWORKS, get, kinds
from shapecalc.spec.metadata import Budget, Expect, Paper
from shapecalc.spec.write import plain

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KEYS = {
    "authors": "Who wrote it.",
    "batch": "The batch of the bytes; 1 by default.",
    "buffers": "Numbers that are kept and not trained, such as the statistics of batch normalization.",
    "macs": "Multiply-accumulates of one sample.",
    "memory": "The most bytes alive at once: a number, 8GiB, or an expression.",
    "output": "The output's sizes without the batch, or a mapping of named outputs.",
    "params": "Parameters: for a budget also as 5M, or an expression.",
    "title": "Its title.",
    "trainable_params": "Parameters that are trained.",
    "training": "The optimizer of the training step whose bytes are meant, as adamw; none for inference.",
    "url": "Where it can be read.",
    "year": "When it appeared.",
}
"""What the keys of the smaller parts mean."""
_VALUE = {"type": ["number", "string", "boolean", "array", "null"]}
_STEP_NAME = r"^([A-Za-z_][A-Za-z0-9_]*|[0-9]+(_[0-9]+)?)(\.[A-Za-z0-9_]+)*$"
_FRAMEWORK = "Whose rules the layers follow: torch (the default) or keras, channels last."
_BATCHED = "False where the input's sizes are complete: no batch is put in front of them."
_INPUT = "The input's sizes without the batch, or a mapping of named inputs."
_OUTPUTS = "The steps whose results leave the model; the last step by default."
_CALLED = (
    "What torch calls: a module (the default), a custom module that holds the weights of a function, a "
    "function, or a method. Tools that count costs do not see all of them."
)
_CARRY = "Tensors that each pass reads, with the first of them: a step of that name makes the next pass's."
_USES = "Names of the caller that the block reads."
_POSITIONAL = "The first field, or a list of the first ones in torch's order."
_IGNORE = "Codes of warnings and notes that are not reported for the model."
_BRANCH = "A list of layers, [] for the input itself, or the name of an earlier step."


_STEPS = {"$ref": "#/$defs/steps"}
_STRUCTURES = {
    "layers": _STEPS | {"description": "Layers as one step, as `sequential` has them."},
    "sequential": _STEPS | {"description": "Layers, one after the other, as one step."},
    "side": _STEPS | {"description": "Layers beside the trunk: their result is an output."},
}


def schema() -> dict[str, Any]:
    """Return the schema; every registered kind is in it with its fields and their descriptions."""
    properties = {
        "name": _type("string", "The name of the model."),
        "title": _type("string", "The name for a reader."),
        "description": _type("string", "What a reader should know."),
        "paper": _node(Paper, "Where the architecture was published."),
        "framework": {"enum": list(FRAMEWORKS), "description": _FRAMEWORK},
        "batched": _type("boolean", _BATCHED),
        "parameters": _mapping(_VALUE, "Named numbers, words, truth values or lists, with their defaults."),
        "input": _any_of(_INPUT, _ref("shape"), _mapping(_ref("shape"))),
        "blocks": _mapping(_ref("block"), "Layer lists with arguments, to be used as kinds."),
        "layers": _ref("steps"),
        "outputs": _any_of(_OUTPUTS, _list(_type("string")), _mapping(_type("string"))),
        "expect": _ref("expect"),
        "budget": _ref("budget"),
        "ignore": _any_of(_IGNORE, _type("string"), _list(_type("string"))),
        "variants": _mapping(_ref("variant"), "Members of a family: the same layers, other parameters."),
    }
    about = "A neural network: parameters, input, blocks and layers."
    model = _object(about, properties, ["input", "layers"])
    return {"$schema": DIALECT, "title": "shapecalc model"} | model | {"$defs": _definitions()}


def step_keys() -> dict[str, str]:
    """Return the keys of a step that are no kinds, with what they mean."""
    return {key: own["description"] for key, own in (_modifiers() | _STRUCTURES).items()}


def _modifiers() -> dict[str, Any]:
    text, texts = _type("string"), _list(_type("string"))
    return {
        "name": _type("string", "The step's name, for paths and references.") | {"pattern": _STEP_NAME},
        "repeat": _any_of(
            "How many times, or loop variables: {i: 4} or {d: depths}.",
            _type("integer") | {"minimum": 0},
            text,
            _type("object"),
        ),
        "carry": _mapping(_VALUE, _CARRY),
        "when": _type(["boolean", "string"], "Leave the step out where this is false."),
        "from": _any_of("The earlier steps whose results are taken.", text, texts),
        "share": _type("string", "The earlier step whose weights are used."),
        "trainable": _type("boolean", "False freezes the weights of the step."),
        "called": {"enum": [*get_args(Caller)], "description": _CALLED},
        "ignore": _any_of("Codes of warnings and notes that are not reported for the step.", text, texts),
    }


def _definitions() -> dict[str, Any]:
    text, texts, modifiers = _type("string"), _list(_type("string")), _modifiers()
    classes = [get(name) for name in (*kinds(), *ONNX)]
    forms = {cls.kind: [_ref(f"kind.{cls.kind}")] for cls in classes}
    for kind in KERAS:
        forms.setdefault(kind, []).append(_ref(f"keras.{kind}"))
    for cls in classes:
        if not issubclass(cls, Merge) and positions(cls):
            forms[cls.kind].append(_positional(cls))
    bodies: dict[str, Any] = {
        kind: {"anyOf": several} if len(several) > 1 else several[0] for kind, several in forms.items()
    }
    bodies |= _STRUCTURES
    # A further key is the name of a block, or of an argument that chooses a kind.
    step = _mapping(_type(["object", "null"])) | {"properties": modifiers | bodies}
    uses = _any_of(_USES, text, texts)
    args = _mapping(_VALUE, "Arguments with their defaults; null marks a required one.")
    block = "Layers with arguments, used by the block's name as if it were a kind."
    variant = {
        "title": _type("string", "The name for a reader."),
        "paper": _node(Paper, "Where it was published."),
        "parameters": _mapping(_VALUE, "Parameters that differ from the family's."),
        "expect": _ref("expect"),
        "budget": _ref("budget"),
    }
    return {
        "shape": _list(_type(["integer", "string"])),
        "steps": _list(_ref("step")) | {"description": "Layers, one after the other."},
        "step": {"anyOf": [_type("string", "A kind or a block without fields."), step]},
        "branch": _any_of(_BRANCH, _ref("steps"), text, _type("object")),
        "block": _object(block, {"args": args, "uses": uses, "layers": _ref("steps")}, ["layers"]),
        "expect": _node(Expect, "What the model must come to."),
        "budget": _node(Budget, "The most that the model may cost: check fails beyond it."),
        "variant": _object("A member of a family.", variant),
        **{f"kind.{cls.kind}": kind_schema(cls) for cls in classes},
        **{f"keras.{kind}": kind_schema(get(kind, "keras")) for kind in KERAS},
    }


def _positional(cls: type[Kind]) -> dict[str, Any]:
    """Return the schema of fields by position: as many as are required, and a single one without brackets."""
    names, fields = positions(cls), cls.model_fields
    least = max((number for number, name in enumerate(names, 1) if fields[name].is_required()), default=0)
    types = ["array", "boolean", "number", "string"] if least <= 1 else ["array"]
    return _type(types, _POSITIONAL) | {"minItems": least, "maxItems": len(names)}


class _Generator(GenerateJsonSchema):
    """Writes defaults as a spec does: a dropout of 0.5, and not of 1/2."""

    def encode_default(self, dft: Any) -> Any:
        return plain(dft)


def kind_schema(cls: type[Kind]) -> dict[str, Any]:
    """Return the schema of one kind's fields."""
    generated = cls.model_json_schema(mode="validation", schema_generator=_Generator)
    properties: dict[str, Any] = {}
    for name, info in cls.model_fields.items():
        if name != "branches":
            own = {
                key: value for key, value in generated["properties"].get(name, {}).items() if key != "title"
            }
            text = info.description or GLOSSARY.get(name)
            properties[name] = own | ({"description": text} if text else {})
    required = [name for name, info in cls.model_fields.items() if info.is_required()]
    result = _object((inspect.getdoc(cls) or "").split("\n", 1)[0], properties, required)
    if not required:
        result["type"] = ["object", "null"]
    if "$defs" in generated:
        result["$defs"] = generated["$defs"]
    if issubclass(cls, Merge):
        result["additionalProperties"] = _ref("branch")
        return {"anyOf": [result, _list(_ref("branch"))]}
    return result


def _node(cls: Any, description: str) -> dict[str, Any]:
    generated = cls.model_json_schema()
    properties = {
        name: {key: value for key, value in own.items() if key not in ("title", "default")}
        | {"description": _KEYS[name]}
        for name, own in generated["properties"].items()
    }
    return _object(description, properties, generated.get("required", ()))


def _object(description: str, properties: Mapping[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    result = _type("object", description) | {"properties": properties, "additionalProperties": False}
    return result | {"required": [*required]} if required else result


def _mapping(values: Mapping[str, Any], description: str = "") -> dict[str, Any]:
    return _type("object", description) | {"additionalProperties": values}


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _any_of(description: str, *schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, "anyOf": [*schemas]}


def _type(name: str | list[str], description: str = "") -> dict[str, Any]:
    return {"type": name} | ({"description": description} if description else {})


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}
