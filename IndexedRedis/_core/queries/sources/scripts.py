"""Scripts that read ranges of sorted sets.

Members of a sorted set need not be pks: a long list of new objects gets its scores before it is
committed, and a killed process may leave them. Each pk is a member, so a sorted set that has as
many members as there are pks has no others.
"""

from __future__ import annotations

from ...script import Script

__all__ = ('COUNT_RANGE', 'LISTED_RANGE')

# Count the pks whose scores are in a range.
# KEYS: sorted set, set of all pks.
# ARGV: lowest and highest score.
# Returns their number; nil if the sorted set has members that are no pks.
# Bounded: three commands, whose time hardly grows with the data.
COUNT_RANGE = Script(
    'count_range',
    """
return redis.call('ZCARD', KEYS[1]) == redis.call('SCARD', KEYS[2])
  and redis.call('ZCOUNT', KEYS[1], ARGV[1], ARGV[2])
""",
)

# Return the pks whose scores are in a range, for sorted sets that have other members too.
# KEYS: as of COUNT_RANGE.
# ARGV: as of COUNT_RANGE.
# Returns the pks.
# Bounded: the size of the range, as ZRANGEBYSCORE is. Nothing else bounds it.
LISTED_RANGE = Script(
    'listed_range',
    """
local members, pks = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], ARGV[2]), {}
for start = 1, #members, 1000 do
  local stop = math.min(start + 999, #members)
  local listed = redis.call('SMISMEMBER', KEYS[2], unpack(members, start, stop))
  for i = start, stop do
    if listed[i - start + 1] == 1 then pks[#pks + 1] = members[i] end
  end
end
return pks
""",
)
