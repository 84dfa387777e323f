"""Filters lowered to set algebra, and the flows that read: by pk, by filter, one picked."""
