"""Documents whose figures cannot go stale: what stands between markers is what the commands print."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from docutils import nodes
from docutils.core import publish_doctree
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import shapecalc
from shapecalc.cli import main
from shapecalc.cli.run_command import RUNNABLE, Runner
from shapecalc.embedding import mask
from shapecalc.embedding.document import embedded
from shapecalc.embedding.fit import Output
from shapecalc.embedding.markers import SUFFIXES, regions
from shapecalc.errors import SpecError
from shapecalc.render.markdown_writer import escaped
from tests.support.layer_tables import cells as rows

PARAMS = "25,557,032"
MARKDOWN = """# A network

It has <!-- shapecalc value resnet50 params -->0<!-- /shapecalc --> parameters.

<!-- shapecalc show lenet5 -->
<!-- /shapecalc -->

1. In a list:

   <!-- shapecalc sizes unet --format text -->
   what was there
   <!-- /shapecalc -->

> <!-- shapecalc value lenet5 macs -->
> <!-- /shapecalc -->

An example, `<!-- shapecalc show nothing -->`, is none, nor is

```md
<!-- shapecalc show nothing -->
```
"""
RST = """A network
=========

.. shapecalc show lenet5
   --depth 1
.. /shapecalc

.. shapecalc value resnet50 params as resnet_params
.. /shapecalc

It has |resnet_params| parameters. An example::

    .. shapecalc show nothing

.. note::

   .. shapecalc value lenet5 output
   .. /shapecalc
"""
HTML = """<p>It has <!-- shapecalc value resnet50 params --><!-- /shapecalc --> parameters.</p>
  <!-- shapecalc show lenet5 -->
  <!-- /shapecalc -->
