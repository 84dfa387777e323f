"""A run whose rows several processes read, convert and stage; one flip makes them live.

The rule: the processes share one moment of the database, each row is read by one of them, and if
one of them fails nothing changes.
"""
