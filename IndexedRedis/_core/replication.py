"""How far a server has got: replication offsets, tokens, and how fresh a replica has to be."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ..errors import UsageError
from .flows import Flow, ask

__all__ = (
    'FRESHNESS',
    'MAX_LAG',
    'QUESTION',
    'Freshness',
    'Position',
    'Token',
    'parse_token',
    'position_of',
    'read_token',
)

# Seconds that a replica may be behind, unless a query says otherwise.
MAX_LAG = 2.0
#: asks a server how far it has got
QUESTION = ('INFO', 'replication')
_TOKEN = re.compile('([0-9a-f]{40})-([0-9]{1,19})')
_LINE = re.compile(r'^([a-z0-9_]+):(\S*)', re.MULTILINE)


class Token(NamedTuple):
    """What a caller has seen: everything up to this offset.

    :param id: the replication id that the offset counts for
    """

    id: str
    offset: int

    def __str__(self) -> str:
        return f'{self.id}-{self.offset}'


class Freshness(NamedTuple):
    """How fresh a replica has to be, and what to do without one.

    :param max_lag: seconds that it may be behind the primary
    :param required: wait for such a replica, and ask no primary
    :param after: what it must have
    """

    max_lag: float = MAX_LAG
    required: bool = False
    after: Token | None = None


#: by the ``REPLICA_READS`` of a model; None: ask the primary
FRESHNESS = {'never': None, 'prefer': Freshness(), 'require': Freshness(required=True)}


class Position(NamedTuple):
    """How far a server has got.

    :param is_primary: whether it is a primary
    :param is_linked: of a replica: whether it is connected to its primary, and up to date but for
        the lag
    :param id: the replication id
    :param offset: bytes of the replication stream that it has carried out
    :param earlier: the last offset for which its earlier replication id counts, with that id
    """

    is_primary: bool
    is_linked: bool
    id: str
    offset: int
    earlier: Token

    def has(self, token: Token) -> bool:
        """Whether the server has everything that a token stands for."""
        known = token.id == self.id or (
            token.id == self.earlier.id and token.offset <= self.earlier.offset
        )
        return known and token.offset <= self.offset


def position_of(reply: Any) -> Position:
    """Return how far a server has got, by its reply to :data:`QUESTION`."""
    text = reply.decode('ascii', 'replace') if isinstance(reply, bytes) else str(reply)
    told = dict(_LINE.findall(text))
    is_primary = told.get('role') == 'master'
    return Position(
        is_primary,
        told.get('master_link_status') == 'up' and told.get('master_sync_in_progress') == '0',
        told.get('master_replid', ''),
        int(told.get('master_repl_offset' if is_primary else 'slave_repl_offset', -1)),
        # A replica that is promoted counts on: bytes from `second_repl_offset` on are its own.
        Token(told.get('master_replid2', ''), int(told.get('second_repl_offset', -1)) - 1),
    )


def parse_token(model: str, text: Any) -> Token:
    """Return the token that a text stands for.

    :raises UsageError: if it stands for none
    """
    found = _TOKEN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise UsageError(
            f'{model}: after= takes what {model}.objects.readToken() returned; {text!r:.100} is no '
            'token.'
        )
    return Token(found[1], int(found[2]))


def read_token() -> Flow[str]:
    """Return a token for everything that the primary has."""
    told = position_of((yield from ask(*QUESTION)))
    return str(Token(told.id, told.offset))
