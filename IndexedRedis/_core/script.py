"""A Lua text and the command that runs it.

Rules for all texts:

- Names and values travel as KEYS and ARGV, never in the text.
- A script checks everything before its first write, since Redis does not roll back.
- A script may be sent twice.
- A script has no ``#!lua`` header: with one, a server that is out of memory refuses even scripts
  that only read. Its first write is one that such a server refuses (HSET before SREM), so nothing
  is left half done.
- A script makes names of keys from its arguments, so each text begins with :data:`UNDECLARED`.
- A bound limits each loop. The comment above the script states it, after ``Bounded:``. Numbers stay
  below 2^53, up to which Lua counts exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

__all__ = (
    'BY_SHA',
    'DENIED',
    'UNDECLARED',
    'Reads',
    'Script',
    'ScriptPair',
    'load_all',
    'readable',
)

#: The first line of each text. Dragonfly refuses scripts that use keys besides KEYS, except those
#: that say so in this way. For Redis and Valkey it is a comment.
UNDECLARED = '--!df flags=allow-undeclared-keys\n'

# Returns the keys that a script has read besides KEYS, from its arguments and its reply.
Reads = Callable[[Sequence[Any], Any], Iterable[bytes]]

#: the texts that this process has imported
ALL: list[Script] = []

# The texts called so far, by SHA: an executor sends a text in full if the server does not have it.
BY_SHA: dict[bytes, Script] = {}


# A function for scripts that write. Call `denied({command, key, ...}, ...)` before the first write:
# it returns an error if the user of the connection may not run one of these commands, else false.
# It changes nothing and takes 0.3 us a command. On Redis 6.2 it returns false.
DENIED = """
local function denied(...)
  for _, command in ipairs(redis.acl_check_cmd and {...} or {}) do
    if command and not redis.acl_check_cmd(unpack(command)) then
      return redis.error_reply('NOPERM this user has no permissions to run the ' .. command[1]
        .. ' command, which this write needs. Nothing was written')
    end
  end
  return false
end
"""


class Script:
    """A Lua text. Call it to get the command that runs it.

    :param name: name for logs and golden tests
    :param text: the Lua text
    :param reads: returns the keys that it has read besides KEYS; None: its replies are not cached
    """

    def __init__(self, name: str, text: str, reads: Reads | None = None) -> None:
        self.name = name
        self.text = (UNDECLARED + text.lstrip('\n')).encode('ascii')
        self.reads = reads
        ALL.append(self)

    def after(self, check: str, name: str) -> Script:
        """Return a script that first runs a check, which may return an error.

        :param check: a Lua text
        :param name: its name, by which the name of the new script ends
        """
        script = object.__new__(Script)
        script.name, script.reads = f'{self.name}_{name}', None
        script.text = self.text.replace(UNDECLARED.encode(), (UNDECLARED + check).encode(), 1)
        return script

    @cached_property
    def sha(self) -> bytes:
        """The SHA1 digest of the text, which EVALSHA takes."""
        from hashlib import sha1  # takes longer to import than all scripts together

        sha = sha1(self.text, usedforsecurity=False).hexdigest().encode('ascii')
        BY_SHA[sha] = self
        return sha

    def __call__(self, keys: list[bytes], *args: Any) -> tuple[Any, ...]:
        return ('EVALSHA', self.sha, len(keys), *keys, *args)

    def in_full(self, keys: list[bytes], *args: Any) -> tuple[Any, ...]:
        """Return the command that sends the text itself."""
        return ('EVAL', self.text, len(keys), *keys, *args)


class ScriptPair:
    """Two Lua texts: a plain one, and one for models that ask for more, such as sorted fields.

    Lines that begin with ``- `` stand in the plain text only, lines that begin with ``+ `` in the
    other only. So models that do not ask for it pay nothing for it.

    :param name: name of the plain script
    :param text: the lines of both
    :param other: how the name of the other script ends
    """

    def __init__(self, name: str, text: str, other: str = 'sorted') -> None:
        self._plain = Script(name, _choose('- ', '+ ', text))
        self._other = Script(f'{name}_{other}', _choose('+ ', '- ', text))

    def of(self, more: object) -> Script:
        """Return the script for a model.

        :param more: true if the model asks for more: has sorted or unique fields
        """
        return self._other if more else self._plain


def _choose(ours: str, others: str, text: str) -> str:
    lines = (line for line in text.splitlines(True) if not line.startswith(others))
    return ''.join(line.removeprefix(ours) for line in lines)


def readable(command: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a command with scripts by name: ``('EVALSHA', 'write', 4, ...)``."""
    if command[0] == 'EVALSHA':
        return ('EVALSHA', BY_SHA[command[1]].name, *command[2:])
    if command[0] == 'EVAL':
        known = (*ALL, *BY_SHA.values())
        name = next(script.name for script in known if script.text == command[1])
        return ('EVAL', name, *command[2:])
    return command


def load_all() -> list[Script]:
    """Import the whole core and return its texts, for tests and tools."""
    import pkgutil
    from importlib import import_module

    core = import_module(__package__)
    for module in pkgutil.walk_packages(core.__path__, f'{__package__}.'):
        import_module(module.name)
    return ALL
