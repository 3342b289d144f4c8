"""The way to other frameworks: each is imported only in its own folder here, and only when asked for."""
