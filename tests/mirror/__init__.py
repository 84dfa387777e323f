"""Mirroring from SQL."""
