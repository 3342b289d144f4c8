"""From the tree to a flat graph, and the walk over it."""
