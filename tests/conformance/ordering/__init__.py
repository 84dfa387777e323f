"""Orders, pages and sorted sets."""
