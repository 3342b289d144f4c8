"""The structure of the package: who imports whom, what stays out of memory, names and lengths."""
