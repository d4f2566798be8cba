"""The reading half of the journal: the register's state, sales to look up, where the streams stand, and what IT looks at.

It works beside the running service as well (``JournalReader.open``): readers never wait for the writer, nor it for them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from edge_agent.clock import SystemRandom
from edge_agent.domain.errors import JournalCorrupt, StorageError
from edge_agent.ports import EventRow, SaleRow, StoredEvent, StreamStatus
from sync.cipher import Connection, Readers, SqlError, storage_error
from sync.contract.envelope import STREAMS
from sync.identity import ALONE, Identity
from sync.journal_append import position_of, said_of
from sync.journal_check import Verification, check_end, verify
from sync.journal_disk import JournalDisk
from sync.journal_export import exported
from sync.journal_facts import CENTRAL, current_identity, facts_after, next_for, unsent_naming, waiting_by_source
from sync.journal_person import erasures, erasures_among, kept_of, unseal
from sync.journal_sales import SALE_COLUMNS, receipts_used, sale_of, where_sale

SALES_LIMIT_MAX = 1_000


class QuarantinedFact(Struct, frozen=True):
    """A fact that central stored and put aside, or could not take at all (withheld); ``problem`` is its problem details as JSON."""

    stream: str
    number: int
    problem: str
    at_ms: int


class JournalReader:
    """Reads the journal at ``path`` through a few read-only connections; every method may be called from any thread and raises StorageError."""

    def __init__(self, path: Path, readers: Readers, failed: Callable[[StorageError], None] = lambda _: None) -> None:
        """``failed`` is told of every error that a read raises, from the thread that met it."""
        self._path = path
        self._readers = readers
        self._failed = failed

    @classmethod
    def open(cls, folder: Path, key: bytes) -> JournalReader:
        """A reader of the journal in ``folder``, whether or not a service runs on it."""
        disk = JournalDisk(folder, key, SystemRandom())
        return cls(disk.path, Readers(disk.open_reader))

    def close(self) -> None:
        """Close the connections."""
        self._readers.close()

    def load(self) -> tuple[bytes | None, Sequence[StoredEvent]]:
        """The stored register state, if any, and the events after it, in order."""
        with self._reading() as db:
            row = db.execute("SELECT snapshot, position FROM state WHERE id = 1").fetchone()
            snapshot, position = row or (None, 0)
            return snapshot, _events(db, "WHERE position > ? ORDER BY position", (position,))

    def position(self) -> int:
        """The newest event's position; 0 in an empty journal."""
        with self._reading() as db:
            return int(db.execute("SELECT coalesce(max(position), 0) FROM event").fetchone()[0])

    def tail(self, count: int) -> Sequence[StoredEvent]:
        """The newest ``count`` events, in order."""
        with self._reading() as db:
            return _events(db, "ORDER BY position DESC LIMIT ?", (count,))[::-1]

    def known_command(self, command: str) -> bool:
        """Whether a command with that id was committed."""
        with self._reading() as db:
            return position_of(db, command) is not None

    def said(self, command: str) -> bytes:
        """The digest of what that command said, as far as it is known."""
        with self._reading() as db:
            return said_of(db, command)

    def sales(self, text: str, limit: int) -> Sequence[SaleRow]:
        """Completed sales whose receipt, number, amount or customer id matches every word of ``text`` (all when empty).

        Newest first, as they were written: the clock may have been set back, and a register that this PC was before may have counted further.
        """
        where, values = where_sale(text)
        select = f"SELECT {SALE_COLUMNS} FROM sale {where} ORDER BY rowid DESC LIMIT ?"  # noqa: S608 - no value is in the text
        with self._reading() as db:
            return [sale_of(row) for row in db.execute(select, (*values, max(0, min(limit, SALES_LIMIT_MAX))))]

    def sale(self, sale_id: str) -> SaleRow | None:
        """One completed sale by its id or its receipt code."""
        with self._reading() as db:
            select = f"SELECT {SALE_COLUMNS} FROM sale WHERE id = ? OR receipt = ? COLLATE NOCASE"  # noqa: S608 - no value is in the text
            row = db.execute(select, (sale_id, sale_id)).fetchone()
            return None if row is None else sale_of(row)

    def receipts_used(self, codes: str) -> int:
        """The highest number of a sale whose receipt's code is ``codes`` and that number; 0 when there is none."""
        with self._reading() as db:
            return receipts_used(db, codes)

    def kept_of(self, persons: Collection[str]) -> list[str]:
        """Those of ``persons`` of whom the journal keeps something that it can forget."""
        with self._reading() as db:
            return kept_of(db, persons)

    def erasures(self, after: str, limit: int) -> list[str]:
        """Persons who are to be forgotten, in order, after that one."""
        with self._reading() as db:
            return erasures(db, after, limit)

    def erasures_among(self, persons: Collection[str]) -> list[str]:
        """Those of ``persons`` who are to be forgotten."""
        with self._reading() as db:
            return erasures_among(db, persons)

    def streams(self) -> Sequence[StreamStatus]:
        """Where every stream of the current identity stands."""
        with self._reading() as db:
            identity, _ = current_identity(db)
            heads = dict(db.execute("SELECT name, head FROM stream WHERE identity = ?", (identity,)).fetchall())
            return [_status(db, identity, stream, heads.get(stream, 0)) for stream in STREAMS]

    def unsent(self, stream: str, type: str, naming: str) -> list[str]:
        """The subjects of the facts of ``type`` in ``stream`` that have the text ``naming`` in them and are not in central's books."""
        with self._reading() as db:
            identity, _ = current_identity(db)
            return unsent_naming(db, identity, stream, type, naming)

    def identity(self) -> Identity:
        """Who the register is on the wire."""
        with self._reading() as db:
            return current_identity(db)[1]

    def waiting_by_source(self) -> dict[str, int]:
        """By source, how many facts of each register that this device is or was central has not acknowledged."""
        with self._reading() as db:
            return waiting_by_source(db)

    def facts_after(self, stream: str, number: int, limit_facts: int, limit_bytes: int) -> list[tuple[int, bytes]]:
        """(number, wire bytes) of the facts after ``number``: at most ``limit_facts``, at most ``limit_bytes`` in all but always one if there is one."""
        with self._reading() as db:
            return facts_after(db, current_identity(db)[0], stream, number, limit_facts, limit_bytes)

    def fact_hash(self, stream: str, number: int) -> str | None:
        """The hash of one fact of the current identity, or None when there is no such fact."""
        with self._reading() as db:
            select = "SELECT hash FROM fact WHERE identity = ? AND stream = ? AND number = ?"
            row = db.execute(select, (current_identity(db)[0], stream, number)).fetchone()
            return None if row is None else str(row[0])

    def quarantined(self) -> Sequence[QuarantinedFact]:
        """What central put aside, oldest first."""
        with self._reading() as db:
            rows = db.execute("SELECT stream, number, problem, at_ms FROM quarantine ORDER BY at_ms, stream, number")
            return [QuarantinedFact(*row) for row in rows]

    def quarantined_count(self) -> int:
        """How many facts central put aside or could not take."""
        with self._reading() as db:
            return int(db.execute("SELECT count(*) FROM quarantine").fetchone()[0])

    def withheld_count(self) -> int:
        """How many facts of this register central could not take."""
        own = "SELECT id FROM identity WHERE source IN (?, ?)"
        with self._reading() as db:
            who = current_identity(db)[1]
            return int(db.execute(f"SELECT count(*) FROM withheld WHERE identity IN ({own})", (who.source, ALONE.source)).fetchone()[0])  # noqa: S608

    def verify(self) -> Verification:
        """Check every page, event and fact of the journal. A file that cannot be opened is a problem found, not an exception."""
        try:
            with self._readers.use() as db:
                return verify(db, self._path)
        except JournalCorrupt as problem:
            return Verification(0, 0, (problem.message,))

    def require_end(self) -> None:
        """Raise JournalCorrupt when the journal goes on behind the last event that can be read."""
        try:
            with self._readers.use() as db:
                check_end(db, self._path)
        except SqlError as problem:
            raise storage_error(problem, self._path) from problem

    def export(self) -> Iterator[bytes]:
        """The journal as it is now, as lines of JSON: every fact as the bytes of its wire form, then every event (personal parts stay out).

        Nothing is held while whoever asked does something else with a line. Raises StorageFailed when facts that were read already are linked anew
        meanwhile (``withhold``, the only change of what is there): then the lines after them would not belong to those before.
        """
        return exported(self._reading)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A connection inside one read transaction, so that several statements see one state."""
        try:
            with self._readers.use() as db:
                db.execute("BEGIN")
                try:
                    yield db
                finally:
                    db.execute("ROLLBACK")
        except SqlError as problem:
            told = storage_error(problem, self._path)
            self._failed(told)
            raise told from problem
        except StorageError as problem:
            self._failed(problem)
            raise


def _events(db: Connection, which: str, values: tuple[object, ...]) -> list[StoredEvent]:
    select = f"SELECT position, at_ms, type, body, person, seal_key, sealed FROM event {which}"  # noqa: S608 - no value is in the text
    return [
        StoredEvent(position, at_ms, EventRow(type, body, person, unseal(db, seal_key, sealed, person, position)))
        for position, at_ms, type, body, person, seal_key, sealed in db.execute(select, values).fetchall()
    ]


def _status(db: Connection, identity: int, stream: str, head: int) -> StreamStatus:
    acknowledged = next_for(db, CENTRAL, identity, stream) - 1
    select = "SELECT at_ms FROM fact WHERE identity = ? AND stream = ? AND number = ?"
    row = db.execute(select, (identity, stream, acknowledged + 1)).fetchone()
    return StreamStatus(stream, head, acknowledged, None if row is None else row[0])
