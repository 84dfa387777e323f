"""Server processes that end together, even if the process that started them is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Self

import redis

from .nodes import Node

__all__ = ('WAIT_SECONDS', 'Group', 'flush', 'follow', 'lines_of', 'until')

# Outlives the process that started the servers. Each line it reads holds the ids of the processes
# that run. Once nobody can write any more, it ends those of the last line and removes the files.
LIFELINE = """
while read -r line; do running=$line; done
[ -z "$running" ] || kill -KILL $running
rm -rf "$1" || { sleep 1; rm -rf "$1"; }
"""
WAIT_SECONDS = 30.0
FLUSH_MS = 4000  # less than what a client waits for a reply
BASE = ('save ""', 'appendonly no')


class Group:
    """Server processes of one kind. As a context manager it ends them at the end of the block.

    :param program: the path of the program, of Redis or Valkey
    """

    def __init__(self, program: str) -> None:
        self._program = program
        self._members: list[Node] = []
        self._owner = os.getpid()
        self._folder = Path(tempfile.mkdtemp(prefix='indexedredis-')).resolve()
        self._lifeline = subprocess.Popen(
            ['/bin/sh', '-c', LIFELINE, 'indexedredis-lifeline', str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def add(self, config: Iterable[str] = (), kind: str = '') -> Node:
        """Return a new member, which does not run yet.

        :param config: lines of its configuration
        :param kind: that of :class:`Node`
        """
        folder = self._folder / str(len(self._members))
        folder.mkdir()
        base = () if kind == 'sentinel' else BASE
        node = Node(self._program, folder, [*base, *config], kind)
        self._members.append(node)
        return node

    def start(self, *nodes: Node) -> None:
        """Start these members at once, and wait until all answer.

        :raises EmbeddedServerError: if one did not start
        """
        again = {node: not node.port for node in nodes}
        try:
            for node in nodes:
                node.launch()
            self._tell()
            for node in nodes:
                node.wait_started(again[node])
        finally:
            self._tell()

    def kill(self, node: Node) -> None:
        """Kill a process (SIGKILL), as a crash of its machine does. Its data is gone."""
        node.kill()
        self._tell()

    def pause(self, node: Node) -> None:
        """Stop a process (SIGSTOP): its connections stay open, and it does not answer."""
        node.signal(signal.SIGSTOP)

    def resume(self, node: Node) -> None:
        """Let a paused process go on (SIGCONT)."""
        node.signal(signal.SIGCONT)

    def hold(self, replica: Node) -> None:
        """Cut a replica off from its primary: it goes on answering, and its data gets older.

        The primary counts it as gone; the other nodes of a cluster notice nothing. It lasts until
        :meth:`release`, :meth:`restart` or :meth:`heal`.
        """
        # The primary refuses an unknown user, so the replica tries again once a second, in vain.
        replica.call('CONFIG', 'SET', 'masterauth', 'nobody')
        replica.call('CONFIG', 'SET', 'masteruser', 'nobody')
        replica.call('CLIENT', 'KILL', 'TYPE', 'master')
        replica.held = True

    def release(self, replica: Node) -> None:
        """Let a replica that is held follow its primary again; :meth:`wait_ok` waits for it."""
        replica.call('CONFIG', 'SET', 'masteruser', '')
        replica.call('CONFIG', 'SET', 'masterauth', '')
        replica.held = False

    def restart(self, node: Node) -> None:
        """Kill a process if it runs, and start it on the same port, without its data.

        Return when the process answers; it may join the others later.

        :raises EmbeddedServerError: if it did not start
        """
        self.kill(node)
        self.start(node)
        if node.held:
            self.release(node)

    def heal(self) -> None:
        """Resume what is paused, release what is held, restart the dead, wait until all is well."""
        for node in self._members:
            if node.paused:
                self.resume(node)
        self.start(*[node for node in self._members if not node.live])
        for node in self._members:
            if node.held:
                self.release(node)
        self.wait_ok()

    def wait_ok(self, seconds: float = WAIT_SECONDS) -> None:
        """Wait until all live processes agree on who does what, and replicas have all writes.

        Processes that are dead or paused do not count, nor do the data of a replica that is held.

        :param seconds: how long at most
        :raises TimeoutError: if it takes longer, as it does if too few processes live
        """
        until(f'all of {self._members} that live agree', seconds, self._is_ok)

    def stop(self) -> None:
        """End all processes and remove their files; do nothing if that was done before.

        A forked child does nothing either: the servers belong to its parent.
        """
        if os.getpid() != self._owner:
            return
        for node in self._members:
            node.kill()
        self._lifeline.kill()  # the watcher last, so that the servers are never unwatched
        self._lifeline.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _is_ok(self) -> bool:
        """Return whether all is well; always so for processes that do not work together."""
        return True

    def _tell(self) -> None:
        running = [str(node.process.pid) for node in self._members if node.process]
        stdin = self._lifeline.stdin
        if stdin and not stdin.closed:
            stdin.write(f'{" ".join(running)}\n'.encode())
            stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


def lines_of(config: Mapping[str, str] | None) -> list[str]:
    """Return configuration lines of options by name, such as ``{'maxmemory': '50mb'}``."""
    return [f'{name} {value or chr(34) * 2}' for name, value in (config or {}).items()]


def until(what: str, seconds: float, is_so: Callable[[], object]) -> None:
    """Wait until a condition holds. A server that does not answer means that it does not.

    :param what: what is waited for, for the message
    :param seconds: how long at most
    :raises TimeoutError: if it does not hold in time
    """
    end = time.monotonic() + seconds
    while True:
        try:
            if is_so():
                return
            last = ''
        except redis.RedisError as error:
            last = f'; the last error was {error!r}'
        if time.monotonic() > end:
            raise TimeoutError(f'{what}: this did not happen within {seconds:g} s{last}')
        time.sleep(0.01)


def follow(primary: Node, replicas: Iterable[Node]) -> bool:
    """Return whether replicas, but for those that are held, have all that a primary has.

    Either end may be the first to say so: a replica may still be loading the data then.
    """
    info = primary.call('INFO', 'replication')
    known = (info[f'slave{number}'] for number in range(info['connected_slaves']))
    online = {replica['port'] for replica in known if replica['state'] == 'online'}
    written = info['master_repl_offset']
    return all(each.port in online and _has(each, written) for each in replicas if not each.held)


def flush(primary: Node, replicas: Iterable[Node]) -> None:
    """Delete all data of a primary, and wait until these replicas have deleted it.

    :raises TimeoutError: if they have not within 4 s
    """
    count = len(list(replicas))
    # WAIT is about the writes of its own connection.
    with primary.client(single_connection_client=True) as client:
        client.flushall()
        if client.wait(count, FLUSH_MS) < count:
            raise TimeoutError(f'not all replicas of {primary!r} deleted their data within 4 s')


def _has(replica: Node, written: int) -> bool:
    info = replica.call('INFO', 'replication')
    return info.get('master_link_status') == 'up' and bool(info['slave_repl_offset'] >= written)
