"""What type checkers say of the public names: strict mypy reads these tests with all others."""
