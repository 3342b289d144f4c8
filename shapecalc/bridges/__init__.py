"""Other frameworks, each imported only in its own package here and only when called. Internal."""

from importlib import import_module

from shapecalc.errors import NotInstalled


def need(framework: str, extra: str | None = None) -> None:
    """Import a framework; raise `NotInstalled`, with what to type, if it is not there or does not load.

    `extra` is what brings it, where that is not called as it is.

    >>> need("nothing")
    Traceback (most recent call last):
    shapecalc.errors.NotInstalled: this needs nothing: \
python -m pip install "shapecalc[nothing]" (No module named 'nothing')
    """
    try:
        import_module(framework)
    except (ImportError, OSError) as error:
        raise NotInstalled(
            f'this needs {framework}: python -m pip install "shapecalc[{extra or framework}]" ({error})'
        ) from None
