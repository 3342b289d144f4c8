"""A torch module as a model: its forward runs once, each operation recorded as a step. Internal."""
