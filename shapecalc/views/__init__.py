"""Reports as output documents: one module per view, each of them for every form. Internal."""
