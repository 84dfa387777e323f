"""Measure what each promise costs: the same work as the library does it, and without one promise.

Both ways have the same rows, executor and connection. Two processes take turns, one for each way.
"""
