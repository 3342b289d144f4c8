"""The torch counterparts of our kinds: how each is built, called, read and written. Internal."""
