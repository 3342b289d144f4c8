"""What a layer costs under the rules of each counting tool. Internal."""
