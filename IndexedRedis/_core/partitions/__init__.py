"""Models whose objects are spread over partitions, each in a slot of its own."""
