"""Every kind: its rule against torch, its costs, its receptive field."""
