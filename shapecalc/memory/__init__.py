"""Live bytes of a network in inference and in training: what is alive when, and why. Internal."""
