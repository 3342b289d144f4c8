"""Legal input sizes."""
