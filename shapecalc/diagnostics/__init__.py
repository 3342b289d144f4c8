"""Errors, warnings and notes about a model, with stable codes. Internal but for `Diagnostic`."""
