"""Remembers beside the journal how far it went, so that one that lost its log is met as a loss and not as a young register.

Until the log is first copied into ``journal.db``, all that was sold stands in the log; and whoever removes that file leaves a journal that is sound and
empty. So after each commit the newest event's position is written to ``journal.db-high``, under the journal's own identity (the random salt that the
encrypted file begins with). It is not synced: after a power cut it may be behind, and never ahead, because it is written once the commit is on the disk.
A file that is torn, missing or another journal's says nothing.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

from edge_agent.domain.errors import JournalCorrupt

HIGH = "-high"
_MARK = struct.Struct(">16sQI")
_SALT_BYTES = 16


class HighMark:
    """The file of the journal at ``path``; only the thread that writes the journal uses it. No failure of it stops anything: then it is behind."""

    def __init__(self, path: Path) -> None:
        self._journal = path
        self._handle: int | None = None
        self._salt = b""

    def take(self) -> None:
        """Begin to write the mark of the journal that stands at the path now."""
        self.release()
        try:
            self._salt = _salt(self._journal)
            if self._salt:
                self._handle = os.open(_beside(self._journal), os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        except OSError:
            self._handle = None

    def put(self, position: int) -> None:
        """The newest event that is on the disk."""
        if self._handle is None:
            return
        try:
            os.lseek(self._handle, 0, os.SEEK_SET)
            os.write(self._handle, _encoded(self._salt, position))
        except OSError:
            self.release()  # on a disk that fails, the journal itself says so

    def release(self) -> None:
        """Let go of the file."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


def high_mark(path: Path) -> int:
    """How far the journal at ``path`` is known to have gone; 0 where nothing is known."""
    try:
        held = _beside(path).read_bytes()
        salt = _salt(path)
    except OSError:
        return 0
    if len(held) != _MARK.size or not salt:
        return 0
    position = int(_MARK.unpack(held)[1])
    return position if held == _encoded(salt, position) else 0


def tail_lost(path: Path, last: int, high: int) -> JournalCorrupt:
    """The journal ends at event ``last``, and went on to ``high``."""
    return JournalCorrupt(
        f"{path} ends at event {last}, but it went on to event {high}: what it wrote last is missing.",
        hint=f"Put back what belongs to it ({path.name}-wal, or a newer {path.name}) and delete nothing. If it is lost for good, enrol the register again "
        "(edge-agent enrol URL CODE, with a new code): this journal is moved aside then, and a new one begins, which sends what central lacks of it.",
        reason="tail_lost",
        path=path,
    )


def _encoded(salt: bytes, position: int) -> bytes:
    return _MARK.pack(salt, position, zlib.crc32(salt + position.to_bytes(8, "big")))


def _salt(path: Path) -> bytes:
    with path.open("rb") as file:
        salt = file.read(_SALT_BYTES)
    return salt if len(salt) == _SALT_BYTES and any(salt) else b""


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}{HIGH}")
