"""What the executor for clusters costs: the same node, with and without the way to it."""
