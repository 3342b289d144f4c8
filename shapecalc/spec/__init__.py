"""The spec language: the tree, reading it with places, writing it, finding it by name."""
