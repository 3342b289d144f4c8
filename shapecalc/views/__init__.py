"""What a reader sees of a report: one module for each view, every one of them a page for all output forms."""
