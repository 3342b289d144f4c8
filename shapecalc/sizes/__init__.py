"""Which input sizes a network accepts, exactly, and which layer imposes each condition."""
