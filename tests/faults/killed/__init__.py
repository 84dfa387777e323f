"""Processes are killed, suspended or interrupted."""
