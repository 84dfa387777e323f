"""The Lua texts, by what they are for; ``script.py`` has the rules they share."""

from __future__ import annotations

from .reading import COUNT, FIND, MEMBERS, OTHER_TYPE, PICK
from .replacing import HOLD, PRUNE, RELEASE, RETIRE, SWAP
from .script import BY_SHA, Script
from .writing import DELETE, RESERVE, TOUCH, WRITE

__all__ = (
    'BY_SHA',
    'COUNT',
    'DELETE',
    'FIND',
    'HOLD',
    'MEMBERS',
    'OTHER_TYPE',
    'PICK',
    'PRUNE',
    'RELEASE',
    'RESERVE',
    'RETIRE',
    'SWAP',
    'TOUCH',
    'WRITE',
    'Script',
)
