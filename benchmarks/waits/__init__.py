"""Measure how long other clients wait beside long operations: a PING on a second connection."""
