"""Tells a write-ahead log that lost committed pages to damage from one that merely ends in a write that was never finished.

SQLite reads its log up to the first frame that does not verify and takes that for the end. With every commit synced before the next
begins, what lies torn behind that point is of one commit; two commits in frames that still follow from each other were acknowledged, and
are lost to damage. (Left-overs of writes that failed earlier do not follow from what was written over them.)

The layout is the file format's (sqlite.org/fileformat2.html, section 4): a header of 32 bytes whose bytes 16 to 23 are the salts, then
frames of a 24 byte header (page, size of the database after a commit or 0, salts, running checksum) and one page.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from sync.cipher import Connection

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_WORD_ORDER = {0x377F0682: "<", 0x377F0683: ">"}
"""The magic number says in which byte order the checksum reads its words."""


class _Frame(Struct, frozen=True):
    commits: bool
    salts: tuple[int, int]
    checksum: tuple[int, int]
    summed: bytes  # the first eight bytes of the header, and the page


def pages_in_log(db: Connection, path: Path) -> frozenset[int]:
    """The numbers of the pages that the log of the open journal at ``path`` holds; whatever the file has of them is not read."""
    try:
        with path.with_name(path.name + "-wal").open("rb") as log:
            return frozenset(_pages(log, _frames_in_use(db)))
    except FileNotFoundError:
        return frozenset()


def _pages(log: BinaryIO, valid: int) -> Iterator[int]:
    head = log.read(_HEADER.size)
    for frame in range(valid if len(head) == _HEADER.size else 0):
        log.seek(_HEADER.size + frame * (_FRAME.size + _HEADER.unpack(head)[2]))
        yield int(_FRAME.unpack(log.read(_FRAME.size))[0])


def _frames_in_use(db: Connection) -> int:
    """Up to which frame SQLite reads the log."""
    return max(int(db.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()[1]), 0)


def lost_frames(db: Connection, path: Path) -> int:
    """How many sound pages the log of the open journal at ``path`` has behind the point where SQLite stopped reading; 0 when nothing was lost.

    ``db`` is in no transaction. A running service writes the log while it is looked at, and begins it anew: only what two looks find alike was lost.
    """
    seen = _look(db, path)
    while seen[0] and (again := _look(db, path)) != seen:
        seen = again
    return seen[0]


def _look(db: Connection, path: Path) -> tuple[int, int, bytes]:
    """How many pages are lost in the log as it is now, how many are in use, and its header."""
    valid = _frames_in_use(db)
    try:
        with path.with_name(path.name + "-wal").open("rb") as log:
            lost = _lost(log, valid)
            log.seek(0)
            return lost, valid, log.read(_HEADER.size)
    except FileNotFoundError:
        return 0, valid, b""


def _lost(log: BinaryIO, valid: int) -> int:
    head = log.read(_HEADER.size)
    if len(head) < _HEADER.size:
        return 0
    magic, _, page_bytes, _, *salts = _HEADER.unpack(head)[:6]
    order = _WORD_ORDER.get(magic)
    if order is None:
        return 0
    log.seek(_HEADER.size + valid * (_FRAME.size + page_bytes))
    sound = commits = 0
    before: _Frame | None = None
    for frame in _frames(log, page_bytes):
        if frame.salts != tuple(salts):
            if before is not None:
                break
        elif before is None:
            commits = int(frame.commits)
        elif checksum(frame.summed, before.checksum, order) == frame.checksum:
            sound += 1
            commits += frame.commits
            if commits > 1:
                return sound
        else:
            sound, commits = 0, int(frame.commits)
        before = frame
    return 0


def _frames(log: BinaryIO, page_bytes: int) -> Iterator[_Frame]:
    while len(raw := log.read(_FRAME.size + page_bytes)) == _FRAME.size + page_bytes:
        _, size_after, salt_1, salt_2, sum_1, sum_2 = _FRAME.unpack_from(raw)
        yield _Frame(size_after > 0, (salt_1, salt_2), (sum_1, sum_2), raw[:8] + raw[_FRAME.size :])


def checksum(data: bytes, seed: tuple[int, int], order: str) -> tuple[int, int]:
    """SQLite's running checksum over ``data`` (a multiple of 8 bytes), going on from ``seed``.

    >>> checksum(bytes([1, 0, 0, 0, 2, 0, 0, 0]), (0, 0), "<")
    (1, 3)
    """
    first, second = seed
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for place in range(0, len(words), 2):
        first = (first + words[place] + second) & 0xFFFFFFFF
        second = (second + words[place + 1] + first) & 0xFFFFFFFF
    return first, second
