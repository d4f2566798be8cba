"""The register's precious, append-only memory: what ``edge_agent.ports.Journal`` promises, on ``journal.db``.

One thread writes (``journal_writer``), a few connections read (``journal_read``), an operating system lock keeps a second service off.
Everything in the file is under SQLCipher; the personal part of events also under a key per person.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from edge_agent.clock import Clock, NewId, Random
from edge_agent.domain.errors import JournalCorrupt, JournalLocked, StorageError
from edge_agent.ports import Commit, Committed, SaleRow, StoredEvent, StreamStatus
from sync.cipher import CORRUPT_HINT, Connection, Readers, storage_error
from sync.file_lock import FileLock
from sync.identity import ALONE, Identity
from sync.journal_append import append
from sync.journal_aside import take_over
from sync.journal_check import Verification
from sync.journal_disk import BALLAST_BYTES, LOCK_NAME, JournalDisk
from sync.journal_facts import Behind, Earlier, adopt, current_identity, move_cursor, resend, say_behind, withhold
from sync.journal_person import destroy_keys, note_erasures
from sync.journal_read import JournalReader, QuarantinedFact
from sync.journal_writer import Writer
from sync.turns import Turns

QUARANTINED_FACTS_MAX = 10_000
"""How many put-aside facts are mirrored; central has them all."""


class Journal:
    """The journal of one register, open. Make one with ``Journal.open``; ``close`` it, or use it as an async context manager.

    ``boot`` names this run of the service; ``clean_start`` says whether the run before it closed the journal (or there was none).
    """

    def __init__(self, disk: JournalDisk, lock: FileLock, clock: Clock, random: Random, new_id: NewId, turns: Turns | None = None) -> None:
        self.boot = new_id()
        self.clean_start = True
        self._visit = False
        self._disk = disk
        self._lock = lock
        self._clock = clock
        self._random = random
        self._new_id = new_id
        self._readers = Readers(disk.open_reader)
        self._read = JournalReader(disk.path, self._readers, self._read_failed)
        self._writer = Writer(disk, self._readers.renew, turns)
        self._facts_added: Callable[[], None] | None = None
        self._damage: JournalCorrupt | None = None
        self._troubled: Callable[[StorageError], None] = lambda _: None

    @classmethod
    def open(
        cls, folder: Path, key: bytes, *, clock: Clock, random: Random, new_id: NewId, ballast_bytes: int = BALLAST_BYTES, turns: Turns | None = None,
        visit: bool = False,
    ) -> Journal:  # fmt: skip
        """Open the journal in ``folder`` (made if it is not there) under ``key`` (32 raw bytes), check it, and start its writer.

        Raises JournalLocked when a service runs on it, JournalCorrupt when it does not verify, DiskFull or StorageFailed when it cannot be
        opened. A disk without room for the ballast opens, but is ``stopped``. ``turns`` is where it writes: a thread of its own unless given.
        ``visit``: this is no run of the service; how the last one ended stays for its next start to see.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(folder / LOCK_NAME)
            lock.take()
        except OSError as problem:
            raise storage_error(problem, folder / LOCK_NAME) from problem
        journal = cls(JournalDisk(folder, key, random, ballast_bytes), lock, clock, random, new_id, turns)
        journal._visit = visit
        try:
            journal._writer.start(journal._began)
        except BaseException:
            journal._disk.release()
            lock.release()
            raise
        return journal

    async def __aenter__(self) -> Journal:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    @property
    def stopped(self) -> StorageError | None:
        """Why nothing can be written, or shall be written, at present; or None."""
        return self._damage or self._writer.stopped

    def on_facts(self, added: Callable[[], None]) -> None:
        """Call ``added`` on the event loop after every commit that brought facts."""
        self._facts_added = added

    # --- edge_agent.ports.Journal ---

    async def commit(self, commit: Commit) -> Committed:
        """Write ``commit`` and return once it is synced to disk.

        Raises DiskFull, StorageFailed or JournalCorrupt: then nothing of it is true, and only ``must`` commits get past a full disk until
        ``reopen``. Raises AssertionError, for this commit alone, when the tables refuse it (a second open attempt, a reused id).
        """
        at_ms = self._clock.now_ms()
        done = await self._writer.run(lambda db: append(db, commit, at_ms, self._random), command=commit.command, must=commit.must)
        if done.fresh and commit.facts and self._facts_added is not None:
            self._facts_added()
        return done

    async def known_command(self, command: str) -> bool:
        """Whether a command with that id was committed before; one that may be in the file without being synced was not."""
        return command not in self._writer.doubtful and self._read.known_command(command)

    async def said(self, command: str) -> bytes:
        """The digest of what the command with that id said; empty when it is not known."""
        return self._read.said(command)

    async def reopen(self) -> None:
        """Come back after a StorageError: reopen, check, hold the ballast again, prove that writing works. Raises StorageError while it cannot.

        A journal that was found damaged comes back only when the whole of it verifies.
        """
        damaged = isinstance(self.stopped, JournalCorrupt)
        await self._writer.reopen(self._require_sound if damaged else lambda: None)
        self._damage = None

    async def look_after(self) -> None:
        """Look whether the files are still the ones that are open, which costs nothing; to be called every second.

        A lock that was deleted is taken again. A journal that was removed or replaced stops, so that ``stopped`` says so, and is put back by ``reopen``.
        """
        if self._lock.astray:
            with suppress(JournalLocked, OSError):  # a second service holds it for a moment: it will not get the journal
                self._lock.take_again()
        if self.stopped is None and self._disk.astray:
            with suppress(StorageError):
                await self._writer.run(lambda _: None)

    def on_trouble(self, told: Callable[[StorageError], None]) -> None:
        """Call ``told``, from whichever thread it is, with whatever a read fails by, and with what ``verify`` finds."""
        self._troubled = told

    def _read_failed(self, problem: StorageError) -> None:
        if isinstance(problem, JournalCorrupt):
            self._damage = problem
        self._troubled(problem)

    def _require_sound(self) -> None:
        found = self._read.verify()
        if found.damaged:
            raise _damaged(found)

    def load(self) -> tuple[bytes | None, Sequence[StoredEvent]]:
        """The stored register state, if any, and the events after it, in order."""
        return self._read.load()

    def sales(self, text: str, limit: int) -> Sequence[SaleRow]:
        """Completed sales, newest first, that match every word of ``text`` (all of them when empty)."""
        return self._read.sales(text, limit)

    def sale(self, sale_id: str) -> SaleRow | None:
        """One completed sale by its id or its receipt code."""
        return self._read.sale(sale_id)

    def receipts_used(self, codes: str) -> int:
        """The highest number of a sale whose receipt's code is ``codes`` and that number; 0 when there is none."""
        return self._read.receipts_used(codes)

    def streams(self) -> Sequence[StreamStatus]:
        """Where every stream stands."""
        return self._read.streams()

    def unsent(self, stream: str, type: str, naming: str) -> Sequence[str]:
        """The subjects of the facts of ``type`` in ``stream`` that have the text ``naming`` in them and are not in central's books."""
        return self._read.unsent(stream, type, naming)

    # --- facts on their way ---

    @property
    def identity(self) -> Identity:
        """Who the register is on the wire; ``ALONE`` until it was enrolled."""
        return self._read.identity()

    async def adopt(self, identity: Identity, earlier: Earlier | None = None) -> int:
        """Be ``identity`` from now on. Facts that central does not have are issued anew under it; how many those were.

        ``earlier`` is where central stands with the earlier epochs of the register; where it did not say, what it acknowledged counts.
        """
        if identity == self.identity:
            return 0  # also of a journal that cannot be written just now
        at_ms = self._clock.now_ms()
        return await self._writer.run(lambda db: adopt(db, identity, at_ms, earlier))

    async def take_over(self, aside: Path) -> int:
        """Go on, as a new journal, with the whole facts of the one at ``aside``, which lost its end; how many. Raises StorageError."""
        return await self._writer.destroy(lambda db: take_over(db, aside, self._disk.key))

    def waiting_by_source(self) -> dict[str, int]:
        """By source, how many facts of each register that this device is or was wait for central."""
        return self._read.waiting_by_source()

    def facts_after(self, stream: str, number: int, limit_facts: int, limit_bytes: int) -> list[tuple[int, bytes]]:
        """(number, wire bytes) of the facts after ``number``, within the limits, but always one if there is one."""
        return self._read.facts_after(stream, number, limit_facts, limit_bytes)

    def fact_hash(self, stream: str, number: int) -> str | None:
        """The hash of one fact, or None when there is no such fact."""
        return self._read.fact_hash(stream, number)

    async def acknowledge(self, destination: str, next: dict[str, int]) -> None:
        """``destination`` has every fact below these numbers, by stream."""

        def write(db: Connection) -> None:
            for stream, number in next.items():
                move_cursor(db, destination, stream, number)

        await self._writer.run(write)

    async def withhold(self, stream: str, number: int, reason: str) -> bool:
        """Replace a fact that central cannot take by one that says so, and link the facts after it anew; false when it was one already."""
        at_ms = self._clock.now_ms()
        return await self._writer.run(lambda db: withhold(db, stream, number, reason, at_ms, self._new_id, self._random))

    async def resend(self) -> tuple[int, int]:
        """Put the facts that were withheld into their streams again, behind what waits there; how many, and how many cannot be."""
        done = await self._writer.run(resend)
        if done[0] and self._facts_added is not None:
            self._facts_added()
        return done

    async def say_behind(self, behind: Behind) -> int:
        """Have a fact of ``ops`` that tells central that this disk is behind it; its number. One that waits already is not doubled."""
        at_ms = self._clock.now_ms()
        return await self._writer.run(lambda db: say_behind(db, behind, at_ms, self._new_id, self._random))

    async def put_aside(self, found: Sequence[tuple[str, int, str]]) -> None:
        """Mirror what central put into quarantine: (stream, number, problem as JSON)."""
        at_ms = self._clock.now_ms()

        def write(db: Connection) -> None:
            identity, _ = current_identity(db)
            rows = [(identity, stream, number, problem, at_ms) for stream, number, problem in found]
            db.executemany("INSERT OR IGNORE INTO quarantine VALUES (?, ?, ?, ?, ?)", rows)
            count = "(SELECT count(*) FROM quarantine)"
            oldest = f"SELECT rowid FROM quarantine ORDER BY at_ms, rowid LIMIT max(0, {count} - {QUARANTINED_FACTS_MAX})"  # noqa: S608 - a constant
            db.execute(f"DELETE FROM quarantine WHERE rowid IN ({oldest})")  # noqa: S608 - the same

        await self._writer.run(write)

    def quarantined(self) -> Sequence[QuarantinedFact]:
        """What central put aside, oldest first."""
        return self._read.quarantined()

    def quarantined_count(self) -> int:
        """How many facts central put aside or could not take."""
        return self._read.quarantined_count()

    def withheld_count(self) -> int:
        """How many facts central could not take: another one took the place of each, and its bytes are kept for repair."""
        return self._read.withheld_count()

    # --- persons, and the file itself ---

    def kept_of(self, persons: Collection[str]) -> Sequence[str]:
        """Those of ``persons`` of whom there is a key, or a sale that leads to them."""
        return self._read.kept_of(persons)

    async def forget(self, *persons: str) -> bool:
        """Destroy the keys of these persons' sealed parts, and leave no page that still holds one; false when there was none."""
        return await self._writer.destroy(lambda db: destroy_keys(db, persons))

    async def note_erasures(self, gone: Collection[str], back: Collection[str] = ()) -> None:
        """Keep that ``gone`` are to be forgotten, and that ``back`` are not, whether or not it was known; on disk when it returns."""
        await self._writer.run(lambda db: note_erasures(db, gone, back))

    def erasures(self, after: str, limit: int) -> Sequence[str]:
        """Persons who are to be forgotten, in order, after that one."""
        return self._read.erasures(after, limit)

    def erasures_among(self, persons: Collection[str]) -> Sequence[str]:
        """Those of ``persons`` who are to be forgotten."""
        return self._read.erasures_among(persons)

    async def release_ballast(self) -> bool:
        """Let the ballast go by hand; false when it is gone already."""
        return await self._writer.release_ballast()

    def verify(self) -> Verification:
        """Check every page, event and fact. Slow: not on the event loop. Damage that it finds stops selling."""
        found = self._read.verify()
        if found.damaged:
            self._read_failed(_damaged(found))
        return found

    def position(self) -> int:
        """The newest event's position; 0 in an empty journal."""
        return self._read.position()

    def tail(self, count: int) -> Sequence[StoredEvent]:
        """The newest ``count`` events, in order."""
        return self._read.tail(count)

    def export(self) -> Iterator[bytes]:
        """Facts and events as lines of JSON. Slow: not on the event loop."""
        return self._read.export()

    async def close(self) -> None:
        """Write what waits, mark the stop as clean, and let go of the files."""
        await self._writer.close(_left if self._visit else _ended)
        self._readers.close()
        self._disk.release()
        self._lock.release()

    def _began(self, db: Connection) -> None:
        """First thing after opening: who we are, which boot this is, and how the last one ended."""
        db.execute("INSERT INTO identity(id, source, epoch, since_ms) SELECT 1, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM identity)",
                   (ALONE.source, ALONE.epoch, self._clock.now_ms()))  # fmt: skip
        row = db.execute("SELECT value FROM meta WHERE name = 'clean_stop'").fetchone()
        self.clean_start = row is None or row[0] == "1"
        if self._visit:
            return
        db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", (("clean_stop", "0"), ("boot", self.boot)))


def _damaged(found: Verification) -> JournalCorrupt:
    return JournalCorrupt(f"The journal does not verify: {found.problems[0]}", hint=CORRUPT_HINT)


def _left(_: Connection) -> None:
    """A visit ends as it came."""


def _ended(db: Connection) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES ('clean_stop', '1')")
