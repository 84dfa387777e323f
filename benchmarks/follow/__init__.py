"""Measure a mirror that follows the log of its database."""
