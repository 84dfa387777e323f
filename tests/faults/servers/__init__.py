"""Servers are killed, replaced, or out of memory."""
