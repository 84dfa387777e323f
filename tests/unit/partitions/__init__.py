"""The protocol of partitions, played step by step."""
