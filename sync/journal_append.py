"""What one decision writes into the journal, as part of the transaction that the writer has opened."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence

import msgspec

from edge_agent.clock import Random
from edge_agent.domain.money import digits
from edge_agent.domain.tender import OPEN, Attempt
from edge_agent.ports import Commit, Committed, EventRow, SaleRow
from sync.cipher import Connection
from sync.journal_facts import append_facts
from sync.journal_person import NOT_SEALED, seal

FIRST_EVENT_HASH = bytes(32)
"""What the first event is chained to."""


def append(db: Connection, commit: Commit, at_ms: int, random: Random) -> Committed:
    """Write ``commit``, unless its command is there already. A refused row (a second open attempt, a reused id) raises IntegrityError."""
    assert commit.command, "a commit has an id"
    position, chain = last_event(db)
    known = "INSERT INTO command(id, position, at_ms, said) VALUES (?, ?, ?, ?) ON CONFLICT(id) DO NOTHING"
    if db.execute(known, (commit.command, position + len(commit.events), at_ms, commit.said)).rowcount == 0:
        return Committed(position, fresh=False)
    for row in commit.events:
        position, chain = _append_event(db, row, position + 1, chain, at_ms, random)
    append_facts(db, commit.facts, random)
    _put_attempts(db, commit.attempts)
    _put_sales(db, commit.sales)
    if commit.snapshot is not None:
        put = "INSERT INTO state VALUES (1, ?, ?) ON CONFLICT(id) DO UPDATE SET snapshot = excluded.snapshot, position = excluded.position"
        db.execute(put, (commit.snapshot, position))
    return Committed(position, fresh=True)


def position_of(db: Connection, command: str) -> int | None:
    """The journal's last position after the commit with that id, or None when there is no such commit."""
    row = db.execute("SELECT position FROM command WHERE id = ?", (command,)).fetchone()
    return None if row is None else int(row[0])


def said_of(db: Connection, command: str) -> bytes:
    """The digest that was committed with that command (``Commit.said``); empty when there is none, or no such commit."""
    row = db.execute("SELECT said FROM command WHERE id = ?", (command,)).fetchone()
    return b"" if row is None else bytes(row[0])


def last_event(db: Connection) -> tuple[int, bytes]:
    """Position and chain hash of the newest event."""
    row = db.execute("SELECT position, hash FROM event ORDER BY position DESC LIMIT 1").fetchone()
    return (0, FIRST_EVENT_HASH) if row is None else (row[0], row[1])


def event_hash(prev: bytes, position: int, at_ms: int, type: str, body: bytes, person: str, seal_key: int, sealed: bytes) -> bytes:
    """The SHA-256 over the hash before it and every column of an event, each with its length."""
    digest = hashlib.sha256(prev)
    digest.update(struct.pack(">qqq", position, at_ms, seal_key))
    for part in (type.encode(), body, person.encode(), sealed):
        digest.update(struct.pack(">I", len(part)))
        digest.update(part)
    return digest.digest()


def _append_event(db: Connection, row: EventRow, position: int, prev: bytes, at_ms: int, random: Random) -> tuple[int, bytes]:
    assert row.person or not row.personal, "a personal part belongs to a person"
    seal_key, sealed = seal(db, row.person, row.personal, position, at_ms, random) if row.personal else (NOT_SEALED, b"")
    chain = event_hash(prev, position, at_ms, row.type, row.body, row.person, seal_key, sealed)
    db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (position, at_ms, row.type, row.body, row.person, seal_key, sealed, chain))
    return position, chain


_FIXED = ("tender", "kind", "terminal", "amount_minor", "currency", "wire_ref", "original")
_MOVING = ("state", "started_ms", "updated_ms", "settle_after_ms", "approved_minor", "offline", "reason", "result")
ATTEMPT_COLUMNS = ("id", *_FIXED, *_MOVING)
_PUT_ATTEMPT = (
    f"INSERT INTO attempt(id, {', '.join(_FIXED + _MOVING)}) VALUES ({', '.join('?' * (1 + len(_FIXED) + len(_MOVING)))}) "  # noqa: S608 - names of columns
    f"ON CONFLICT(id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _MOVING)} "
    f"WHERE {' AND '.join(f'attempt.{name} = excluded.{name}' for name in _FIXED)}"
)


def attempt_row(attempt: Attempt) -> tuple[object, ...]:
    """The values of ``ATTEMPT_COLUMNS``."""
    fixed = (attempt.tender, attempt.kind.value, attempt.terminal, attempt.amount_minor, attempt.currency, attempt.wire_ref, attempt.original)
    moving = (attempt.state.value, attempt.started_ms, attempt.updated_ms, attempt.settle_after_ms, attempt.approved_minor, int(attempt.offline))
    return (attempt.id, *fixed, *moving, attempt.reason, msgspec.json.encode(attempt.result))


def _put_attempts(db: Connection, attempts: Sequence[Attempt]) -> None:
    """Upsert, those that ended first: within one commit an attempt may end and the next one on its tender begin."""
    for attempt in sorted(attempts, key=lambda attempt: attempt.state in OPEN):
        changed = db.execute(_PUT_ATTEMPT, attempt_row(attempt)).rowcount
        assert changed == 1, f"attempt {attempt.id} changed what is fixed before the first byte ({', '.join(_FIXED)})"


def _put_sales(db: Connection, sales: Iterable[SaleRow]) -> None:
    rows = [
        (sale.id, sale.number, sale.receipt, sale.at_ms, sale.total_minor, digits(sale.currency), sale.currency, sale.customer, sale.body) for sale in sales
    ]
    if rows:
        db.executemany("INSERT INTO sale VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
