"""The outputs that a spec names: steps, and lists of them, whose outputs are numbered."""

from __future__ import annotations

from shapecalc.engine.evaluate import at
from shapecalc.engine.graph_builder import GraphBuilder
from shapecalc.engine.scope import Scope, UnknownSize
from shapecalc.errors import SpecError, Undecided, quote


def named_outputs(builder: GraphBuilder, scope: Scope) -> dict[str, int]:
    """Return the tensors that leave the model by the names under `outputs`; what is wrong is reported."""
    outputs: dict[str, int] = {}
    for name, reference in (builder.spec.outputs or {}).items():
        try:
            found = scope.find(reference)
            numbered = {f"{name}_{number}": item for number, item in enumerate(found.items)}
            for own, item in (numbered if found.is_list else {name: found}).items():
                if own in outputs:
                    raise SpecError(f"two outputs are called {quote(own)}")
                outputs[own] = item.slot
        except UnknownSize:
            continue
        except SpecError as error:
            builder.add_failure(error, "", builder.spec.place.of("outputs", name))
        except Undecided as error:
            raise at(error, "", builder.spec.place.of("outputs", name)) from None
    return outputs
