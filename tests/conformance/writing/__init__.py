"""Saves, updates and deletes."""
