"""Pictures of a network: its graph, its feature maps as volumes, cost charts. Internal."""
