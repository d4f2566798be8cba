"""Tells a write-ahead log that lost committed pages to damage from one that merely ends in a write that was never finished.

SQLite reads its log up to the first frame that does not verify and takes that for the end. With every commit synced before the next
begins, only frames of one commit can lie torn behind that point; a second commit behind it was acknowledged, and is lost to damage.
The layout is the file format's (sqlite.org/fileformat2.html, section 4): a header of 32 bytes whose bytes 16 to 23 are the salts, then
frames of a 24 byte header (page, size of the database after a commit or 0, salts, checksums) and one page.
"""

from __future__ import annotations

import struct
from pathlib import Path

from sync.cipher import Connection

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_MAGIC = (0x377F0682, 0x377F0683)


def lost_frames(db: Connection, path: Path) -> int:
    """How many committed pages the log of the open journal at ``path`` has behind the point where SQLite stopped reading; 0 when it is sound."""
    valid = max(int(db.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()[1]), 0)
    try:
        with path.with_name(path.name + "-wal").open("rb") as log:
            head = log.read(_HEADER.size)
            if len(head) < _HEADER.size:
                return 0
            magic, _, page_bytes, _, *salts = _HEADER.unpack(head)[:6]
            if magic not in _MAGIC:
                return 0
            commits_behind = []
            index = valid
            while True:
                log.seek(_HEADER.size + index * (_FRAME.size + page_bytes))
                frame = log.read(_FRAME.size)
                if len(frame) < _FRAME.size:
                    break
                _, size_after, *frame_salts = _FRAME.unpack(frame)[:4]
                if frame_salts != salts:
                    break
                index += 1
                if size_after:
                    commits_behind.append(index)
    except FileNotFoundError:
        return 0
    return index - valid if len(commits_behind) > 1 else 0
