"""Replace the data sets of models with partitions: all partitions go live in one moment."""
