"""A torch module as a model: one run of its forward, every operation recorded as a step."""
