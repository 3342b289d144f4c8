"""The house plan: who may import whom, what stays out of memory, and that names and texts are complete.

For every proof that something is absent there is one that the proof can fail.
"""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import Any

import grimp
import pytest

import shapecalc
from shapecalc import layers
from shapecalc.layers.base import Joint, Kind, Layer
from shapecalc.layers.glossary import GLOSSARY
from shapecalc.layers.index import KERAS, KINDS, ONNX
from shapecalc.layers.keras_wrapper import KerasAround
from shapecalc.layers.registry import RESERVED
from shapecalc.layers.wrapper import Wrapper

ROOT = Path(__file__).resolve().parents[2]
FLOORS = (
    "cli",
    "ext",
    "embedding",
    "arguments",
    "console",
    "testing",
    "page",
    "bridges",
    "model",
    "solving",
    "repair",
    "diagnostics",
    "pictures",
    "views",
    "memory",
    "report",
    "sizes",
    "conventions",
    "engine",
    "spec",
    "layers",
    "render",
    "algebra",
    "atomic_write",
    "errors",
    "record",
)
"""From the roof down: each may import what is below it, and nothing above."""


# ---- who may import whom


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Return every import of the package, those inside functions included, those for types left out."""
    return grimp.build_graph("shapecalc", exclude_type_checking_imports=True, cache_dir=None)


def upward(graph: grimp.ImportGraph) -> list[str]:
    found = graph.find_illegal_dependencies_for_layers(layers=FLOORS, containers={"shapecalc"})
    return sorted(f"{one.importer} imports {one.imported}" for one in found)


def test_nothing_knows_what_is_above_it(graph: grimp.ImportGraph) -> None:
    assert upward(graph) == []


def test_every_module_has_its_floor(graph: grimp.ImportGraph) -> None:
    top = {module.split(".")[1] for module in graph.modules if module.count(".") >= 1}
    assert top == {*FLOORS, "__main__"}


def test_the_house_has_no_cellar(graph: grimp.ImportGraph) -> None:
    """The lowest floor imports nothing of the package."""
    assert graph.find_modules_directly_imported_by("shapecalc.record") == set()


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("shapecalc.errors", "shapecalc.algebra.expr"),
        ("shapecalc.record", "shapecalc.errors"),
        ("shapecalc.layers.conv", "shapecalc.spec.tree"),
        ("shapecalc.spec.find", "shapecalc.engine.graph"),
        ("shapecalc.engine.evaluate", "shapecalc.report.report"),
        ("shapecalc.views.layer_table", "shapecalc.model"),
        ("shapecalc.model", "shapecalc.cli"),
        ("shapecalc.views.layer_table", "shapecalc.pictures.scene"),
        ("shapecalc.report.report", "shapecalc.views.layer_table"),
        ("shapecalc.pictures.cost_plot", "shapecalc.model"),
        ("shapecalc.sizes.answer", "shapecalc.solving.inputs"),
        ("shapecalc.solving.ask", "shapecalc.model"),
        ("shapecalc.model", "shapecalc.bridges.torch.twins.build_layer"),
        ("shapecalc.bridges.torch.twins.build_layer", "shapecalc.cli"),
        ("shapecalc.model", "shapecalc.page.page_writer"),
        ("shapecalc.render.html_writer", "shapecalc.layers.base"),
        ("shapecalc.sizes.answer", "shapecalc.report.report"),
        ("shapecalc.embedding.document", "shapecalc.cli.run_command"),
        ("shapecalc.ext.sphinx", "shapecalc.cli"),
    ],
)
def test_an_import_from_above_is_noticed(graph: grimp.ImportGraph, importer: str, imported: str) -> None:
    broken = deepcopy(graph)
    broken.add_import(importer=importer, imported=imported)
    assert upward(broken)


RINGS: tuple[set[str], ...] = ({"spec.dialect", "spec.tree"},)
"""Modules that import each other, by an import inside a function. The list only shrinks."""


def rings(graph: grimp.ImportGraph) -> list[set[str]]:
    """Return the modules that import each other in a circle, imports inside functions included."""
    behind = {module: graph.find_upstream_modules(module) for module in graph.modules}
    found = {
        frozenset({module, *(other for other in behind[module] if module in behind[other])})
        for module in graph.modules
    }
    return [{name.removeprefix("shapecalc.") for name in ring} for ring in found if len(ring) > 1]


def test_no_modules_import_each_other(graph: grimp.ImportGraph) -> None:
    assert [ring for ring in rings(graph) if not any(ring <= known for known in RINGS)] == []


def test_a_ring_of_imports_is_noticed(graph: grimp.ImportGraph) -> None:
    from copy import deepcopy

    broken = deepcopy(graph)
    broken.add_import(importer="shapecalc.algebra.roots", imported="shapecalc.algebra.relation")
    assert any({"algebra.roots", "algebra.relation", "algebra.expr"} <= ring for ring in rings(broken))


def outside(graph: grimp.ImportGraph, module: str) -> set[str]:
    """Return the rooms that import a framework."""
    return set(graph.find_modules_that_directly_import(module))


def test_torch_is_imported_only_in_its_bridge() -> None:
    graph = grimp.build_graph(
        "shapecalc", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )
    others = {one for one in outside(graph, "torch") if not one.startswith("shapecalc.bridges.torch")}
    assert others == {"shapecalc.testing"}  # which holds a kind to torch only when it is asked to
    assert outside(graph, "torch") > others


def test_keras_is_imported_only_in_its_bridge() -> None:
    graph = grimp.build_graph(
        "shapecalc", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )
    assert {one for one in outside(graph, "keras") if not one.startswith("shapecalc.bridges.keras.")} == set()
    assert outside(graph, "keras")


def test_onnx_is_imported_only_in_its_bridge() -> None:
    graph = grimp.build_graph(
        "shapecalc", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )
    assert outside(graph, "onnx")
    assert {one for one in outside(graph, "onnx") if not one.startswith("shapecalc.bridges.onnx")} == set()


def test_documentation_tools_are_imported_only_in_their_room() -> None:
    graph = grimp.build_graph(
        "shapecalc", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )
    for module in ("docutils", "sphinx", "mkdocs"):
        rooms = {one for one in outside(graph, module) if not one.startswith("shapecalc.ext.")}
        assert rooms == set(), module
    assert outside(graph, "docutils")


# ---- what stays out of memory

HEAVY = (
    *("torch", "torchvision", "transformers", "keras", "tensorflow", "jax", "onnx"),
    *("sympy", "numpy", "scipy", "pandas", "polars", "narwhals", "rich", "hypothesis", "pytest"),
    *("docutils", "sphinx", "mkdocs", "markdown", "IPython"),
    *("pygraphviz", "resvg_py"),
)


def loaded(code: str, *names: str) -> set[str]:
    """Return which of these modules a fresh interpreter holds after running the code."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{code}\nimport sys\nprint('|', *(n for n in {names!r} if n in sys.modules))",
        ],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        check=True,
    )
    return set(done.stdout.rpartition("|")[2].split())


