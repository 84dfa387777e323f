"""Rows, keys, and the code that is generated for them."""
