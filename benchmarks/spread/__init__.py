"""What it costs that a model is spread: over partitions, over primaries, or to a cluster at all."""
