"""The Keras counterparts of recurrent layers and cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from shapecalc.bridges.counterpart import K
from shapecalc.bridges.keras.keras_layer import KerasLayer, Operand, layer_in, operands_in
from shapecalc.bridges.keras.keras_twins import NAMES, Fields, KerasTwin, Shapes, layer_of, twin_of
from shapecalc.layers.keras_cells import KerasCell, KerasRNNOfCells
from shapecalc.layers.keras_conv_lstm import KerasConvLSTM
from shapecalc.layers.keras_recurrent import FUNCTIONS, KerasRecurrent


class GatedTwin(KerasTwin[K]):
    """What has gates, whose functions are its own."""

    names: ClassVar[Mapping[str, str]] = {
        **NAMES,
        "hidden_size": "units",
        "nonlinearity": "activation",
        "recurrent_nonlinearity": "recurrent_activation",
    }
    activation: ClassVar[str] = ""

    def read(self, layer: KerasLayer) -> Fields | None:
        fields = super().read(layer)
        functions = [value for name, value in (fields or {}).items() if name.endswith("nonlinearity")]
        is_stateful = layer.config.get("stateful")  # the states are among the weights
        return None if is_stateful or any(name not in FUNCTIONS for name in functions) else fields


class CellTwin(GatedTwin[KerasCell]):
    """One step of a recurrent layer."""


class OverStepsTwin(GatedTwin[K]):
    """A layer that goes through a sequence, whose initial states are given by name."""

    def operands(self, layer: KerasLayer) -> tuple[Operand, ...] | None:
        named = {name: value for name, value in layer.kwargs.items() if name != "mask"}
        if any(name != "initial_state" and any(operands_in(value)) for name, value in named.items()):
            return None
        return (*operands_in(layer.args), *operands_in(named))


class ConvLSTMTwin(OverStepsTwin[KerasConvLSTM]):
    """Its arguments have the names of those of a convolution, and of an LSTM."""


class RecurrentTwin(OverStepsTwin[KerasRecurrent]):
    """One layer in one direction; both are a layer around it."""

    def layer(self, fields: Fields, shapes: Shapes) -> Any:
        import keras

        one = super().layer(fields, shapes)
        return keras.layers.Bidirectional(one) if fields.get("bidirectional") else one

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        arguments = super().arguments(fields, shapes)
        del arguments["bidirectional"]
        return arguments


class RNNOfCellsTwin(OverStepsTwin[KerasRNNOfCells]):
    """A layer of cells, of which Keras takes one or a list."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        arguments = super().arguments(fields, shapes)
        del arguments["cells"]
        cells, x = [], (shapes[0][0], shapes[0][-1])
        for cell in fields["cells"]:
            cells.append(twin_of(cell).layer(cell.fields_set(), (x,)))
            x = (x[0], cell.hidden_size)
        return arguments | {"cell": cells[0] if len(cells) == 1 else cells}

    def read(self, layer: KerasLayer) -> Fields | None:
        fields, one = super().read(layer), layer.inner("cell")
        stacked = one.config["cells"] if one.class_name == "StackedRNNCells" else [layer.config["cell"]]
        cells = [layer_of(layer_in(cell)) for cell in stacked]
        return None if fields is None or None in cells else {**fields, "cells": tuple(cells)}
