"""Detect pks that were drawn twice, because a failover came in between.

A primary that was replaced may still answer clients that are connected to it. The writes that it
acknowledges are lost, and the new primary draws the same pks again. A primary gets a new
replication id when it is promoted, and the old primary keeps its own. So each id stands for an
*incarnation* of the data. A record beside the counter lists the incarnations, newest first, a line
``ID COUNTER`` for each: the counter before the first draw under that id. An object remembers an id
of the data that has its pk: a new object the id that the pk was drawn under, a fetched one the id
that the record listed first when the row was read. The pk is *lost* if a later incarnation began
below it.

Reads get the record from the server, together with the rows. The replication id of the connection
would not do, for two reasons. The record may not list it, if nothing was drawn under it, and then
its place in the order is unknown. And the data changes under a connection that stays: a replica is
promoted, or reads all data of another primary.

Rule: whoever stores a new object leaves the counter at its pk or above. So no later line tells
against an object that is stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from typing import Any

from .flows import Command
from .keys import Keys
from .script import Script

__all__ = (
    'INCARNATION',
    'IS_LOST',
    'drawn_arguments',
    'is_lost',
    'newest',
    'read_incarnations',
)

# Characters of an id.
ID = 40
# Largest number of incarnations in the record; older ones are dropped.
LISTED = 16
# Milliseconds until the record expires, after its latest line: no handle lives that long.
YEAR_MS = 365 * 86_400_000

# A function for scripts that draw pks: `incarnation(record, counter)` returns the id of the
# incarnation, and adds it to the record if it is not the newest there. It returns '' if the user
# lacks INFO, or a key has another type. INFO takes 3.5 us of a save's 130. A cached id, in a key
# that is not replicated, would take 0.5 us and one more key.
INCARNATION = r"""
local function incarnation(record, counter)
  local ok, allowed = pcall(redis.acl_check_cmd or tostring, 'INFO', 'replication')
  local info = ok and allowed and redis.pcall('INFO', 'replication')
  local id = type(info) == 'string' and string.match(info, 'master_replid:(%x+)')
  local listed = redis.pcall('GET', record) or ''
  if not id or type(listed) == 'table' then return '' end
  if string.sub(listed, 1, #id) == id then return id end
  local begun = redis.pcall('GET', counter) or '0'
  if type(begun) == 'table' or not string.find(begun, '^%d+$') then return '' end
  local latest = string.match(listed, '^' .. string.rep('%x+ %d+\n', LISTED - 1))
  listed = id .. ' ' .. begun .. '\n' .. (latest or listed)
  return redis.pcall('SET', record, listed, 'PX', YEAR_MS).err and '' or id
end
""".replace('LISTED', str(LISTED)).replace('YEAR_MS', str(YEAR_MS))

# A function for scripts that write: `is_lost(record, drawn, pk)` returns the text of the record if
# it says that a pk is lost, else false. `drawn` is the id of an incarnation whose data has the pk,
# or ''. Its loop is bounded by LISTED.
IS_LOST = r"""
local function is_lost(record, drawn, pk)
  local listed = drawn ~= '' and redis.pcall('GET', record)
  if type(listed) ~= 'string' or string.sub(listed, 1, #drawn) == drawn then return false end
  for id, begun in string.gmatch(listed, '(%x+) (%d+)\n') do
    if id == drawn then return false end
    if tonumber(begun) < tonumber(pk) then return listed end
  end
  return false
end
"""


# Read records of incarnations; GET alone fails on a key of another type, and a user who only writes
# need not have the right to MGET.
# KEYS: the record of each model.
# ARGV: none.
# Returns the text of each; nil where there is none, or a key of another type.
# Bounded: one command for each model of a swap.
RECORDS = Script(
    'records',
    """
local records = {}
for k = 1, #KEYS do
  local record = redis.pcall('GET', KEYS[k])
  records[k] = type(record) == 'string' and record
end
return records
""",
)


def read_incarnations(*models: Keys) -> Command:
    """Return the command that reads the record of each model; None where there is none."""
    return RECORDS([keys.incarnations for keys in models])


def is_lost(listed: bytes | None, drawn: bytes, pk: int) -> bool:
    """Return whether a pk was handed out again since it was drawn.

    :param listed: the record
    :param drawn: the id of an incarnation whose data has the pk; ``b''`` if that is unknown
    """
    if not listed or not drawn:
        return False
    for each, begun in re.findall(rb'([0-9a-fA-F]+) (\d+)\n', listed):
        if each == drawn:
            return False
        if int(begun) < pk:
            return True
    return False


def newest(listed: bytes | None) -> bytes:
    """Return the id of the incarnation that a record lists first; ``b''`` if there is none.

    Objects that are made of rows remember it. Rule: the record is read after the rows, in one batch
    with them; or before and after, where many batches read them, and both must be the same. So it
    lists the incarnation under which their pks were drawn.
    """
    return listed[:ID] if listed and listed[ID : ID + 1] == b' ' else b''


def drawn_arguments(pks: Iterable[tuple[bytes, int]]) -> list[Any]:
    """Return, for a script, how many ids there are, and each with the highest pk drawn under it.

    :param pks: pairs of an id, or ``b''``, and a pk
    """
    highest: dict[bytes, int] = {}
    for drawn, pk in pks:
        if drawn and pk > highest.get(drawn, 0):
            highest[drawn] = pk
    return [len(highest), *chain.from_iterable(highest.items())]
