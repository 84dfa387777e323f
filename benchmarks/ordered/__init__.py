"""Time a page in the order of a price, and filters with many values."""
