"""Replies are lost, late, or remembered."""
