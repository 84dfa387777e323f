"""Processes and servers fail while a data set is replaced."""
