"""Keras' rules against the real layers."""
