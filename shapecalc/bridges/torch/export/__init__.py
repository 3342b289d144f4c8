"""A model as PyTorch source: blocks become classes, repeats loops, and names stay what they are."""
