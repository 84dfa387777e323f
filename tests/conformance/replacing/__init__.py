"""Resets, and counts beside them."""
