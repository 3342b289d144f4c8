"""Other people's tools: documentation that names a network and has its tables made when it is built."""

from importlib import import_module

from shapecalc.errors import NotInstalled


def need(module: str, extra: str) -> None:
    """Import what an extension stands on; raise `NotInstalled`, with what to type, if it is not there.

    >>> need("nothing", "docs")
    Traceback (most recent call last):
    shapecalc.errors.NotInstalled: this needs nothing: \
python -m pip install "shapecalc[docs]" (No module named 'nothing')
    """
    try:
        import_module(module)
    except ImportError as error:
        raise NotInstalled(
            f'this needs {module}: python -m pip install "shapecalc[{extra}]" ({error})'
        ) from None
