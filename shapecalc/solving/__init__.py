"""Inverse questions: the window, input, width or depth that gives a wanted result. Internal."""
