"""`shapecalc embed`."""

from __future__ import annotations

from pathlib import Path

import click

from shapecalc.atomic_write import rewrite
from shapecalc.cli.cli_options import examples
from shapecalc.console import WORKING, complain, say
from shapecalc.errors import ShapecalcError

MARKERS = """\b
Markers:
<!-- shapecalc show resnet50 --depth 1 -->
<!-- /shapecalc -->
It has <!-- shapecalc value resnet50 params --><!-- /shapecalc --> parameters."""


@click.command(
    short_help="Fill documents with the output of shapecalc commands.",
    epilog=examples(
        "shapecalc embed README.md",
        "shapecalc embed --check README.md      # exits 1 when something is stale",
    )
    + f"\n\n{MARKERS}",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option("--check", is_flag=True, help="Write nothing; show stale text and exit 1 if there is any.")
@click.option(
    "--python",
    is_flag=True,
    help="Allow torch modules, nets.py:Net, in commands; this runs their code.",
)
@click.option(
    "--allow",
    "folders",
    multiple=True,
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Let commands read files in this folder too, besides those in the document's.",
)
@click.option(
    "--transcripts", is_flag=True, help="Also fill blocks of `console` that begin with `$ shapecalc ...`."
)
@click.pass_context
def embed(
    ctx: click.Context,
    files: tuple[str, ...],
    folders: tuple[Path, ...],
    check: bool,
    python: bool,
    transcripts: bool,
) -> None:
    """Write the output of commands between the markers in each FILE, or check that it is current.

    FILE is Markdown, HTML, reStructuredText or Python (its docstrings). A marker is a comment with a
    command line; only shapecalc commands run, and none that writes a file or reads one outside FILE's folder.
    """
    from shapecalc.cli import main
    from shapecalc.cli.run_command import Runner
    from shapecalc.embedding.document import LARGEST, embedded
    from shapecalc.embedding.transcripts import transcribed
    from shapecalc.spec.find import read_file, short

    run = Runner(main, with_python=python)
    stale, failed = 0, 0
    for number, file in enumerate(files):
        path = Path(file)
        WORKING.progress(number, len(files), "files")
        try:
            text = read_file(path, LARGEST)
            run.folders = (path.parent, *folders)
            document = embedded(text, short(path), run)
            if transcripts:
                document = document.then(transcribed(document.after, document.file, run.transcript))
            for error in document.errors:
                complain(error)
            failed += len(document.errors)
            if document.errors or not document.is_stale:
                continue
            stale += 1
            if check:
                say(document.diff())
            else:
                rewrite(path, text, document.after, document.file)
                say(f"updated {document.file}")
        except ShapecalcError as error:
            complain(error)
            failed += 1
    ctx.exit(2 if failed else 1 if check and stale else 0)
