"""The names of kinds, which follow from those of their classes."""

import re


def snake_case(name: str) -> str:
    """Return the name of a kind for the name of a class, as torch spells classes.

    >>> snake_case("LPPool2d"), snake_case("BCEWithLogitsLoss")
    ('lp_pool2d', 'bce_with_logits_loss')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def targets(modules: dict[str, str], prefix: str = "") -> dict[str, str]:
    """Return the module and the class of each kind, from the classes of each module without their prefix.

    A name that does not follow from the class is before it.

    >>> targets({"pool": "MaxPool2d", "rectifier": "relu:ReLU"})
    {'max_pool2d': 'shapecalc.layers.pool:MaxPool2d', 'relu': 'shapecalc.layers.rectifier:ReLU'}
    """
    index = {}
    for module, classes in modules.items():
        for words, by_rule in zip(classes.split(), snake_case(classes).split(), strict=True):
            kind, _, name = words.rpartition(":")
            index[kind or by_rule] = f"shapecalc.layers.{module}:{prefix}{name}"
    return index