<!-- shapecalc sizes unet --format text -->
<!-- /shapecalc -->
"""
PYTHON = '''"""It has <!-- shapecalc value resnet50 params --><!-- /shapecalc --> parameters."""

NOT_A_DOCSTRING = "<!-- shapecalc show nothing -->"


def é() -> None:
    """Do nothing.

    .. shapecalc show lenet5 --depth 1
    .. /shapecalc
    """
    x = 1
    r"""A docstring of what is above.

    <!-- shapecalc derive lenet5 c1 -->
    <!-- /shapecalc -->
    """
'''
DOCUMENTS = {"a.md": MARKDOWN, "a.rst": RST, "a.html": HTML, "a.py": PYTHON}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["embed", *arguments])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def outside(text: str, name: str) -> list[str]:
    """Return what of a document stands outside its markers, and the markers."""
    edges = [0, *(edge for one in regions(text, name) for edge in (one.start, one.end)), len(text)]
    return [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]


@pytest.mark.sample(8)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_filled_once_and_for_all(here: Path, name: str, ending: str, mark: bytes) -> None:
    path, before = here / name, DOCUMENTS[name].replace("\n", ending)
    path.write_bytes(mark + before.encode())
    assert run("--check", name).exit_code == 1
    assert path.read_bytes() == mark + before.encode()
    first = run(name)
    assert (first.exit_code, first.output) == (0, f"updated {name}\n")
    after = path.read_bytes()
    assert after.startswith(mark + before[:1].encode())
    text = after.removeprefix(mark).decode()
    assert PARAMS in text
    assert outside(text, name) == outside(before, name)
    assert set(re.findall(r"\r?\n", text)) == {ending}
    assert not re.search(r"[ \t]\r?\n", text)
    again = run(name)
    assert (again.exit_code, again.output) == (0, "")
    assert run("--check", name).output == ""
    assert path.read_bytes() == after


def filled(name: str, text: str) -> str:
    document = embedded(text, name, Runner(main))
    assert document.errors == ()
    return document.after


def test_markdown_reads_as_meant() -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(filled("a.md", MARKDOWN))
    assert sum(token.type == "table_open" for token in tokens) == 1
    fences = [token for token in tokens if token.type == "fence"]
    assert [token.info for token in fences] == ["text", "md"]
    assert fences[0].content == f"{shapecalc.load('unet').sizes()}\n"
    assert any(token.type == "inline" and token.content == "416,520" for token in tokens)
    assert f"-->{PARAMS}<!--" in filled("a.md", MARKDOWN)


def test_sizes_stand_in_markdown_as_formulas() -> None:
    text = filled("a.md", "<!-- shapecalc sizes unet_padded -->\n<!-- /shapecalc -->\n")
    assert "\n- $H, W \\equiv 0 \\pmod{16}$\n" in text
    assert "```" not in text


def test_restructured_text_reads_as_meant() -> None:
    tree = publish_doctree(filled("a.rst", RST), settings_overrides={"report_level": 1, "halt_level": 1})
    assert f"It has {PARAMS} parameters" in tree.astext()
    (table,) = tree.findall(nodes.table)
    cells = [[entry.astext() for entry in row.findall(nodes.entry)] for row in table.findall(nodes.row)]
    assert cells[1:] == rows(shapecalc.load("lenet5").analyze(), 1)
    (note,) = tree.findall(nodes.note)
    assert [one.astext() for one in note.findall(nodes.paragraph)] == ["10"]


def test_parts_are_indented_in_every_document() -> None:
    """With spaces that do not break, which are spaces all the same."""
    for name in ("a.rst", "a.md", "a.html"):
        opening, closing = (
            (".. shapecalc show resnet18", ".. /shapecalc")
            if name == "a.rst"
            else (
                "<!-- shapecalc show resnet18 -->",
                MARKERS[1],
            )
        )
        text = filled(name, f"{opening}\n{closing}\n")
        assert "\\xa0" not in text
        assert "batch_norm2d" in text
    tree = publish_doctree(filled("a.rst", ".. shapecalc show resnet18\n.. /shapecalc\n"))
    first = [row[0].astext() for row in tree.findall(nodes.row)]
    assert [text.strip() for text in first[1:]] == [
        row[0] for row in rows(shapecalc.load("resnet18").analyze())
    ]
    assert sum(text.startswith("\N{NO-BREAK SPACE}") for text in first) > 20


def test_html_reads_as_meant() -> None:
    import html5lib

    parsed = html5lib.HTMLParser(namespaceHTMLElements=False).parse(filled("a.html", HTML))
    (pre,) = parsed.iter("pre")
    assert "".join(pre.itertext()) == str(shapecalc.load("unet").sizes())
    (table,) = parsed.iter("table")
    assert [*table.itertext()].count("416,520") == 1


def test_python_stays_python() -> None:
    names: dict[str, object] = {}
    exec(filled("a.py", PYTHON), names)
    found = names["é"].__doc__
    assert found is not None
    assert "::\n\n        LeNet-5, as taught today" in found
    assert names["NOT_A_DOCSTRING"] == "<!-- shapecalc show nothing -->"


def test_the_difference_is_shown(here: Path) -> None:
    (here / "a.md").write_text("x\n<!-- shapecalc value lenet5 params -->\n\n60,000\n\n<!-- /shapecalc -->\n")
    shown = run("--check", "a.md")
    assert shown.exit_code == 1
    assert "\n-60,000\n+61,706\n" in shown.output
    assert shown.output.startswith("--- a.md\n+++ a.md (as printed)\n")


BAD = {
    "<!-- shapecalc show lenet5 -->": ":1:1: the marker is not closed",
    "a\n<!-- shapecalc value a b -->\n<!-- shapecalc show lenet5 -->\n<!-- /shapecalc -->": (
        ":2:1: the marker is not closed before the next one in line 3"
    ),
    "a <!-- /shapecalc -->": ":1:3: this marker closes nothing",
    "<!-- shapecalc -->\n<!-- /shapecalc -->": ":1:1: the marker holds no command",
    "<!-- shapecalc shw a -->\n<!-- /shapecalc -->": "'shw' is not a command that embed runs (did you mean 'show'?)",
    "<!-- shapecalc embed a.md -->\n<!-- /shapecalc -->": "'embed' is not a command",
    "<!-- shapecalc show 'a -->\n<!-- /shapecalc -->": "this is no command line: No closing quotation",
    "<!-- shapecalc show lenet55 -->\n<!-- /shapecalc -->": "did you mean 'lenet5'?",
    "\n<!-- shapecalc show lenet5 --input 1x3x3 -->\n<!-- /shapecalc -->": ":2: shapecalc show lenet5 --input 1x3x3",
    "<!-- shapecalc show - -->\n<!-- /shapecalc -->": "a document has none",
    "<!-- shapecalc show lenet5 --dpeth 1 -->\n<!-- /shapecalc -->": "--dpeth",
    "<!-- shapecalc show -->\n<!-- /shapecalc -->": "Missing argument 'MODEL'",
    "<!-- shapecalc show lenet5; touch x -->\n<!-- /shapecalc -->": "lenet5;",
    "<!-- shapecalc show $(touch x) -->\n<!-- /shapecalc -->": "$(touch",
    "<!-- shapecalc export lenet5 -o x -->\n<!-- /shapecalc -->": "-o writes a file",
    "<!-- shapecalc export lenet5 -ox -->\n<!-- /shapecalc -->": "-o writes a file",
    "<!-- shapecalc export lenet5 --output=x -->\n<!-- /shapecalc -->": "-o writes a file",
    "<!-- shapecalc check x.yaml --fix -->\n<!-- /shapecalc -->": "--fix writes a file",
    "<!-- shapecalc show os:system --set command=1 -->\n<!-- /shapecalc -->": "would be imported and run",
    "<!-- shapecalc diff lenet5 os:system -->\n<!-- /shapecalc -->": "would be imported and run",
    "It has <!-- shapecalc show lenet5 --depth 1 --> <!-- /shapecalc -->": "may not hold --",
    "It has <!-- shapecalc show lenet5 --> <!-- /shapecalc -->": "several lines",
    "<!-- shapecalc value lenet5 parms -->\n<!-- /shapecalc -->": "did you mean 'params'?",
    "<!-- shapecalc value lenet5 params c1 c3 -->\n<!-- /shapecalc -->": "one layer at a time",
    "<!-- shapecalc value lenet5 output unit=M -->\n<!-- /shapecalc -->": "output is no number",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_marker_is_told_with_its_line_and_nothing_changes(here: Path, text: str) -> None:
    (here / "a.md").write_text(text)
    result = run("a.md")
    assert result.exit_code == 2
    assert BAD[text] in result.stderr
    assert result.stderr.startswith("error: a.md:")
    assert "Traceback" not in result.stderr
    assert [path.name for path in here.iterdir()] == ["a.md"]
    assert (here / "a.md").read_text() == text


def test_every_error_of_every_file_is_told_and_good_files_are_written(here: Path) -> None:
    bad = "<!-- shapecalc show a_b -->\n<!-- /shapecalc -->\n\n<!-- shapecalc value lenet5 x -->\n<!-- /shapecalc -->\n"
    (here / "bad.md").write_text(bad)
    (here / "good.md").write_text(MARKDOWN)
    result = run("bad.md", "none.md", "good.md", "a.txt")
    assert result.exit_code == 2
    assert re.findall(r"^error: (\S+?):", result.stderr, re.MULTILINE) == [
        "bad.md",
        "bad.md",
        "none.md",
        "a.txt",
    ]
    assert PARAMS in (here / "good.md").read_text()


def test_other_bad_files(here: Path) -> None:
    (here / "a.md").write_bytes(b"\xff\xfe<!-- shapecalc show lenet5 -->")
    (here / "a.py").write_text("def (: shapecalc")
    (here / "a.txt").write_text("shapecalc")
    assert "the text is not UTF-8" in run("a.md").stderr
    assert "a.py:1: this is not Python" in run("a.py").stderr
    assert ".md" in run("a.txt").stderr
    assert "this is a folder" in run(".").stderr


def test_a_string_is_not_broken_by_what_stands_in_it() -> None:
    text = '"""A.\n\n<!-- shapecalc derive lenet5 c1 -->\n<!-- /shapecalc -->\n"""\n'
    (error,) = embedded(text, "a.py", Runner(main)).errors
    assert 'begin the docstring with r"""' in str(error)
    assert embedded(f"r{text}", "a.py", Runner(main)).errors == ()
    hostile = embedded(f"r{text}", "a.py", lambda words, form: Output('"""\nimport os', "text"))
    assert 'holds """' in str(hostile.errors[0])


