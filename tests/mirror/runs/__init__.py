"""Runs of a mirror: what they store, and what stops them."""
