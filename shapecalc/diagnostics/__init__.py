"""What is wrong with a model, or looks like a mistake, as diagnostics with stable codes."""
