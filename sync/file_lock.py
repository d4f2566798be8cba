"""Keeps a second service off the same files, with a lock that the operating system drops when the process ends, however it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from edge_agent.domain.errors import JournalLocked


class FileLock:
    """The exclusive lock on ``path``, held from ``take`` until ``release``. The file holds the owner's process id, for people."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self) -> None:
        """Take the lock at once or raise JournalLocked; OSError when the file cannot be made."""
        assert self._handle is None, "the lock is held already"
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(handle)
        except OSError as problem:
            owner = _owner(handle)
            os.close(handle)
            raise JournalLocked(
                f"Another service (process {owner}) already runs on {self._path.parent}.",
                hint="Use the service that is running, or stop it first (systemctl stop edge-agent).",
                process=owner,
            ) from problem
        os.ftruncate(handle, _OWNER_AT)
        os.lseek(handle, _OWNER_AT, os.SEEK_SET)
        os.write(handle, str(os.getpid()).encode())
        self._handle = handle

    def release(self) -> None:
        """Let go; does nothing when it is not held. The file stays: removing it would let two processes lock two files of one name."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


_OWNER_AT = 1
"""The first byte is what is locked (on Windows a locked byte cannot be read by others); the owner's process id follows it."""


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _owner(handle: int) -> str:
    os.lseek(handle, _OWNER_AT, os.SEEK_SET)
    return os.read(handle, 20).decode("ascii", "replace").strip() or "unknown"
