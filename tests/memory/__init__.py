"""Memory: what layers save, live bytes, peaks, and what a device moves."""
