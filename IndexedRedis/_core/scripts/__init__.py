"""The Lua texts, by what they are for; ``script.py`` has the rules they share."""

from __future__ import annotations

from .checking import (
    COUNTER,
    LEFTOVERS,
    LOOK,
    MEND_COUNTER,
    MEND_ENTRIES,
    MEND_LEFTOVERS,
    MEND_ROWS,
    UNLISTED,
)
from .guarding import MAY_PUBLISH, MAY_STORE
from .inserting import INSERT
from .locking import BEGIN, HOLD, RELEASE
from .looking import MEASURE
from .reading import COUNT, COUNT_LIVING, FIND, MEMBERS, OTHER_TYPE, PICK
from .replacing import CLAIM, FILL, LARGE, SWAP
from .script import ALL, BY_SHA, Script, readable
from .single import INSERT_ONE, UPDATE_ONE
from .sweeping import CLEAR, CLEAR_SETS, FINISH, FORGET, PRUNE, RETIRE
from .writing import DELETE, MERGE, RESERVE, WRITE

__all__ = (
    'ALL',
    'BEGIN',
    'BY_SHA',
    'CLAIM',
    'CLEAR',
    'CLEAR_SETS',
    'COUNT',
    'COUNTER',
    'COUNT_LIVING',
    'DELETE',
    'FILL',
    'FIND',
    'FINISH',
    'FORGET',
    'HOLD',
    'INSERT',
    'INSERT_ONE',
    'LARGE',
    'LEFTOVERS',
    'LOOK',
    'MAY_PUBLISH',
    'MAY_STORE',
    'MEASURE',
    'MEMBERS',
    'MEND_COUNTER',
    'MEND_ENTRIES',
    'MEND_LEFTOVERS',
    'MEND_ROWS',
    'MERGE',
    'OTHER_TYPE',
    'PICK',
    'PRUNE',
    'RELEASE',
    'RESERVE',
    'RETIRE',
    'SWAP',
    'UNLISTED',
    'UPDATE_ONE',
    'WRITE',
    'Script',
    'readable',
)