def test_an_output_that_holds_a_marker_is_refused() -> None:
    text = "<!-- shapecalc show lenet5 -->\n<!-- /shapecalc -->\n"
    document = embedded(text, "a.md", lambda words, form: Output("<!-- /shapecalc -->", "markdown"))
    assert "holds a marker itself" in str(document.errors[0])
    assert document.after == text


@pytest.mark.parametrize(
    ("form", "name", "expected"),
    [
        ("mmd", "a.md", "```mermaid\n{}\n```"),
        ("svg", "a.md", "{}"),
        ("latex", "a.md", "{}"),
        ("svg", "a.html", "{}"),
        ("text", "a.html", "<pre>{}</pre>"),
        ("json", "a.md", "```json\n{}\n```"),
        ("html", "a.md", "{}"),
        ("rst", "a.rst", "{}"),
        ("json", "a.rst", ".. code-block:: json\n\n    {}"),
    ],
)
def test_every_form_stands_as_a_document_bears_it(form: str, name: str, expected: str) -> None:
    opening, closing = (".. shapecalc show a", ".. /shapecalc") if name == "a.rst" else MARKERS
    document = embedded(f"{opening}\n{closing}\n", name, lambda words, wanted: Output("said", form))
    blank = "" if name == "a.html" else "\n"
    assert document.after == f"{opening}\n{blank}{expected.format('said')}\n{blank}{closing}\n"


