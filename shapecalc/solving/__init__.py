"""Questions asked backwards: which setting, which input, which width gives what is wanted."""
