"""The headline: a page of one artist's tracks, from SQL and from a mirror of it in Redis.

The rule: every subject is a process of its own that builds the same lines of text from the same
rows; the answers are compared before anything is timed.
"""
