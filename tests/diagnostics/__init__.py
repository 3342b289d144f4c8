"""What `check` reports, and how errors read."""
