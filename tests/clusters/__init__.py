"""Clusters and Sentinels, and what happens to them."""
