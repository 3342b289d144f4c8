"""The public `Model`: an architecture that can be analyzed, checked, drawn, solved for and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from shapecalc.algebra import Dim
from shapecalc.engine.parameters import Parameters, input_shapes
from shapecalc.errors import DesignError, ShapecalcError, SpecError, quote
from shapecalc.memory.measured_spec import MeasuredSpec
from shapecalc.render.display import Shown
from shapecalc.report.report import Report
from shapecalc.spec.find import is_model_file, locate, read_file, reader_of, short

if TYPE_CHECKING:
    from shapecalc.diagnostics.diagnostic import Diagnostic
    from shapecalc.pictures.cost_plot import DepthPlot, SizePlot
    from shapecalc.pictures.drawing import Drawing
    from shapecalc.render.piece import Page
    from shapecalc.report.derivation import Derivation
    from shapecalc.sizes.agreement import Agreement
    from shapecalc.sizes.answer import Sizes
    from shapecalc.solving.budget_answer import Budget
    from shapecalc.solving.features import Features
    from shapecalc.solving.inputs import Inputs


class Model(Shown, MeasuredSpec):
    """An architecture: parameters, input, blocks and layers, ready to be analysed.

    >>> from shapecalc.layers import Conv2d, Flatten, Linear, ReLU
    >>> model = Model(
    ...     name="small",
    ...     parameters={"H": 28, "W": 28},
    ...     input=[1, "H", "W"],
    ...     layers=[
    ...         Conv2d(out_channels=8, kernel_size=3, stride=2),
    ...         ReLU(),
    ...         Flatten(),
    ...         Linear(out_features=10),
    ...     ],
    ... )
    >>> model.analyze().params
    13610
    >>> model.analyze(symbolic=("H", "W")).nodes[0].output
    (1, 8, ⌈H/2⌉ - 1, ⌈W/2⌉ - 1)
    """

    @overload
    def analyze(
        self,
        *,
        input: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
        batch: int | None = 1,
        symbolic: Literal[False] = False,
        dtype: str = "float32",
        count: str | None = None,
        convention: str | None = None,
        **parameters: Any,
    ) -> Report[int]: ...
    @overload
    def analyze(
        self,
        *,
        input: Any = None,
        batch: Dim | None = 1,
        symbolic: bool | str | Iterable[str] = False,
        dtype: str = "float32",
        count: str | None = None,
        convention: str | None = None,
        **parameters: Any,
    ) -> Report: ...
    def analyze(
        self,
        *,
        input: Any = None,  # noqa: A002  (the word that a spec uses)
        batch: Dim | None = 1,
        symbolic: bool | str | Iterable[str] = False,
        dtype: str = "float32",
        count: str | None = None,
        convention: str | None = None,
        **parameters: Any,
    ) -> Report:
        """Infer shapes, parameters and cost of every layer.

        `input` is a shape without the batch axis, or a shape per named input. `batch=None` adds no batch
        axis (never added where the spec says `batched: false`). `symbolic` names the sizes left free,
        `"batch"` included; True frees every name in the input's shape. `count` is the framework whose
        parameter count is reported, by default the spec's: Keras counts the statistics of batch
        normalization as non-trainable parameters, torch as buffers. `convention` is the counting rule of
        `Report.cost`, by default multiply-accumulates. Other keywords set parameters of the spec.

        Raises `ShapeError` where the model does not hold, `SpecError` where an argument is invalid, and
        `Undecided` where the answer depends on the values of free sizes.
        """
        try:
            inference, inputs = self.infer_at(input, batch, symbolic, parameters)
        except RecursionError:
            raise SpecError("the model, or a value in it, is nested too deep", place=self.place) from None
        if (inference := self.graphs.recorded(inference, inputs)).failures:
            raise inference.failures[0].error(tuple(inference.failures))
        counting = self.framework if count is None else count
        return Report(self.name, self.title, inference, inputs, dtype, counting, convention)

    def derive(
        self,
        *layers: str,
        input: Any = None,  # noqa: A002  (the word that a spec uses)
        batch: Dim | None = 1,
        symbolic: bool | str | Iterable[str] = False,
        count: str | None = None,
        **parameters: Any,
    ) -> Derivation:
        """Derive the numbers of `analyze` step by step, for all layers or for the given paths.

        `layers` are paths of layers or blocks; the other arguments are those of `analyze`.

        >>> step = load("lenet5").derive("c3").layers[0].macs[0]
        >>> step.formula, step.inserted, step.result
        ('C_out·H_out·W_out·C_in·k·k', '16·10·10·6·5·5', '240,000')
        """
        report = self.analyze(input=input, batch=batch, symbolic=symbolic, count=count, **parameters)
        return report.derive(*layers)

    def draw(
        self,
        *,
        style: str = "graph",
        depth: int | None = None,
        direction: str | None = None,
        max_height: int | None = None,
        input: Any = None,  # noqa: A002  (the word that a spec uses)
        symbolic: bool | str | Iterable[str] = False,
        **parameters: Any,
    ) -> Drawing:
        """Draw the `graph` of layers and blocks, or the feature maps as `volumes` to scale.

        `depth` or `max_height` folds blocks, `direction` is `down` or `right`; the rest is as in `analyze`.

        >>> print(load("lenet_300_100").draw(depth=1).mermaid().splitlines()[3])
          b0(["input<br/>1x28x28"]):::input
        """
        from shapecalc.pictures.drawing import Drawing

        report = self.analyze(input=input, symbolic=symbolic, **parameters)
        return Drawing(report, style, depth, direction, max_height)

    def plot(
        self,
        *others: Model,
        against: str = "depth",
        between: tuple[int, int] | None = None,
        rebuild: bool = False,
        **parameters: Any,
    ) -> DepthPlot | SizePlot:
        """Plot the costs of this network and others, along the depth or against the input size.

        Against `"size"` all free sides of the input are equal, over the range `between` (half to twice the
        default); sizes outside `sizes(rebuild=rebuild)` are marked as illegal. `parameters` are set in each.

        >>> load("lenet5").plot(load("lenet_300_100")).chart.series
        ['lenet5', 'lenet_300_100']
        """
        from shapecalc.pictures.cost_plot import plot

        return plot((self, *others), against, between, parameters, rebuild=rebuild)

    def check(
        self,
        *,
        input: Any = None,  # noqa: A002  (the word that a spec uses)
        max_params: int | str | None = None,
        max_macs: int | str | None = None,
        ignore: Iterable[str] = (),
        **parameters: Any,
    ) -> list[Diagnostic]:
        """Return the diagnostics of the model: errors with re-checked fixes, then warnings and notes.

        Every independent error is reported in one run. When there is no other, exceeding a budget is an error
        (the spec's `budget`, or `max_params` and `max_macs`, 5000000 or "5M", in its place), and so is not
        meeting what the spec's `expect` says of its own input and parameters.
        Warnings and notes of the codes in `ignore` are left out, as are those that the spec ignores.

        >>> model = load("lenet5")
        >>> [diagnostic.code for diagnostic in model.check(input=(1, 8, 8))]
        ['too-small']
        >>> model.check(max_params="60K")[0].code
        'budget'
        """
        from shapecalc.diagnostics.budget import limits, over_budget, over_memory
        from shapecalc.diagnostics.diagnostic import gathered
        from shapecalc.diagnostics.expectation import unmet

        values = Parameters(self, parameters)
        input_shapes(self, values, input, 1)  # binds the parameters that the input's shape names
        allowed = limits(self, values, {"params": max_params, "macs": max_macs})
        diagnostics, report = self.findings(input, parameters, ignore)
        if any(diagnostic.severity == "error" for diagnostic in diagnostics):
            from shapecalc.repair.repair import repaired

            return repaired(self, loads, diagnostics, input, parameters)
        costs = [*unmet(self, report), *over_budget(report, allowed), *over_memory(self, input, parameters)]
        return gathered([*(each.diagnostic() for each in costs), *diagnostics])

    def validate_design(self, *, strict: bool = False, **options: Any) -> list[Diagnostic]:
        """Raise `DesignError` if `check` reports an error; return its warnings and notes otherwise.

        With `strict`, a warning raises too. The other options are those of `check`. The exception has all
        `diagnostics`, and its text is what `shapecalc check` prints.

        >>> load("lenet5").validate_design()
        []
        >>> load("lenet5").validate_design(max_params="60K")
        Traceback (most recent call last):
        ...
        shapecalc.errors.DesignError: error[budget]: 61,706 parameters are more than the 60,000 allowed; ...
        """
        diagnostics = self.check(**options)
        refused = {"error", "warning"} if strict else {"error"}
        if any(diagnostic.severity in refused for diagnostic in diagnostics):
            raise DesignError(diagnostics)
        return diagnostics

    def findings(
        self, given: Any, values: Mapping[str, Any], ignore: Iterable[str] = ()
    ) -> tuple[list[Diagnostic], Report]:
        """Return the diagnostics of `check` without budgets and fixes, and their report. Internal."""
        from shapecalc.diagnostics.run_checks import findings
        from shapecalc.sizes.question import Question

        inference, inputs = self.infer_at(given, 1, symbolic=False, values=values)
        report = Report(self.name, self.title, inference, inputs, counting=self.framework)
        return findings(self, report, inference.failures, Question(self, given, values), ignore), report

    def sizes(
        self,
        *,
        input: Any = None,  # noqa: A002  (the word that a spec uses)
        rebuild: bool = False,
        outputs: str = "main",
        free: Iterable[str] | None = None,
        **parameters: Any,
    ) -> Sizes:
        """Return the exact set of input sizes that the network, as built at its defaults, accepts.

        `input` and `parameters` are the sizes it is built for. With `rebuild` it is built for each size, so
        inferred weights may change. `outputs` is `"main"` or `"all"`: a side output that is not requested
        imposes no condition. `free` names the unknowns, by default every size but the channels.

        Raises `Undecided` where the set has no exact answer.

        >>> sizes = load("alexnet").sizes()
        >>> (63, 63) in sizes, (62, 63) in sizes, sizes.imposed[0].path
        (True, False, 'pool5')
        """
        from shapecalc.sizes.answer import legal_sizes
        from shapecalc.sizes.question import Question

        chosen = None if free is None else tuple(free)
        return legal_sizes(Question(self, input, parameters, rebuild, outputs, chosen))

    @overload
    def solve(
        self, *, output: int | Sequence[int], at: str | None = None, rebuild: bool = False, **given: Any
    ) -> Inputs: ...
    @overload
    def solve(self, *, params: int, free: str | Sequence[str], **given: Any) -> Budget: ...
    @overload
    def solve(self, *, macs: int, free: str | Sequence[str], **given: Any) -> Budget: ...
    @overload
    def solve(self, *, memory: int, free: str | Sequence[str], **given: Any) -> Budget: ...
    @overload
    def solve(self, *, in_features: str | bool, **given: Any) -> Features: ...
    def solve(self, **given: Any) -> Inputs | Budget | Features:
        """Solve an inverse question; the keyword decides which.

        `output=(7, 7)`, optionally `at` a layer or block: exactly the input sizes that give this output size,
        with the conditions of all layers up to there. `params=` or `macs=` with `free`: the value of a
        parameter (`"width"`, `"depths[2]"`, or several tied ones, `("H", "W")`) that meets the amount, or the
        nearest; `multiple_of`, `between` and `aim` (`nearest`, `at_most`, `at_least`) restrict the values.
        `memory=` in bytes, with the options of `memory`: at most so many, `free="batch"` for instance.
        `in_features=True`, or a layer or block: what linear layers need, derived from the flatten. `input`
        and spec parameters are the sizes it is built for, as in `sizes`.

        Raises `SpecError` for an unknown layer or parameter and for a cost that does not depend on `free`,
        `Undecided` where there is no exact answer.

        >>> inputs = load("resnet50").solve(output=(7, 7), at="stage4")
        >>> inputs.result, (193, 224) in inputs, (192, 224) in inputs
        ((1, 2048, ⌈H/32⌉, ⌈W/32⌉), True, False)
        >>> load("densenet121").solve(params=5_000_000, free="growth", multiple_of=8).answer
        Hit(amount=4697992, values=(24,))
        >>> print(load("lenet5").solve(in_features="c5")["c5"])
        c5: in_features = 16·5·5 = 400; for any size 16·(⌊H/4⌋ - 3)·(⌊W/4⌋ - 3)
        """
        from shapecalc.solving.ask import answer

        return answer(self, self.analyze, self.memory, given)

    def agreement(self, other: Model, **parameters: Any) -> Agreement:
        """Decide for every input size whether two networks have equal output shapes and legal sizes.

        Raises `Undecided` where it cannot be decided.

        >>> proof = load("resnet50").agreement(load("resnext50_32x4d"))
        >>> proof.is_whole
        True
        >>> print(load("resnet18").agreement(load("vgg16")).accepted)
        at H = 1, W = 1 the left puts out 1000, the right nothing (refused)
        """
        from shapecalc.sizes.agreement import agreement
        from shapecalc.sizes.question import Question

        return agreement(Question(self, values=parameters), Question(other, values=parameters))

    def _page(self) -> Page:
        """Return the report at the defaults, or its error."""
        from shapecalc.render.piece import Paragraph, Strong, Verbatim

        try:
            return self.analyze()._page()  # noqa: SLF001  (one protocol)
        except ShapecalcError as error:
            return Paragraph((Strong(self.title or self.name), f" ({self.name})")), Verbatim(str(error))


def load(source: str | Path | Mapping[str, Any]) -> Model:
    """Load a model by bundled name, by file path, or from a plain mapping.

    A file with the suffix `.onnx` is read as `from_onnx` does.

    >>> load("lenet5").analyze().params
    61706
    """
    if isinstance(source, Mapping):
        from shapecalc.spec.read import read

        return read(source, Model)
    if not isinstance(source, (str, Path)):
        raise SpecError(f"a model is a name, a path or a mapping, not {quote(source)}")
    path, variant = locate(source) if isinstance(source, str) else (source, None)
    is_text = not is_model_file(path)
    model: Model = loads(read_file(path), file=short(path)) if is_text else reader_of(path)(path)
    return model.variant(variant) if variant else model


def loads(text: str, *, file: str | None = None) -> Model:
    """Load a model from YAML or JSON text; `file` is the name shown in errors."""
    return Model.from_text(text, file)
