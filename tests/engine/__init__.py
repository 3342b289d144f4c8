"""Networks as wholes: expansion, shape inference, loops, receptive fields, alignment."""
