"""Filters, sets and orders, against plain Python."""
