"""Run a command of a document in this process: its output is captured, and it may write no file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import click
from click.core import ParameterSource

from shapecalc.arguments import is_torch
from shapecalc.cli import COMMANDS
from shapecalc.embedding.fit import Output
from shapecalc.errors import SpecError, nearest, quote
from shapecalc.spec.find import folder, locate

RUNNABLE = tuple(name for name, only_prints in COMMANDS.items() if only_prints)
WRITES = {"output": "-o", "fix": "--fix"}
"""Parameters that make a command write files, in any command."""
_DEFAULT_FORM = {"draw": "mmd", "export": "python", "schema": "json"}
"""The output form of commands without a --format option."""


class Runner:
    """Runs commands and caches their output."""

    def __init__(self, main: click.Group, *, with_python: bool = False) -> None:
        self.main = main
        self.with_python = with_python
        self.folders: tuple[Path, ...] = ()
        """Where the files are that a command may read; anywhere without any."""
        self.cache: dict[tuple[tuple[str, ...], str, tuple[Path, ...]], Output] = {}

    def __call__(self, words: list[str], preferred: str) -> Output:
        """Return the output of a command; raise `SpecError` for a command that is not allowed.

        `preferred` is the output form where the command has it and its arguments name none.
        """
        key = (tuple(words), preferred, self.folders)
        if key not in self.cache:
            self.cache[key] = self._run(words, preferred)
        return self.cache[key]

    def transcript(self, words: list[str]) -> str:
        """Return the complete terminal output of a command without colours, errors included."""
        self._allow(words)
        text = StringIO()
        with redirect_stdout(text), redirect_stderr(text):
            try:
                self._refuse(self._context(words))
                self.main.main([*words], prog_name="shapecalc", standalone_mode=False)
            except click.UsageError as error:
                error.show()
            except click.exceptions.Exit:
                pass  # --help
        return text.getvalue().replace(_here(), "")

    def _run(self, words: list[str], preferred: str) -> Output:
        self._allow(words)
        text = StringIO()
        form = _DEFAULT_FORM.get(words[0], "text")
        try:
            with redirect_stdout(text):
                context = self._context(words)
                is_explicit = context.get_parameter_source("form") is ParameterSource.COMMANDLINE
                if preferred in _choices(context.command) and not is_explicit:
                    context = self._context([*words, "--format", preferred])
                self._refuse(context)
                form = context.params.get("form") or form
                with context:
                    context.command.invoke(context)
        except click.UsageError as error:
            raise SpecError(error.format_message()) from None
        except click.exceptions.Exit:
            pass  # exit status 1 is a result too: two networks differ, a check reports an error
        printed = text.getvalue().replace(_here(), "")
        if printed.startswith("<svg"):
            form = "svg"
        return Output(printed, "text" if form == "table" else form, is_value=words[0] == "value")

    def _allow(self, words: list[str]) -> None:
        """Raise `SpecError` for a command that is not for documents."""
        name = words[0] if words else ""
        if name not in RUNNABLE:
            raise SpecError(
                f"{quote(name)} is not a command that embed runs{nearest(name, RUNNABLE)}",
                hint=f"it runs {', '.join(RUNNABLE)}",
            )

    def _context(self, words: list[str]) -> click.Context:
        """Return the context with the parsed arguments, of a group that of the command in it."""
        parent = click.Context(self.main, info_name="shapecalc", **self.main.context_settings)
        name, command, words = self.main.resolve_command(parent, words)
        while isinstance(command, click.Group) and words:
            parent = click.Context(command, parent=parent, info_name=name)
            name, command, words = command.resolve_command(parent, words)
        assert command is not None
        return command.make_context(name, words, parent=parent)

    def _refuse(self, context: click.Context) -> None:
        """Raise `SpecError` for arguments that write, read files elsewhere, or import Python code."""
        for parameter, option in WRITES.items():
            if context.params.get(parameter):
                raise SpecError(f"{option} writes a file, which a command in a document may not")
        for value in _texts(context.params):
            if value == "-":
                raise SpecError("- is standard input, and a document has none")
            if not self.with_python and is_torch(value):
                raise SpecError(
                    f"{quote(value)} names an object in a Python module, which would be imported and run",
                    hint="allow it with --python where you trust the document",
                )
            if self.folders and not (self.with_python or self._may_read(value)):
                raise SpecError(
                    f"{quote(value)} is a file outside the document's folder",
                    hint="allow its folder with --allow where you trust the document",
                )

    def _may_read(self, value: str) -> bool:
        """Say whether a text names no file, a bundled network, or a file in one of the folders."""
        try:
            path = locate(value)[0].resolve()
            is_file = path.exists()
        except (SpecError, OSError, ValueError):
            return True
        return not is_file or any(path.is_relative_to(each.resolve()) for each in (folder(), *self.folders))


def _texts(value: object) -> Iterator[str]:
    """Yield the texts in the parsed arguments of a command."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(tuple(value.values()))
    elif isinstance(value, Iterable):
        for item in value:
            yield from _texts(item)


def _here() -> str:
    """Return the machine-specific prefix of bundled spec paths, which is removed from documents."""
    return f"{folder().parent}/"


def _choices(command: click.Command) -> tuple[str, ...]:
    """Return the output forms of a command."""
    for parameter in command.params:
        if parameter.name == "form" and isinstance(parameter.type, click.Choice):
            return tuple(map(str, parameter.type.choices))
    return ()
