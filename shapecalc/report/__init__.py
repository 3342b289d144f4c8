"""The result of an analysis, as data. Internal but for `Report`, `Node` and `Derivation`."""
