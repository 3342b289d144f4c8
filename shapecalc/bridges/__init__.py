"""Other frameworks, each imported only in its own package here and only when called. Internal."""

from importlib import import_module

from shapecalc.errors import NotInstalled


def need(framework: str, package: str | None = None) -> None:
    """Import a framework; raise `NotInstalled`, with what to type, if it is not there or does not load.

    `package` is what installs it, where that has another name.

    >>> need("nothing")
    Traceback (most recent call last):
    shapecalc.errors.NotInstalled: this needs nothing: \
python -m pip install nothing (No module named 'nothing')
    """
    try:
        import_module(framework)
    except (ImportError, OSError) as error:
        raise NotInstalled(
            f"this needs {framework}: python -m pip install {package or framework} ({error})"
        ) from None
