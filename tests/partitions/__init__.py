"""Models with partitions, whose processes and servers fail."""
