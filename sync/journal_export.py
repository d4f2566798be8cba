"""The whole journal as lines of JSON, read in short steps: nothing is held while whoever asked for it is slow.

A read transaction keeps the log from being emptied, so that one reader who stops would fill the disk. Facts and events are only ever appended; up to where
they reached at the beginning they are one state, however long the reading takes. What alone can change is the end of a stream, when a fact is withheld.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import msgspec

from edge_agent.domain.errors import StorageFailed
from sync.cipher import Connection

STEP_ROWS_MAX = 256
STEP_BYTES = 128 * 1024
"""So much is read at once, and the row that reaches it."""
Reading = Callable[[], AbstractContextManager[Connection]]
"""A connection inside one read transaction, for the length of the block."""


def exported(reading: Reading) -> Iterator[bytes]:
    """The lines of every fact, then of every event, up to where they reach when the first is asked for."""
    with reading() as db:
        streams = db.execute("SELECT identity, name, head FROM stream ORDER BY identity, name").fetchall()
        last = int(db.execute("SELECT coalesce(max(position), 0) FROM event").fetchone()[0])
    for identity, stream, head in streams:
        yield from _facts(reading, identity, stream, head)
    yield from _events(reading, last)


def _facts(reading: Reading, identity: int, stream: str, head: int) -> Iterator[bytes]:
    select = "SELECT number, wire, hash FROM fact WHERE identity = ? AND stream = ? AND number > ? AND number <= ? ORDER BY number LIMIT ?"
    number, hash = 0, ""
    while number < head:
        with reading() as db:
            same = "SELECT 1 FROM fact WHERE identity = ? AND stream = ? AND number = ? AND hash = ?"
            linked = not number or db.execute(same, (identity, stream, number, hash)).fetchone() is not None
            rows = _step(db.execute(select, (identity, stream, number, head, STEP_ROWS_MAX)))
        if not linked:
            raise StorageFailed(f"A fact of {stream} was withheld while the journal was exported: what follows does not belong to it.", hint="Export again.")
        if not rows:
            return
        for _, wire, _ in rows:
            yield wire + b"\n"
        number, _, hash = rows[-1]


def _events(reading: Reading, last: int) -> Iterator[bytes]:
    select = "SELECT position, body, at_ms, type, person, hash FROM event WHERE position > ? AND position <= ? ORDER BY position LIMIT ?"
    position = 0
    while position < last:
        with reading() as db:
            rows = _step(db.execute(select, (position, last, STEP_ROWS_MAX)))
        if not rows:
            return
        for position, body, at_ms, type, person, hash in rows:
            event = {"event": position, "atMs": at_ms, "type": type, "person": person, "hash": hash.hex(), **_shown(body)}
            yield msgspec.json.encode(event) + b"\n"


def _step(rows: Iterable[Any]) -> list[Any]:
    """The first rows, up to STEP_BYTES by their second column."""
    found, size = [], 0
    for row in rows:
        found.append(row)
        size += len(row[1])
        if size >= STEP_BYTES:
            break
    return found


def _shown(body: bytes) -> dict[str, object]:
    """An event's body as JSON where it is JSON, else in base64."""
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {"base64": base64.b64encode(body).decode()}
    return {"body": msgspec.Raw(body)}
