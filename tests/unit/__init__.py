"""Tests without a server. The rule: nothing in here may open a connection."""
