"""Looks whether a journal is what was written: pages, the chain of events, the chains and numbers of facts, and what was made of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import msgspec
from msgspec import Struct

from edge_agent.domain.errors import JournalCorrupt
from sync.cipher import CORRUPT_HINT, Connection, SqlError
from sync.contract.envelope import FIRST_PREVHASH, fact_hash
from sync.journal_append import FIRST_EVENT_HASH, event_hash
from sync.journal_high import high_mark, tail_lost
from sync.journal_projections import command_problems, newest_sale_problems, projection_problems, state_problems
from sync.journal_rebuilt import rebuilt_problems
from sync.journal_wal import lost_frames, pages_in_log

TAIL_EVENTS = 256
TAIL_FACTS = 64
PROBLEMS_MAX = 50
"""How many problems a verification lists; one damaged page can make thousands."""


class Verification(Struct, frozen=True):
    """What a whole check found: how many events and facts were looked at, and an English sentence for every problem.

    ``damaged``: what is wrong is the file, an event or a fact. Else only what this version makes out of the events is not what was kept of them: somebody
    has to look, but the events are whole, and no reason to stop selling.
    """

    events: int
    facts: int
    problems: tuple[str, ...]
    damaged: bool = True

    @property
    def sound(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.problems


def verify(db: Connection, path: Path) -> Verification:
    """Check every page, every event and every fact of the journal at ``path``, whose reader ``db`` is in no transaction.

    Slow (about 100 MB a second); reads only.
    """
    problems = [*_end_problems(db, path), *_lasting_page_problems(db, path)]
    try:
        db.execute("BEGIN")
        problems += [row[0] for row in db.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
        events = int(db.execute("SELECT count(*) FROM event").fetchone()[0])
        facts = int(db.execute("SELECT count(*) FROM fact").fetchone()[0])
        problems += islice(_chain_problems(db), PROBLEMS_MAX)
        differing = () if problems else tuple(rebuilt_problems(db))
    except SqlError as problem:
        return Verification(0, 0, (*problems, f"The file cannot be read to its end: {problem}."))
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
    return Verification(events, facts, (*problems[:PROBLEMS_MAX], *differing), bool(problems))


def check_end(db: Connection, path: Path) -> None:
    """Raise JournalCorrupt when the journal at ``path``, whose ``db`` is in no transaction, went on behind the point where SQLite stopped reading.

    Its log may be damaged there, or (reason ``tail_lost``) not be there at all.
    """
    lost = lost_frames(db, path)
    if lost:
        raise JournalCorrupt(f"{path}: {lost} committed pages follow a damaged one in its log.", hint=CORRUPT_HINT, path=path)
    high = high_mark(path)  # first: a running service goes on meanwhile
    last = int(db.execute("SELECT coalesce(max(position), 0) FROM event").fetchone()[0]) if high and _made(db) else 0
    if last < high:
        raise tail_lost(path, last, high)


def check_pages(db: Connection, path: Path) -> None:
    """Raise JournalCorrupt unless every page of the file at ``path`` carries the right authentication code (SQLCipher's HMAC), or is in the log.

    What can be said only after a look at all of a table is looked at as well.
    """
    for problem in chain(_page_problems(db, path), command_problems(db) if _made(db) else ()):
        raise JournalCorrupt(f"The journal is damaged: {problem}", hint=CORRUPT_HINT)


def check_tail(db: Connection) -> None:
    """Raise JournalCorrupt unless the newest events and facts verify, and the streams' heads are what the facts say."""
    if not _made(db):
        return  # power went while it was being made
    last = db.execute("SELECT max(position) FROM event").fetchone()[0] or 0
    tail = chain(_event_problems(db, last - TAIL_EVENTS), fact_problems(db, TAIL_FACTS), state_problems(db), newest_sale_problems(db))
    for problem in tail:
        raise JournalCorrupt(f"The journal's tail does not verify: {problem}", hint=CORRUPT_HINT)


def _made(db: Connection) -> bool:
    return int(db.execute("SELECT count(*) FROM sqlite_schema WHERE name IN ('event', 'state')").fetchone()[0]) == 2


def _chain_problems(db: Connection) -> Iterator[str]:
    yield from _event_problems(db, 0)
    yield from fact_problems(db, None)
    yield from projection_problems(db)


def _end_problems(db: Connection, path: Path) -> list[str]:
    try:
        check_end(db, path)
    except JournalCorrupt as problem:
        return [problem.message]
    except SqlError:
        return []  # what cannot be read at all is told by the statements that follow
    return []


def _page_problems(db: Connection, path: Path) -> Iterator[str]:
    """Problems of pages of the file that count: those in the log are read there, and what a power cut left of their copying is no damage."""
    found = [str(row[0]) for row in db.execute("PRAGMA cipher_integrity_check")]
    logged = pages_in_log(db, path) if found else frozenset()
    for problem in found:
        page = re.search(r"page (\d+)", problem)
        if page is None or int(page[1]) not in logged:
            yield f"{problem}."


def _lasting_page_problems(db: Connection, path: Path) -> list[str]:
    """Those that are found by two looks: a running service copies pages from its log into the file, and may begin the log anew meanwhile."""
    try:
        first = list(_page_problems(db, path))
        return [problem for problem in (_page_problems(db, path) if first else ()) if problem in first][:PROBLEMS_MAX]
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


def fact_problems(db: Connection, newest: int | None) -> Iterator[str]:
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
            if prev != chain or not says(wire, source, epoch, stream, number, prev):
                yield f"Fact {stream} {number} is not linked to the one before it."
            chain, expected = hash, number + 1
        if (expected - 1, chain) != (head, head_hash):
            yield f"Stream {stream} ends at fact {expected - 1}, expected {head}."


def says(wire: bytes, source: str, epoch: str, stream: str, number: int, prev: str) -> bool:
    """Whether a fact's own envelope names that place."""
    try:
        told = msgspec.json.decode(wire, type=dict[str, msgspec.Raw])
        said = tuple(msgspec.json.decode(told[name]) for name in ("source", "epoch", "stream", "sequence", "prevhash"))
    except (msgspec.DecodeError, KeyError):
        return False
    return said == (source, epoch, stream, f"{number:020d}", prev)
