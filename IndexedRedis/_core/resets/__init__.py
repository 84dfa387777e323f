"""Replacing a whole data set: staging, index fill, swap; only its changes; nothing at all."""
