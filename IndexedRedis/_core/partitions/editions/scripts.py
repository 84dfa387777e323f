"""Scripts of pointers and fences: open a model, advance, roll forward, reopen."""

from __future__ import annotations

from ...script import Script

__all__ = ('ADVANCE', 'NOTE_BY', 'OPEN', 'REPLACE', 'ROLL')

# Set a pointer, or a fence, to an edition, unless it tells the same or a later one. So a fence that
# another flip has closed meanwhile stays closed.
# KEYS: pointer or fence.
# ARGV: its new value, the number of the edition.
# Returns the value.
# Bounded: two commands.
ADVANCE = Script(
    'advance',
    """
local found = redis.call('GET', KEYS[1])
local number = tonumber(string.match(found or '', '^%d+')) or 0
if number >= tonumber(ARGV[2]) then return found end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
""",
)

# Give a partition the first edition of a model, empty, and a fence that does not admit writes yet.
# KEYS: fence, mark of the edition.
# ARGV: the value of the fence.
# Returns 1; 0 if the model has been opened, and then nothing is changed.
# Bounded: three commands.
OPEN = Script(
    'open_partition',
    """
local found = redis.call('GET', KEYS[1])
if found and found ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], '1')
return 1
""",
)

# Set a pointer forward to an edition that a partition is open for: the commit was lost with the
# primary of the home slot. The record of editions then says what the commit had said.
# KEYS: pointer, record of editions.
# ARGV: the new value of the pointer, the number of the edition.
# Returns the value of the pointer.
# Bounded: four commands.
ROLL = Script(
    'roll_forward',
    """
local found = redis.call('GET', KEYS[1])
local number, partitions = string.match(found or '', '^(%d+) (%d+)$')
if number and tonumber(number) >= tonumber(ARGV[2]) then return found end
redis.call('SET', KEYS[1], ARGV[1])
if number then redis.call('HSET', KEYS[2], number, 'old ' .. partitions) end
redis.call('HDEL', KEYS[2], ARGV[2])
return ARGV[1]
""",
)

# Note which field spreads the objects of a model that is being opened, unless that is noted.
# KEYS: record of editions.
# ARGV: the field, or nothing.
# Returns 1; 0 if it is noted.
# Bounded: two commands.
NOTE_BY = Script(
    'note_by',
    """
if redis.call('HEXISTS', KEYS[1], 'by') == 1 then return 0 end
return redis.call('HSET', KEYS[1], 'by', ARGV[1])
""",
)

# Replace the value of a fence.
# KEYS: fence.
# ARGV: the expected value, the new value.
# Returns 1; 0 if it has another value.
# Bounded: two commands.
REPLACE = Script(
    'replace_fence',
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
""",
)
