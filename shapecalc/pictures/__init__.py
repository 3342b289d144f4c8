"""Pictures of a network: its graph, its feature maps as volumes, and charts of what it costs."""
