"""Holds the very files that the journal writes, whatever is done to their names: a lock that cannot be deleted away, and what is needed to copy them.

A name in a folder is not the file: who removes ``journal.db``, or moves another file over it, leaves a running service writing into one that no restart
will find. So the service keeps a handle of its own on the file and on its log, and compares them with what stands at the paths (two calls of
``stat``, 5 us together) before anything is acknowledged. As long as the handles are open the operating system keeps both contents.

The handle on ``journal.db`` also carries a lock (``flock``, which SQLite does not use), so that a second service is refused even when
``journal.lock`` was deleted. It is closed only when another file has taken the name, or at the very end: to close any handle on a file lets go of
every POSIX lock that the process has on it, SQLite's among them. On Windows an open file can be neither removed nor replaced.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from edge_agent.domain.errors import JournalLocked
from sync.file_lock import lock_alone

CHUNK_BYTES = 1024 * 1024


class HeldFile:
    """An open file and its identity. ``take`` opens whatever stands at the path now."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = str(path)  # astray is asked before every acknowledgement
        self.handle: int | None = None
        self._is: tuple[int, int] = (0, 0)

    @property
    def astray(self) -> bool:
        """Whether a file is held that no longer stands at its path."""
        if self.handle is None:
            return False
        try:
            there = os.stat(self._name)
        except OSError:
            return True  # removed, or its folder cannot even be read
        return (there.st_dev, there.st_ino) != self._is

    def take(self, flags: int = 0, *, alone: bool = False) -> None:
        """Hold the file at the path (``alone``: and lock it), in place of the one before. Raises OSError; JournalLocked when another service has it."""
        if self.handle is not None and not self.astray:
            return
        handle = os.open(self.path, os.O_RDWR | flags | getattr(os, "O_BINARY", 0), 0o600)
        if alone and sys.platform != "win32":
            try:
                lock_alone(handle)
            except OSError as problem:
                os.close(handle)
                raise JournalLocked(
                    f"Another service already runs on {self.path.parent}.",
                    hint="Use the service that is running, or stop it first (systemctl stop edge-agent).",
                    process="unknown",
                ) from problem
        self.release()
        status = os.fstat(handle)
        self._is = (status.st_dev, status.st_ino)
        self.handle = handle  # last: others ask meanwhile whether it is astray

    def release(self) -> None:
        """Let go; does nothing when nothing is held."""
        handle, self.handle = self.handle, None
        if handle is not None:
            os.close(handle)

    def copy_to(self, path: Path) -> None:
        """Write what the held file contains to a new file at ``path``, synced. Raises OSError."""
        assert self.handle is not None, "nothing is held"
        path.unlink(missing_ok=True)
        os.lseek(self.handle, 0, os.SEEK_SET)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "wb") as copy:
            while chunk := os.read(self.handle, CHUNK_BYTES):
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