MARKERS = ("<!-- shapecalc show a -->", "<!-- /shapecalc -->")


def test_a_module_is_imported_only_when_that_is_allowed(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(here)
    (here / "a_net.py").write_text("from torch import nn\ndef Net():\n    return nn.Linear(3, 4)\n")
    marker = "<!-- shapecalc {} -->\n<!-- /shapecalc -->\n"
    for command in (
        "reconcile lenet5 --against=a_net:Net",
        "reconcile lenet5 --against=folder/a_net.py:Net",
        "show a_net.py:Net --input 3x8x8",
        "reconcile lenet5 --against a_net:Net",
        "diff lenet5 a_net:Net",
        "solve features a_net:Net --input 3",
        "show a_net:Net --input 3",
    ):
        (here / "a.md").write_text(marker.format(command))
        refused = run("a.md")
        assert refused.exit_code == 2
        assert re.search(r"a_net(\.py)?:Net' names an object in a Python module", refused.output)
        assert "a_net" not in sys.modules
    assert run("--python", "a.md").exit_code == 0
    assert "| 4 " in (here / "a.md").read_text()


def test_a_command_in_a_group_is_like_any_other(here: Path) -> None:
    """Its arguments are parsed too: none is standard input, and its output is in the form of the document."""
    (here / "a.md").write_text("<!-- shapecalc solve features - -->\n<!-- /shapecalc -->\n")
    refused = run("a.md")
    assert refused.exit_code == 2
    assert "- is standard input" in refused.output
    window = "<!-- shapecalc solve window 56 28{} -->\n<!-- /shapecalc -->\n"
    assert "\n- `conv2d: {kernel_size: 2, stride: 2}`\n" in filled("a.md", window.format(""))
    assert "```text\n13 settings" in filled("a.md", window.format(" --format text"))


def test_the_mode_and_the_link_of_a_file_stay(here: Path) -> None:
    real, link = here / "real.md", here / "link.md"
    real.write_text(MARKDOWN)
    real.chmod(0o640)
    link.symlink_to(real)
    assert run("link.md").exit_code == 0
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert PARAMS in real.read_text()
    assert sorted(path.name for path in here.iterdir()) == ["link.md", "real.md"]


def test_the_same_text_wherever_it_is_made(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "<!-- shapecalc sizes unet -->\n<!-- /shapecalc -->\n"
    elsewhere = filled("a.md", text)
    monkeypatch.chdir(Path(shapecalc.__file__).parent.parent)
    assert filled("a.md", text) == elsewhere
    assert "(specs/unet.yaml:28:9)" in elsewhere


def test_a_document_changes_nothing_for_the_command_line() -> None:
    """A command that was run for a document has the same help as before."""
    code = (
        "from shapecalc.cli import main\nfrom shapecalc.cli.run_command import Runner\n"
        "Runner(main)(['show', 'lenet5'], 'text')\nmain(['show', '--help'], prog_name='shapecalc')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    printed = CliRunner().invoke(main, ["show", "--help"], prog_name="shapecalc").output
    assert done.stdout.split() == printed.split()  # the widths may differ
    assert "-h, --help" in done.stdout


def test_what_runs_is_what_the_commands_are() -> None:
    from shapecalc.cli import COMMANDS

    assert set(COMMANDS) - set(RUNNABLE) == {"completion", "embed", "html", "init"}


def test_the_hooks_of_pre_commit_are_commands() -> None:
    import yaml

    from shapecalc.cli import COMMANDS

    hooks = yaml.safe_load((Path(shapecalc.__file__).parent.parent / ".pre-commit-hooks.yaml").read_text())
    assert {hook["id"] for hook in hooks} == {"shapecalc-check", "shapecalc-embed"}
    assert all(hook["entry"].split()[1] in COMMANDS for hook in hooks)


READS = "<!-- shapecalc {} -->\n<!-- /shapecalc -->\n"


@pytest.mark.parametrize(
    "command",
    [
        "show {}",
        "show --format json {}",
        "diff lenet5 {}",
        "reconcile {}",
        "value {} params",
        "check lenet5 {}",
        "plot lenet5 {}",
    ],
)
@pytest.mark.parametrize("name", ["secret.yaml", "link.yaml", "docs/../secret.yaml", "secret.yaml:small"])
def test_a_command_reads_files_of_the_documents_folder_only(
    command: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "docs"
    folder.mkdir()
    net = "input: [3, 8, 8]\nlayers: [relu]\nvariants: {small: {}}\n"
    (tmp_path / "secret.yaml").write_text(net)
    (folder / "own.yaml").write_text(net)
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    file = folder / "page.md"

    def embedding(path: str, *options: str) -> Result:
        file.write_text(READS.format(command.format(path)))
        return CliRunner().invoke(main, ["embed", str(file), *options])

    path = "docs/link.yaml" if name == "link.yaml" else name
    refused = embedding(path)
    assert (refused.exit_code, file.read_text()) == (2, READS.format(command.format(path)))
    assert "is a file outside the document's folder" in refused.stderr
    assert embedding("docs/own.yaml").exit_code == 0
    assert embedding(path, "--allow", str(tmp_path)).exit_code == 0


# ---- transcripts

TRANSCRIPT = """# Seen

```console
$ shapecalc value lenet5 params
0
```

> - ```console
>   $ shapecalc derive lenet5 c9
>   ```

````markdown
```console
$ shapecalc value lenet5 params
0
```
````

```console
$ other
0
```

```sh
$ shapecalc value lenet5 params
```

<!-- shapecalc value lenet5 macs -->
<!-- /shapecalc -->
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_transcripts_show_what_a_terminal_would(here: Path, ending: str) -> None:
    path = here / "a.md"
    path.write_bytes(TRANSCRIPT.replace("\n", ending).encode())
    assert run("--transcripts", "a.md").exit_code == 0
    error = CliRunner().invoke(main, ["derive", "lenet5", "c9"]).output
    assert error.startswith("error: ")
    expected = TRANSCRIPT.replace("params\n0\n", "params\n61,706\n", 1)
    expected = expected.replace("c9\n", "c9\n" + "".join(f">   {line}\n" for line in error.splitlines()))
    expected = expected.replace("macs -->\n", "macs -->\n\n416,520\n\n")
    assert path.read_bytes().decode() == expected.replace("\n", ending)
    assert run("--transcripts", "--check", "a.md").exit_code == 0


def test_transcripts_are_left_alone_unless_asked_for(here: Path) -> None:
    (here / "a.md").write_text(TRANSCRIPT)
    assert run("a.md").exit_code == 0
    assert "params\n0\n" in (here / "a.md").read_text()


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("$ shapecalc init\n", ":2: shapecalc init: 'init' is not a command that embed runs"),
        ("$ shapecalc export lenet5 -o x\n", "-o writes a file"),
        ("$ shapecalc check x.yaml --fix\n", "--fix writes a file"),
        ("$ shapecalc show os:system\n", "would be imported and run"),
        ("$ shapecalc show lenet5\n$ shapecalc show vgg16\n", ":2: a block of `console` holds one command"),
        ("$ shapecalc show 'a\n", "this is no command line"),
    ],
)
def test_a_bad_transcript_is_told(here: Path, block: str, said: str) -> None:
    text = f"```console\n{block}```\n"
    (here / "a.md").write_text(text)
    result = run("--transcripts", "a.md")
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr
    assert (here / "a.md").read_text() == text
    assert len([*here.iterdir()]) == 1


def test_a_mistyped_option_is_what_a_terminal_shows(here: Path) -> None:
    (here / "a.md").write_text("```console\n$ shapecalc show lenet5 --dpeth 1\n```\n")
    assert run("--transcripts", "a.md").exit_code == 0
    assert "No such option '--dpeth'" in (here / "a.md").read_text()


# ---- laws

PIECES = st.lists(
    st.sampled_from(
        [
            "text ",
            "\n",
            "\n\n",
            "    ",
            "> ",
            "- ",
            "`",
            "``",
            "```\n",
            "~~~\n",
            "<!-- other -->",
            "<!-- shapecalc value lenet5 params -->1<!-- /shapecalc -->",
            "\n<!-- shapecalc show x -->\nold\n<!-- /shapecalc -->\n",
            "é≥",
            "\r\n",
        ]
    ),
    max_size=12,
).map("".join)


@given(PIECES, st.text(st.sampled_from("ab`~\n|<>*_ ≥"), max_size=20))
def test_doing_it_again_changes_nothing_and_outside_nothing_changes(text: str, printed: str) -> None:
    def say(words: list[str], form: str) -> Output:
        return Output("7" if words[0] == "value" else printed, "text", is_value=words[0] == "value")

    document = embedded(text, "a.md", say)
    if document.errors:
        assert document.after == text
        return
    again = embedded(document.after, "a.md", say)
    assert again.errors == ()
    assert again.after == document.after
    assert outside(document.after, "a.md") == outside(text, "a.md")


@given(st.text(st.sampled_from("ab`~> -\n:.\t\r<!"), max_size=40))
def test_a_mask_keeps_every_place(text: str) -> None:
    for fence in mask.fences(text):
        assert 0 <= fence.start <= fence.body[0] <= fence.body[1] <= fence.end <= len(text)
        assert text[fence.start : fence.end].lstrip(" \t>-").startswith(fence.ticks)
    for one in (mask.markdown, mask.rst):
        found = one(text)
        assert len(found) == len(text)
        assert all(new in (old, " ") for old, new in zip(text, found, strict=True))
        assert found.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "said", ["1. a", "4.1 M", "- a", "--", "# a", "> a", "a_b", "_a_", "+ a", "+1", "=", "1) x", "*"]
)
def test_words_stay_words_in_markdown(said: str) -> None:
    (_, inline, _) = MarkdownIt("gfm-like", {"linkify": False}).parse(escaped(said))
    assert "".join(child.content for child in inline.children or ()) == said
    assert [child.type for child in inline.children or ()] == ["text"] * len(inline.children or ())


def test_every_suffix_is_known() -> None:
    for suffix in SUFFIXES:
        assert regions("", f"a{suffix.upper()}") == []
    with pytest.raises(SpecError):
        regions("", "a.txt")
