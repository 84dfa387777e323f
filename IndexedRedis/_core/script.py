"""A Lua text and the command that runs it.

Rules all texts share: names and values travel as KEYS and ARGV only, never in the text;
everything is checked before the first write, since Redis does not roll back; each may be sent
twice. No ``#!lua`` header: with one, a server that is out of memory refuses even scripts that
only read. The first write of each is one that such a server refuses (HSET before SREM), so
nothing is left half done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

__all__ = ('BY_SHA', 'Reads', 'Script', 'load_all', 'readable')

# Of its arguments and its reply, the keys that a script has looked at besides KEYS.
Reads = Callable[[Sequence[Any], Any], Iterable[bytes]]

#: all texts of this process
ALL: list[Script] = []

# What an executor needs to run a text that a server does not know (any more): those called so far.
BY_SHA: dict[bytes, Script] = {}


class Script:
    """A Lua text; calling it gives the command that runs it.

    :param name: name for logs and golden tests
    :param text: the Lua text
    :param reads: tells what it looked at, if what it answers may be remembered
    """

    def __init__(self, name: str, text: str, reads: Reads | None = None) -> None:
        self.name = name
        self.text = text.encode('ascii')
        self.reads = reads
        ALL.append(self)

    @cached_property
    def sha(self) -> bytes:
        """What a server knows the text by."""
        from hashlib import sha1  # takes longer to import than all scripts together

        sha = sha1(self.text, usedforsecurity=False).hexdigest().encode('ascii')
        BY_SHA[sha] = self
        return sha

    def __call__(self, keys: list[bytes], *args: Any) -> tuple[Any, ...]:
        return ('EVALSHA', self.sha, len(keys), *keys, *args)

    def in_full(self, keys: list[bytes], *args: Any) -> tuple[Any, ...]:
        """The command for a server that need not know the text."""
        return ('EVAL', self.text, len(keys), *keys, *args)


def readable(command: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a command with scripts by name: ``('EVALSHA', 'write', 4, ...)``."""
    if command[0] == 'EVALSHA':
        return ('EVALSHA', BY_SHA[command[1]].name, *command[2:])
    if command[0] == 'EVAL':
        (name,) = (script.name for script in ALL if script.text == command[1])
        return ('EVAL', name, *command[2:])
    return command


def load_all() -> list[Script]:
    """Return the texts of the whole core, imported or not, for tests and tools."""
    import pkgutil
    from importlib import import_module

    core = import_module(__package__)
    for module in pkgutil.walk_packages(core.__path__, f'{__package__}.'):
        import_module(module.name)
    return ALL
