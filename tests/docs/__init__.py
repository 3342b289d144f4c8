"""README, site, embedding, documentation plugins."""
