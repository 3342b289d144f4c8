"""Text that cannot go stale: what stands between two markers of a document is what a command prints."""