def command(arguments: str) -> str:
    return f"from shapecalc.cli import main\nmain({arguments.split()!r}, standalone_mode=False)"


COMMANDS = [
    "show lenet5 --format json",
    "show lenet5 --symbolic --format json",
    "show resnet50",
    "show lenet5 --free H --format latex",
    "list",
    "kinds",
    "schema",
    "diff resnet18 resnet34",
    "sizes alexnet",
    "solve window 56 28",
    "solve mirror max_pool2d kernel_size=2",
    "solve input alexnet 6x6 --at pool5",
    "solve budget lenet5 --params 60K --free H=W",
    "solve features alexnet",
    "derive lenet5 --symbolic",
    "derive lenet5 --format latex",
    "derive lenet5 --format html",
    "value resnet50 params",
    "embed --check README.md",
    "verify --help",
    "html lenet5 --picture volumes",
    "draw lenet5",
    "draw lenet5 --style volumes",
    "plot lenet5",
    "plot lenet5 --against size",
]


def test_no_command_loads_anything_heavy() -> None:
    """One after the other in one process, since what is loaded stays."""
    assert loaded("\n".join(map(command, COMMANDS)), *HEAVY) == set()


LOADS_FRAMEWORKS = {"bridges": "torch", "ext": "docutils"}
"""Rooms whose modules import what they connect to."""


