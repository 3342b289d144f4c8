"""The spec language: the tree, reading with source positions, writing, finding by name. Internal."""
