"""Measure what each promise costs.

Each duel does the same work as the library does it and without one promise, with the same rows,
executor and connection. The two take turns; the ratio of each pair counts.
"""
