"""From the tree to a flat graph, and the inference over it."""
