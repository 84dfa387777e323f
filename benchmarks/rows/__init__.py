"""Time operations on rows: reading, counting, saving, deleting, resetting; and how they grow."""
