"""A command run inside this process, for a document: what it would print, and nothing that it could write."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO

import click
from click.core import ParameterSource

from shapecalc.arguments import is_torch
from shapecalc.embedding.fit import Output
from shapecalc.errors import SpecError, nearest, quote
from shapecalc.spec.find import folder

RUNNABLE = (
    "check",
    "derive",
    "diff",
    "explain",
    "export",
    "kinds",
    "list",
    "schema",
    "show",
    "sizes",
    "solve",
    "value",
    "verify",
)
"""The commands that print text and do nothing else. A new one joins here."""
WRITES = {"output": "-o", "fix": "--fix"}
"""Parameters with which a command writes files, whichever command has them."""
_FORMS = {"table": "text", "export": "python", "schema": "json"}


class Runner:
    """Runs commands of one command line, each different one once."""

    def __init__(self, main: click.Group, *, with_python: bool = False) -> None:
        self.main = main
        self.with_python = with_python
        self.known: dict[tuple[tuple[str, ...], str], Output] = {}

    def __call__(self, words: list[str], preferred: str) -> Output:
        """Return what a command line prints; raise `SpecError` for one that may not be run.

        It is printed in the form that is preferred where the command has it and the line names none.
        """
        key = (tuple(words), preferred)
        if key not in self.known:
            self.known[key] = self._run(words, preferred)
        return self.known[key]

    def _run(self, words: list[str], preferred: str) -> Output:
        name, *arguments = words
        if name not in RUNNABLE:
            raise SpecError(
                f"{quote(name)} is not a command that embed runs{nearest(name, RUNNABLE)}",
                hint=f"it runs {', '.join(RUNNABLE)}",
            )
        if "-" in arguments:
            raise SpecError("- is standard input, and a document has none")
        if not self.with_python and (found := [one for one in arguments if is_torch(one)]):
            raise SpecError(
                f"{quote(found[0])} names an object in a Python module, which would be imported and run",
                hint="allow it with --python where you trust the document",
            )
        try:
            return self._printed(name, arguments, preferred)
        except click.UsageError as error:
            raise SpecError(error.format_message()) from None

    def _printed(self, name: str, arguments: list[str], preferred: str) -> Output:
        parent = click.Context(self.main, info_name="shapecalc")
        command = self.main.get_command(parent, name)
        assert command is not None
        text = StringIO()
        form = "text"
        try:
            with redirect_stdout(text):
                context = command.make_context(name, [*arguments], parent=parent)
                choices = _choices(command)
                is_said = context.get_parameter_source("form") is ParameterSource.COMMANDLINE
                if preferred in choices and not is_said:
                    context = command.make_context(name, [*arguments, "--format", preferred], parent=parent)
                for parameter, option in WRITES.items():
                    if context.params.get(parameter):
                        raise SpecError(f"{option} writes a file, which a command in a document may not")
                form = context.params.get("form") or form
                with context:
                    command.invoke(context)
        except click.exceptions.Exit:
            pass  # a status of 1 is an answer too: that two networks differ, that a check finds something
        here = f"{folder().parent}/"
        return Output(
            text.getvalue().replace(here, ""), _FORMS.get(name, _FORMS.get(form, form)), name == "value"
        )


def _choices(command: click.Command) -> tuple[str, ...]:
    """Return the output forms of a command."""
    for parameter in command.params:
        if parameter.name == "form" and isinstance(parameter.type, click.Choice):
            return tuple(map(str, parameter.type.choices))
    return ()
