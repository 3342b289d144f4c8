"""The spec language, the bundled specs, extensions, and bad input."""
