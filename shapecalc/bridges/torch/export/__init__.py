"""A model as PyTorch source: blocks become classes, repeats `nn.Sequential`. Internal."""
