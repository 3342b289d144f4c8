"""The page that calculates in the browser."""
