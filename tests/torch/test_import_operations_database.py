"""Operations of torch's own database, imported at one size and requested at others, against real runs.

What an import answers is what torch gives for numbers on the CPU; it may refuse. `SAMPLES` raises the number of
samples an operation, for a hunt by hand.
"""

from __future__ import annotations

import os

import pytest

from shapecalc import ShapecalcError
from shapecalc.bridges.torch.tracer import function_rules
from shapecalc.bridges.torch.tracer.witness import ModuleWitness
from shapecalc.layers import Elementwise
from tests.support.op_samples import Sample, by_model, operations, other_shapes, samples

SAMPLES = int(os.environ.get("SHAPECALC_SAMPLES", "3"))
GROUPS = 60

OF_VALUES = (
    "in valid range",
    "index_size",
    "is not in the valid range",
    "out of bounds",
    "out of range",
    "positive-definite",
    "singular",
)
"""In refusals by the values of a tensor, such as an index that is a constant; a shape says nothing of them."""
UNCHECKED_WITHOUT_MEMORY = {
    "_native_batch_norm_legit": "statistics that are not returned in evaluation",
    "_softmax_backward_data": "a gradient of another size",
    "gradient": "an axis shorter than its order",
    "index_put": "a mask of another size",
    "linalg.householder_product": "more reflections than rows",
    "lu_unpack": "pivots of another size",
    "multinomial": "more samples than categories",
    "native_batch_norm": "statistics that are not returned in evaluation",
    "nn.functional.batch_norm": "one value per channel in training",
    "nn.functional.linear_cross_entropy": "chunks of the batch",
}
"""What torch itself gives without memory and refuses with numbers, or gives otherwise."""


def questions(sample: Sample) -> list[tuple[int, ...]]:
    shape = tuple(sample.x.shape)
    seed = f"{sample.name}{shape}"
    return [shape, (shape[0] + 1, *shape[1:]), (1, *shape[1:]), *other_shapes(shape, 4, seed)]


def differences(sample: Sample, *, batched: bool) -> list[str]:
    """Return how the answers of an import differ from torch's, none where it is refused."""
    try:
        model = sample.imported(batched=batched)
    except ShapecalcError:
        return []
    witness, model.graphs.witness = model.graphs.witness, None
    different = []
    for shape in questions(sample):
        ours = by_model(model, shape, batched=batched)
        theirs = None if ours is None else sample.by_torch(shape)
        of_values = isinstance(theirs, str) and any(words in theirs for words in OF_VALUES)
        if ours != theirs and not of_values:
            model.graphs.witness = witness  # which may refuse what the tracer has wrong
        if ours != theirs and not of_values and by_model(model, shape, batched=batched) is not None:
            different.append(f"{sample.name} {tuple(sample.x.shape)} at {shape}: {ours}, torch's {theirs}")
    return different


@pytest.mark.sample(2)
@pytest.mark.parametrize("group", range(GROUPS))
def test_no_answer_is_wrong(group: int) -> None:
    wrong = [
        difference
        for name in sorted({op.name for op in operations()})[group::GROUPS]
        if name not in UNCHECKED_WITHOUT_MEMORY
        for sample in samples(name, SAMPLES)
        if not isinstance(sample.by_torch(tuple(sample.x.shape)), str)
        for batched in ((True, False) if sample.x.dim() > 1 else (False,))
        for difference in differences(sample, batched=batched)
    ]
    assert wrong == []


def test_a_wrong_answer_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    pointwise = Elementwise(function="relu")
    monkeypatch.setitem(function_rules.RULES, "rot90", lambda call: call.ends(pointwise, call.input))
    sample = next(sample for sample in samples("rot90", 1))
    assert differences(sample, batched=False) == []  # the module itself has run at other sizes
    monkeypatch.setattr(ModuleWitness, "confirm", lambda *_: "")
    assert differences(sample, batched=False)
