"""The change log of PostgreSQL: a replication slot, read by its own protocol.

The rule: the database needs nothing but a publication and a slot; no extension, no trigger.
"""

from .source import PostgresSource

__all__ = ('PostgresSource',)
