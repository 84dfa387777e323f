"""The script that counts a range of a sorted set."""

from __future__ import annotations

from ...script import Script

__all__ = ('COUNT_RANGE',)

# Count the pks whose scores are in a range.
# KEYS: sorted set, set of all pks.
# ARGV: lowest and highest score.
# Returns their number; nil if there are more or fewer members of the sorted set than pks.
# Bounded: three commands, whose time hardly grows with the data.
COUNT_RANGE = Script(
    'count_range',
    """
return redis.call('ZCARD', KEYS[1]) == redis.call('SCARD', KEYS[2])
  and redis.call('ZCOUNT', KEYS[1], ARGV[1], ARGV[2])
""",
)
