"""What a statement in the binlog says about the followed tables.

The rule: where a statement may have changed a table, it counts as having changed it. A table that
is read again for nothing costs time; one that is not read is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ('changed_tables', 'first_words', 'moves_tables')

# Before the first word may stand comments. What follows /*!50000 is none: it is run.
_START = re.compile(r'(?:\s|/\*M?!\d*|/\*.*?\*/|--[^\n]*\n|#[^\n]*\n)*', re.DOTALL)
_WORDS = re.compile(r'\w+')
# With these, a statement changes no row that was there before.
_HARMLESS = ('ANALYZE', 'OPTIMIZE', 'CHECK', 'REPAIR', 'FLUSH', 'GRANT', 'REVOKE', 'SET')
_NEW_TABLE = ['CREATE', 'TABLE', 'IF', 'NOT', 'EXISTS']
# Rows stand in the binlog as rows. If they stand there as such statements, which may call triggers
# or write through views, nobody can tell the tables. Nor of what is inside other statements.
_ROWS = ('INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'LOAD', 'CALL', 'WITH', 'DO')
_AROUND_ANOTHER = ['SET', 'STATEMENT']
_DATABASE = re.compile(r'\b(DATABASE|SCHEMA)\b', re.IGNORECASE)
# The name of a database before a dot: in backticks, in quotes, or plain.
_QUALIFIER = r'(?:`((?:[^`]|``)+)`|"([^"]+)"|([^"`.\s(,]+))'
_MOVES = re.compile(r'\b(REFERENCES|RENAME)\b', re.IGNORECASE)


def first_words(statement: str) -> list[str]:
    """Return the first five words of a statement, in capitals."""
    match = _START.match(statement)
    words = _WORDS.finditer(statement, match.end() if match else 0)
    return [word.group().upper() for word, _ in zip(words, range(5), strict=False)]


def moves_tables(statement: str) -> bool:
    """Return whether a statement may change which tables refer to each other."""
    return bool(_MOVES.search(statement))


def changed_tables(statement: str, schema: str, tables: Iterable[str]) -> set[str]:
    """Return the tables that a statement may have changed.

    :param schema: the database that the statement ran in
    :param tables: the full names of the followed tables
    """
    words = first_words(statement)
    if words[:1] and (words[0] in _ROWS or words[:2] == _AROUND_ANOTHER):
        return set(tables)
    if words == _NEW_TABLE or (words and words[0] in _HARMLESS):
        return set()
    of_database = bool(_DATABASE.search(statement))
    return {name for name in tables if _concerns(statement, schema, name, of_database)}


def _concerns(statement: str, schema: str, name: str, of_database: bool) -> bool:
    of, _, table = name.partition('.')
    if of_database and any(True for _ in _qualifiers(statement, of)):
        return True
    qualifiers = _qualifiers(statement, table)
    return any((each or schema).lower() == of.lower() for each in qualifiers)


def _qualifiers(statement: str, name: str) -> Iterator[str | None]:
    """Yield, for each place where a name stands in a statement, what stands before it and a dot."""
    escaped = re.escape(name.replace('`', '``'))
    pattern = rf'(?:{_QUALIFIER}\s*\.\s*["`]?)?(?<![\w$]){escaped}(?![\w$])'
    for match in re.finditer(pattern, statement, re.IGNORECASE):
        in_backticks, in_quotes, plain = match.groups()
        yield in_backticks.replace('``', '`') if in_backticks else in_quotes or plain
