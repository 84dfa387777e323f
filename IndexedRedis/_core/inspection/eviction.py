"""Warn of a server that removes keys when its memory is full."""

from __future__ import annotations

from ..flows import Flow, ask
from ..script import Script

__all__ = ('eviction_warnings',)

# Read the memory policy of the server.
# KEYS: none.
# ARGV: none.
# Returns the policy; nil if it is unknown: some servers do not report it, some users may not ask.
# Bounded: two commands.
POLICY = Script(
    'policy',
    """
if redis.acl_check_cmd and not redis.acl_check_cmd('INFO', 'memory') then return false end
local info = redis.pcall('INFO', 'memory')
return type(info) == 'string' and string.match(info, 'maxmemory_policy:([%w-]+)')
""",
)
NO_EVICTION = b'noeviction'


def eviction_warnings() -> Flow[list[str]]:
    """Return a sentence about the memory policy of the server if it evicts keys."""
    policy = yield from ask(*POLICY([]))
    if policy in (None, NO_EVICTION):
        return []
    if policy.startswith(b'volatile-'):
        what = (
            'locks of writers, and replaced rows that readers may still need: writes raise '
            'ResetLostError, and queries start again'
        )
    else:
        what = 'rows, index sets and sets of all pks: objects vanish, or queries miss them'
    return [
        f'The server has the maxmemory-policy {policy.decode()}, so when its memory is full it '
        f'evicts {what}. Set maxmemory-policy to noeviction.'
    ]
