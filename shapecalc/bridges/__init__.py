"""The way to other frameworks: each is imported only in its own folder here, and only when asked for."""

from importlib import import_module

from shapecalc.errors import NotInstalled


def need(framework: str) -> None:
    r"""Import a framework; raise `NotInstalled`, with what to type, if it is not there or does not load.

    >>> need("a_framework_that_nobody_has")
    Traceback (most recent call last):
    shapecalc.errors.NotInstalled: this needs a_framework_that_nobody_has: \
python -m pip install "shapecalc[a_framework_that_nobody_has]" \
(No module named 'a_framework_that_nobody_has')
    """
    try:
        import_module(framework)
    except (ImportError, OSError) as error:
        raise NotInstalled(
            f'this needs {framework}: python -m pip install "shapecalc[{framework}]" ({error})'
        ) from None