def every_module(room: str) -> str:
    """Return code that imports all modules of a room."""
    return "import " + ", ".join(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for place in (ROOT / "shapecalc" / f"{room}.py", ROOT / "shapecalc" / room)
        for path in ([place] if place.is_file() else sorted(place.rglob("*.py")))
    )


def test_no_room_loads_anything_heavy() -> None:
    """Only the module of the algebra that converts to sympy and back does."""
    others = sorted({*FLOORS} - {*LOADS_FRAMEWORKS, "algebra"})
    assert loaded("\n".join(map(every_module, others)), *HEAVY) == set()
    assert loaded(every_module("algebra"), *HEAVY) == {"sympy"}


@pytest.mark.parametrize("room", [pytest.param("bridges", marks=pytest.mark.ci), "ext"])
def test_a_heavy_import_of_a_room_is_noticed(room: str) -> None:
    assert LOADS_FRAMEWORKS[room] in loaded(every_module(room), *HEAVY)


def test_only_the_writer_of_a_form_is_loaded() -> None:
    names = [f"shapecalc.render.{form}_writer" for form in ("text", "markdown", "latex", "html", "rst")]
    assert loaded(command("show lenet5 --format json"), "shapecalc.views.layer_table", *names) == set()
    assert loaded(command("show lenet5 --format csv"), "shapecalc.views.layer_table", *names) == set()
    assert loaded(command("show lenet5"), *names) == {names[0]}
    assert loaded(command("show lenet5 --format markdown"), *names) == {names[1]}


def test_only_the_kinds_of_a_network_are_loaded() -> None:
    modules = ["linear", "pool", "activation", "attention", "conv_transpose", "keras_conv", "resample"]
    names = [f"shapecalc.layers.{module}" for module in modules]
    assert loaded(command("show lenet5 --format json"), *names) == {
        "shapecalc.layers.activation",
        "shapecalc.layers.linear",
        "shapecalc.layers.pool",
    }


def test_what_a_plain_table_has_no_use_for_is_not_loaded() -> None:
    kinds = [f"shapecalc.layers.{module}" for module in ("wrapper", "separable_conv", "rectifier", "table")]
    fields = ["shapecalc.engine.receptive", "shapecalc.engine.alignment"]
    assert loaded(command("show resnet50"), *kinds, *fields, "shapecalc.engine.loops") == set()
    assert loaded(command("show resnet50 --receptive-fields"), *fields) == {*fields}


def test_formulas_are_remembered_only_where_they_are_told() -> None:
    names = ["shapecalc.algebra.provenance", "shapecalc.algebra.term", "shapecalc.report.derivation"]
    assert loaded(command("show lenet5 --symbolic"), *names) == set()
    assert loaded(command("derive lenet5"), *names) == {*names}


def test_importing_the_package_costs_next_to_nothing() -> None:
    assert loaded("import shapecalc", "pydantic", "yaml", "click", "ast", "shapecalc.model", *HEAVY) == set()
    assert loaded("import shapecalc; shapecalc.__version__; dir(shapecalc)", "pydantic", "yaml") == set()


def test_a_model_without_yaml_loads_no_yaml() -> None:
    code = "from shapecalc.layers import Linear\nprint(Linear(out_features=3).output((1, 4)))"
    assert loaded(code, "yaml", "shapecalc.model", "shapecalc.engine.expand") == set()


def test_the_proofs_of_absence_can_fail() -> None:
    """What they look for is there once it is asked for."""
    assert loaded("import shapecalc; shapecalc.load('lenet5')", "pydantic", "yaml") == {"pydantic", "yaml"}
    assert loaded("import shapecalc; shapecalc.symbol('n').sympy()", "sympy") == {"sympy"}
    assert loaded("import shapecalc, sympy; sympy.sympify(shapecalc.symbol('n'))", *HEAVY) == {"sympy"}
    assert loaded(command("list") + "\nimport numpy", *HEAVY) == {"numpy"}


# ---- names


