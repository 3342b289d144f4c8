"""One page that answers: a network's table with controls, everything in it computed from closed forms."""
