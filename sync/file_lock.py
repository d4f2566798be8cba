"""Keeps a second service off the same files, with a lock that the operating system drops when the process ends, however it ends."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from edge_agent.domain.errors import JournalLocked


class FileLock:
    """The exclusive lock on ``path``, held from ``take`` until ``release``. The file holds the owner's process id, for people.

    ``hint`` is what is said to whom it refuses.
    """

    def __init__(self, path: Path, hint: str = "Use the service that is running, or stop it first (systemctl stop edge-agent).") -> None:
        self._path = path
        self._hint = hint
        self._handle: int | None = None

    def take(self) -> None:
        """Take the lock at once or raise JournalLocked; OSError when the file cannot be made."""
        assert self._handle is None, "the lock is held already"
        self._handle = self._locked()

    @property
    def astray(self) -> bool:
        """Whether the file that is locked was removed or replaced: whoever comes next would lock another one."""
        if self._handle is None:
            return False
        try:
            return not os.path.samestat(os.fstat(self._handle), os.stat(self._path))
        except OSError:
            return True

    def take_again(self) -> None:
        """Lock the file that stands at the path now, made if there is none. Raises JournalLocked, OSError; the old lock is kept then."""
        handle, before = self._locked(), self._handle
        self._handle = handle
        if before is not None:
            os.close(before)

    def release(self) -> None:
        """Let go; does nothing when it is not held. The file stays: removing it would let two processes lock two files of one name."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _locked(self) -> int:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            lock_alone(handle)
        except OSError as problem:
            owner = _owner(handle)
            os.close(handle)
            raise JournalLocked(
                f"Another service (process {owner}) already runs on {self._path.parent}.",
                hint=self._hint,
                process=owner,
            ) from problem
        with suppress(OSError):  # for people alone: a full disk is no reason not to hold the lock
            os.ftruncate(handle, _OWNER_AT)
            os.lseek(handle, _OWNER_AT, os.SEEK_SET)
            os.write(handle, str(os.getpid()).encode())
        return handle


_OWNER_AT = 1
"""The first byte is what is locked (on Windows a locked byte cannot be read by others); the owner's process id follows it."""


def lock_alone(handle: int) -> None:
    """Lock an open file for this process alone (on Windows: its next byte). Raises OSError when another process has the lock."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _owner(handle: int) -> str:
    os.lseek(handle, _OWNER_AT, os.SEEK_SET)
    return os.read(handle, 20).decode("ascii", "replace").strip() or "unknown"
