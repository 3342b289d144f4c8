"""From the spec to a flat graph of nodes, and shape inference over it. Internal."""
