"""Queries, and what they return."""
