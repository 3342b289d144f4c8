"""Graphs, volumes and plots."""
