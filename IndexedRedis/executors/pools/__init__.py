"""Connections of redis-py, and every use of its private attributes."""
