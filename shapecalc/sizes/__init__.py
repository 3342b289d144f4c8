"""The exact set of legal input sizes, and the layer behind each condition. Internal but for `Sizes`."""
