"""Runs that come again and again, for databases without a log to follow.

The rule: a run that fails changes nothing, and the next one comes in its time.
"""
