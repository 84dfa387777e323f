"""Compare a new data set with the stored objects."""
