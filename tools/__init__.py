"""Programs that write what is generated."""