def test_public_names_are_sorted_and_all_there() -> None:
    assert shapecalc.__all__ == sorted(shapecalc.__all__)
    assert len(set(shapecalc.__all__)) == len(shapecalc.__all__)
    assert dir(shapecalc) == shapecalc.__all__
    for name in shapecalc.__all__:
        found = getattr(shapecalc, name)
        assert found is not None
        if inspect.isclass(found) or inspect.isfunction(found):
            assert inspect.getdoc(found), name
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = shapecalc.nope


def test_public_names_are_typed() -> None:
    """What type checkers see is what is there: the imports under TYPE_CHECKING name the same things."""
    source = inspect.getsource(shapecalc)
    typed = source.partition("if TYPE_CHECKING:")[2].partition("\n\n")[0]
    names = {
        name.split(" as ")[-1].strip()
        for line in typed.splitlines()
        if " import " in line
        for name in line.partition(" import ")[2].split(",")
    }
    assert names == set(shapecalc.__all__)


PUBLIC_PACKAGES = {"layers", "ext"}


def test_an_internal_package_says_so() -> None:
    for path in sorted((ROOT / "shapecalc").rglob("__init__.py")):
        parts = path.relative_to(ROOT / "shapecalc").parent.parts
        if parts and parts[0] not in PUBLIC_PACKAGES:
            assert "nternal" in (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""), path


def test_layers_offers_every_kind_and_nothing_else() -> None:
    assert layers.__all__ == sorted(layers.__all__)
    assert dir(layers) == layers.__all__
    found = {getattr(layers, name) for name in layers.__all__}
    assert found == {getattr(import_module(module), name) for module, name in targets()}
    assert len(found) == len(layers.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nope'"):
        _ = layers.Nope


def targets() -> list[tuple[str, str]]:
    """Return the module and the class of every built-in kind."""
    return sorted(
        {
            (target.partition(":")[0], target.partition(":")[2])
            for target in [*KINDS.values(), *KERAS.values(), *ONNX.values()]
        }
    )


def test_the_index_is_up_to_date() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        tool = import_module("index_kinds")
    finally:
        sys.path.remove(str(ROOT / "tools"))
    folder = ROOT / "shapecalc" / "layers"
    assert (folder / "index.py").read_text(encoding="utf-8") == tool.index()
    assert (folder / "index.pyi").read_text(encoding="utf-8") == tool.stub()


# ---- kinds

CLASSES: list[type[Kind]] = [getattr(import_module(module), name) for module, name in targets()]
EVERY_KIND = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


@EVERY_KIND
def test_a_kind_is_named_and_complete(cls: type[Kind]) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", cls.kind)
    assert cls.kind not in RESERVED
    assert not inspect.isabstract(cls)
    assert issubclass(cls, (Layer, Joint, Wrapper, KerasAround))


@EVERY_KIND
def test_a_kind_is_described_in_its_docstring(cls: type[Kind]) -> None:
    """Whole sentences in the first line, a source, and an example that runs as a doctest."""
    doc = inspect.getdoc(cls) or ""
    assert vars(cls).get("__doc__"), "a docstring of its own"
    assert re.search(r"[.:]$", doc.partition("\n")[0])
    assert re.search(r"\bsources?\b", doc, flags=re.IGNORECASE)
    assert "\n>>> " in doc


@EVERY_KIND
def test_a_counterpart_exists_by_its_name(cls: type[Kind]) -> None:
    if cls.torch is None:
        return
    root, *parts = cls.torch.split(".")
    assert root in ("torch", "torchvision")
    found: Any = import_module(root)
    for part in parts:
        found = getattr(found, part)
    assert callable(found)


@EVERY_KIND
def test_every_field_is_described(cls: type[Kind]) -> None:
    for name, info in cls.model_fields.items():
        text = info.description or GLOSSARY.get(name)
        assert text, f"{cls.__name__}.{name} has neither a description nor an entry in the glossary"
        assert text[0].isupper()
        assert text.endswith(".")


def test_the_glossary_holds_no_word_that_nobody_uses() -> None:
    used = {name for cls in CLASSES for name in cls.model_fields}
    assert [name for name in GLOSSARY if name not in used] == []
    assert [*GLOSSARY] == sorted(GLOSSARY)
