"""Looks whether a journal is what was written: pages, the chain of events, the chains and numbers of facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from edge_agent.domain.errors import JournalCorrupt
from sync.cipher import CORRUPT_HINT, Connection, SqlError
from sync.contract.envelope import FIRST_PREVHASH, fact_hash
from sync.journal_append import FIRST_EVENT_HASH, event_hash

TAIL_EVENTS = 256
TAIL_FACTS = 64
PROBLEMS_MAX = 50
"""How many problems a verification lists; one damaged page can make thousands."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a whole check found: how many events and facts were looked at, and an English sentence for every problem."""

    events: int
    facts: int
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.problems


def verify(db: Connection) -> Verification:
    """Check every page, every event and every fact. Slow (about 100 MB a second); reads only."""
    try:
        problems = [*_page_problems(db), *(row[0] for row in db.execute("PRAGMA integrity_check(20)") if row[0] != "ok")]
        events = int(db.execute("SELECT count(*) FROM event").fetchone()[0])
        facts = int(db.execute("SELECT count(*) FROM fact").fetchone()[0])
        for problem in _chain_problems(db):
            problems.append(problem)
            if len(problems) >= PROBLEMS_MAX:
                break
    except SqlError as problem:
        return Verification(0, 0, (*_page_problems_again(db), f"The file cannot be read to its end: {problem}."))
    return Verification(events, facts, tuple(problems[:PROBLEMS_MAX]))


def check_pages(db: Connection) -> None:
    """Raise JournalCorrupt unless every page carries the right authentication code (SQLCipher's HMAC)."""
    for problem in _page_problems(db):
        raise JournalCorrupt(f"The journal is damaged: {problem}", hint=CORRUPT_HINT)


def check_tail(db: Connection) -> None:
    """Raise JournalCorrupt unless the newest events and facts verify, and the streams' heads are what the facts say."""
    if db.execute("SELECT count(*) FROM sqlite_schema WHERE name IN ('event', 'state')").fetchone()[0] != 2:
        return  # power went while it was being made
    last = db.execute("SELECT max(position) FROM event").fetchone()[0] or 0
    for problem in (*_event_problems(db, last - TAIL_EVENTS), *_fact_problems(db, TAIL_FACTS), *_state_problems(db)):
        raise JournalCorrupt(f"The journal's tail does not verify: {problem}", hint=CORRUPT_HINT)


def _chain_problems(db: Connection) -> Iterator[str]:
    yield from _event_problems(db, 0)
    yield from _fact_problems(db, None)
    yield from _state_problems(db)


def _page_problems(db: Connection) -> Iterator[str]:
    for row in db.execute("PRAGMA cipher_integrity_check"):
        yield f"{row[0]}."


def _page_problems_again(db: Connection) -> list[str]:
    try:
        return list(_page_problems(db))[:PROBLEMS_MAX]
    except SqlError:
        return []


def _event_problems(db: Connection, after: int) -> Iterator[str]:
    """Problems of the events behind position ``after``: numbered without gaps, each hash over the one before it."""
    start = max(after, 0)
    row = db.execute("SELECT hash FROM event WHERE position = ?", (start,)).fetchone()
    if start and row is None:
        yield f"Event {start} is missing."
        return
    chain, expected = (row[0] if row else FIRST_EVENT_HASH), start + 1
    columns = "position, at_ms, type, body, person, seal_key, sealed, hash"
    for position, at_ms, type, body, person, seal_key, sealed, hash in db.execute(
        f"SELECT {columns} FROM event WHERE position > ? ORDER BY position",  # noqa: S608 - names of columns
        (start,),
    ):
        if position != expected:
            yield f"Event {expected} is missing."
        if event_hash(chain, position, at_ms, type, body, person, seal_key, sealed) != hash:
            yield f"Event {position} is not what was written, or the one before it is not."
        chain, expected = hash, position + 1


def _fact_problems(db: Connection, newest: int | None) -> Iterator[str]:
    """Problems of the facts (the ``newest`` of each stream, or all): gapless, hashed, linked, and as their envelope says."""
    for identity, stream, head, head_hash in db.execute("SELECT identity, name, head, hash FROM stream ORDER BY identity, name").fetchall():
        source, epoch = db.execute("SELECT source, epoch FROM identity WHERE id = ?", (identity,)).fetchone() or ("", "")
        start = 0 if newest is None else max(head - newest, 0)
        before = db.execute("SELECT hash FROM fact WHERE identity = ? AND stream = ? AND number = ?", (identity, stream, start)).fetchone()
        chain, expected = (before[0] if before else FIRST_PREVHASH), start + 1
        if start and before is None:
            yield f"Fact {stream} {start} is missing."
            continue
        rows = db.execute(
            "SELECT number, wire, hash, prev FROM fact WHERE identity = ? AND stream = ? AND number > ? ORDER BY number", (identity, stream, start)
        )
        for number, wire, hash, prev in rows:
            if number != expected:
                yield f"Fact {stream} {expected} is missing."
            if fact_hash(wire) != hash:
                yield f"Fact {stream} {number} is not what was written."
            if prev != chain or not _says(wire, source, epoch, stream, number, prev):
                yield f"Fact {stream} {number} is not linked to the one before it."
            chain, expected = hash, number + 1
        if (expected - 1, chain) != (head, head_hash):
            yield f"Stream {stream} ends at fact {expected - 1}, expected {head}."


def _says(wire: bytes, source: str, epoch: str, stream: str, number: int, prev: str) -> bool:
    try:
        told = msgspec.json.decode(wire, type=dict[str, msgspec.Raw])
        said = tuple(msgspec.json.decode(told[name]) for name in ("source", "epoch", "stream", "sequence", "prevhash"))
    except (msgspec.DecodeError, KeyError):
        return False
    return said == (source, epoch, stream, f"{number:020d}", prev)


def _state_problems(db: Connection) -> Iterator[str]:
    row = db.execute("SELECT position FROM state WHERE id = 1").fetchone()
    last = db.execute("SELECT max(position) FROM event").fetchone()[0] or 0
    if row is not None and row[0] > last:
        yield f"The register's state is of event {row[0]}, but the journal ends at {last}."
