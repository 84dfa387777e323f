"""Models that link to each other, for tests that have to import or pickle them.

The rule: every kind of link is here once: by class, by name, to the same model, in a circle.
"""

from __future__ import annotations

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField


class Author(IndexedRedisModel):
    """Has a favourite book, which is defined later."""

    FIELDS = [
        IRField('name'),
        IRField('born', valueType=int),
        IRForeignLinkField('favourite', 'Book'),
    ]
    INDEXED_FIELDS = ['name']
    KEY_NAME = 'Linked:Author'


class Book(IndexedRedisModel):
    """Has one author, and any number of books like it."""

    FIELDS = [
        IRField('title'),
        IRForeignLinkField('author', Author),
        IRForeignMultiLinkField('similar', 'support.linked.Book'),
    ]
    INDEXED_FIELDS = ['title', 'author', 'similar']
    KEY_NAME = 'Linked:Book'
