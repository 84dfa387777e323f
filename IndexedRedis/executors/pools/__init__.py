"""Connections of redis-py. Only this package uses private attributes of redis-py."""
