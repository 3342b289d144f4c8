"""What a layer costs, under each convention that people count by."""
