"""The test suite; its strategies and its torch counterparts serve every test."""
