"""Processes that write for the tests."""
