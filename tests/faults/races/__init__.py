"""Processes write and read at the same time."""
