"""What an analysis found, and one file per form in which it is shown."""
