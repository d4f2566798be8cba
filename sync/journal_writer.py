"""The one thread that writes the journal: whatever waits goes into one transaction, and one sync answers them all.

Every work runs in a savepoint of its own, so that a caller's bug stops that caller alone. When the file fails instead, nothing of the
batch is believed: the connection is closed, the journal opened again, and what is found there, and could be synced anew, was written after
all (a failed COMMIT is ambiguous). Then the writer is stopped until ``reopen``: a failed sync stops selling. A file that was removed or replaced
meanwhile is such a failure as well: it is looked for between each COMMIT and its answers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from edge_agent.domain.errors import DiskFull, StorageError, StorageFailed
from edge_agent.ports import Committed
from sync.cipher import CallerErrors, Connection, SqlError
from sync.journal_append import position_of
from sync.journal_disk import JournalDisk
from sync.journal_rescue import taken
from sync.turns import OneThread, Turns, ended

T = TypeVar("T")
Work = Callable[[Connection], T]
"""What one caller writes; runs on the writer's thread, inside a transaction, and may be rolled back."""

BATCH_WORKS_MAX = 256
WAITING_WORKS_MAX = 1024
"""How many works may wait; the next caller waits before it may join them."""


@dataclass(slots=True, eq=False)
class _Job:
    """One work on its way. ``command`` is the id by which a commit is found again; ``control`` works run alone, on the disk.

    ``value`` is what the work came to in a transaction that may not have been committed.
    """

    work: Work[Any]
    answer: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    command: str = ""
    must: bool = False
    control: bool = False
    value: Any = None


@dataclass(slots=True)
class _Answers:
    """What a batch came to, told to each event loop in one call."""

    found: list[tuple[_Job, Any, BaseException | None]] = field(default_factory=list)

    def deliver(self) -> None:
        for loop in {id(job.loop): job.loop for job, _, _ in self.found}.values():
            mine = [(job.answer, value, problem) for job, value, problem in self.found if job.loop is loop]
            try:
                loop.call_soon_threadsafe(_resolve, mine)
            except RuntimeError:
                assert loop.is_closed()  # nobody is left to be told
        self.found.clear()


class Writer:
    """Owns the journal's writing connection. ``start`` opens it; after that only its own thread touches it."""

    def __init__(self, disk: JournalDisk, renew_readers: Callable[[], None], turns: Turns | None = None) -> None:
        self._disk = disk
        self._renew_readers = renew_readers
        self._turns = turns or OneThread("journal-writer")
        self._db: Connection | None = None
        self._stopped: StorageError | None = None
        self._room = asyncio.Semaphore(WAITING_WORKS_MAX)
        self._running = False
        self._answers = _Answers()
        self._settle_due = False
        self._written: Committed | None = None
        self._doubtful: frozenset[str] = frozenset()

    @property
    def doubtful(self) -> frozenset[str]:
        """Commands whose commit failed and was not found synced: the file may show them all the same, until ``reopen`` has settled it."""
        return self._doubtful

    @property
    def stopped(self) -> StorageError | None:
        """Why nothing is written at present, or None."""
        return self._stopped

    def start(self, first: Work[None]) -> None:
        """Open the journal, run ``first`` in a transaction of its own, and start the thread. Raises StorageError.

        Without room for the ballast the journal opens, but stopped: what it holds can be read, and open attempts can be finished. So it does where the
        ballast's room is all that is left.
        """
        try:
            self._db = self._disk.open()
            self._settle_first(self._db)
            self._begin(self._db, first)
            self._hold_ballast()
        except (SqlError, OSError, StorageError) as problem:
            self._close()
            raise self._disk.error(problem) from problem
        self._running = True
        self._turns.start(self._turn)

    async def run(self, work: Work[T], *, command: str = "", must: bool = False) -> T:
        """The result of ``work`` once it is synced to disk. Raises StorageError, or AssertionError for what the tables refuse."""
        return cast(T, await self._submit(work, command=command, must=must))

    async def reopen(self, check: Callable[[], None] = lambda: None) -> None:
        """Come back after a StorageError: open and check the journal (``check`` may say more: it raises), hold the ballast again, prove that writing
        works. Raises StorageError."""
        await self._submit(lambda _: self._reopen(check), control=True)

    async def release_ballast(self) -> bool:
        """Let the ballast go by hand; false when it is gone already."""
        return cast(bool, await self._submit(lambda _: self._disk.release_ballast(), control=True))

    async def destroy(self, work: Work[T]) -> T:
        """Like ``run``, and then empties the log as well, so that no page of it still holds what ``work`` overwrote."""
        result = await self.run(work)
        await self._submit(self._settle, control=True)
        return result

    async def close(self, last: Work[None]) -> None:
        """Write what waits, then ``last``, empty the log and end the thread. Never raises: what was acknowledged is on disk already."""
        if self._running:
            self._running = False
            await self._submit(lambda _: self._end(last), control=True)
            await ended(self._turns)

    async def _submit(self, work: Work[Any], *, command: str = "", must: bool = False, control: bool = False) -> Any:
        async with self._room:
            loop = asyncio.get_running_loop()
            job = _Job(work, loop.create_future(), loop, command, must, control)
            self._turns.put(job)
            return await job.answer

    # --- on the writer's thread ---

    def _turn(self, waiting: deque[_Job]) -> bool:
        """Deal with the next works in order, a control work alone, or as many others as wait; False when that was the end."""
        batch = [waiting.popleft()]
        while waiting and not (batch[0].control or waiting[0].control) and len(batch) < BATCH_WORKS_MAX:
            batch.append(waiting.popleft())
        running = True
        try:
            if batch[0].control:
                running = self._control(batch[0])
            else:
                self._write(batch)
        except Exception as problem:  # a bug of the writer's own: everybody is told, and it lives on, stopped
            self._bug(batch, problem)
        self._answers.deliver()
        self._mark()
        if running:
            self._checkpoint()
        return running

    def _write(self, batch: Sequence[_Job]) -> None:
        if self._stopped is not None:
            batch = self._refuse(batch, self._stopped)
        if not batch:
            return
        try:
            if any(job.command in self._doubtful for job in batch):
                self._disk.must_settle(self._connection())
            self._batch(self._connection(), batch)
        except (SqlError, OSError, StorageError) as problem:
            self._failed(batch, self._disk.error(problem))

    def _refuse(self, batch: Sequence[_Job], why: StorageError) -> list[_Job]:
        """Answer the works of a stopped journal; those that must be written although the disk is full are left, and the ballast is released."""
        must = [job for job in batch if job.must and isinstance(why, DiskFull)]
        for job in batch:
            if job not in must:
                self._answer(job, None, _again(why))
        if must:
            try:
                self._disk.release_ballast()
            except StorageError as problem:
                for job in must:
                    self._answer(job, None, problem)
                return []
        return must

    def _batch(self, db: Connection, batch: Sequence[_Job]) -> None:
        """All works in one synced transaction. Raises when the file fails; a work's own failure is that work's answer."""
        outcomes: list[tuple[_Job, Any, BaseException | None]] = []
        alone = len(batch) == 1  # then the transaction is its savepoint
        db.execute("BEGIN IMMEDIATE")
        for job in batch:
            if not alone:
                db.execute("SAVEPOINT one")
            problem: BaseException | None = None
            try:
                job.value = job.work(db)
            except CallerErrors as refused:
                problem = AssertionError(f"the journal's tables refuse this: {refused}")
                problem.__cause__ = refused
            except (SqlError, OSError):
                raise
            except Exception as bug:  # a caller's bug, whatever it is, is that caller's alone
                problem = bug
            outcomes.append((job, job.value if problem is None else None, problem))
            if problem is not None:
                db.execute("ROLLBACK" if alone else "ROLLBACK TO one")
            if not alone:
                db.execute("RELEASE one")
        if db.in_transaction:
            db.execute("COMMIT")
        if self._disk.astray:
            raise taken(self._disk.path)
        self._answers.found += outcomes
        self._written = next((value for _, value, _ in reversed(outcomes) if isinstance(value, Committed)), None)

    def _mark(self) -> None:
        """Have it remembered beside the journal how far it goes. Nobody waits for that."""
        written, self._written = self._written, None
        if written is not None:
            self._disk.reached(written.position)

    def _failed(self, batch: Sequence[_Job], why: StorageError) -> None:
        """The file failed under ``batch``: stop, then look what of it is on disk all the same, and try once more what must be written."""
        first = self._stopped is None
        self._stop(why)
        found = self._look(batch)
        rest = []
        for job in batch:
            if job in found:
                self._answer(job, found[job], None)
            else:
                rest.append(job)
        self._doubtful |= {job.command for job in rest if job.command}
        if first:
            self._write(rest)
        else:
            for job in rest:
                self._answer(job, None, _again(why))

    def _look(self, batch: Sequence[_Job]) -> dict[_Job, Any]:
        """The results of those works whose command is in the reopened journal and could be synced anew."""
        try:
            db = self._connection()
            known = {job: job.value or job.work(db) for job in batch if job.command and position_of(db, job.command) is not None}
            sound = not known or self._disk.settle(db)
        except (SqlError, OSError, StorageError) as problem:
            self._close()
            if self._disk.astray:
                self._stopped = self._disk.error(problem)  # which says what to do about it
            return {}
        return known if sound else {}

    def _connection(self) -> Connection:
        if self._db is None:
            self._db = self._disk.open()
            self._renew_readers()
        return self._db

    def _transact(self, db: Connection, work: Work[None]) -> None:
        db.execute("BEGIN IMMEDIATE")
        work(db)
        db.execute("COMMIT")

    def _checkpoint(self) -> None:
        if self._db is None or self._stopped is not None:
            return
        try:
            if self._settle_due:
                self._settle_due = not self._disk.settle(self._db)
            self._disk.checkpoint_if_due(self._db)
        except (SqlError, OSError) as problem:
            self._stop(self._disk.error(problem))

    def _settle(self, _: Connection) -> None:
        """Empty the log now, or, with a reader in the way, after one of the next works."""
        self._settle_due = not self._disk.settle(self._connection())

    def _control(self, job: _Job) -> bool:
        """Run a work that is about the disk itself; false when the writer shall end."""
        try:
            value = job.work(cast(Connection, self._db))
        except (SqlError, OSError, StorageError) as problem:
            self._answer(job, None, self._disk.error(problem))
            return True
        self._answer(job, value, None)
        return value is not _END

    def _reopen(self, check: Callable[[], None]) -> None:
        self._close()
        try:
            db = self._connection()
            check()
            self._disk.hold_ballast()
            self._disk.prove_room(db)
        except (SqlError, OSError, StorageError) as problem:
            why = self._disk.error(problem)
            self._stop(why)
            raise why from problem
        self._stopped, self._doubtful = None, frozenset()

    def _begin(self, db: Connection, first: Work[None]) -> None:
        """``first``, on a full disk in the ballast's room: a payment that was under way when the power failed does not wait for somebody to make room."""
        try:
            self._transact(db, first)
        except (SqlError, OSError) as problem:
            why = self._disk.error(problem)
            if not isinstance(why, DiskFull) or not self._disk.release_ballast():
                raise
            if db.in_transaction:
                db.execute("ROLLBACK")
            self._transact(db, first)
            self._stopped = why

    def _hold_ballast(self) -> None:
        if self._stopped is not None:
            return  # it is held again when the journal comes back
        try:
            self._disk.hold_ballast()
        except DiskFull as problem:
            self._stopped = problem

    def _settle_first(self, db: Connection) -> None:
        """A run before this one may have died of a sync that failed: what it left in the log is there, but perhaps not on the disk.

        Nothing is written behind it before that is settled, or a power cut would take both.
        """
        try:
            self._settle_due = not self._disk.settle(db)
        except (SqlError, OSError) as problem:
            self._stopped = self._disk.error(problem)

    def _end(self, last: Work[None]) -> object:
        try:
            if self._stopped is None:
                self._transact(self._connection(), last)
                self._disk.settle(self._connection())
        except (SqlError, OSError, StorageError) as problem:
            self._stopped = self._disk.error(problem)
        self._close()
        return _END

    def _bug(self, batch: Sequence[_Job], problem: Exception) -> None:
        self._stop(StorageFailed(f"The journal's writer failed: {problem!r}.", hint="Report this to the vendor, then restart the service.", reason="bug"))
        for job in batch:
            self._answer(job, None, problem)

    def _stop(self, why: StorageError) -> None:
        self._stopped = why
        self._close()

    def _close(self) -> None:
        db, self._db = self._db, None
        if db is None:
            return
        try:
            if db.in_transaction:
                db.execute("ROLLBACK")
        except SqlError:
            pass  # the transaction is gone with the connection
        finally:
            self._disk.close(db)

    def _answer(self, job: _Job, value: Any, problem: BaseException | None) -> None:
        self._answers.found.append((job, value, problem))


_END = object()


def _again(why: StorageError) -> StorageError:
    """The same failure for one more caller: an exception of its own, with its own traceback."""
    told = type(why)(why.message, hint=why.hint, reason=why.reason, **why.args_shown)
    told.__cause__ = why
    return told


def _resolve(answers: Sequence[tuple[asyncio.Future[Any], Any, BaseException | None]]) -> None:
    for future, value, problem in answers:
        if future.done():  # cancelled, or told already
            continue
        if problem is not None:
            future.set_exception(problem)
        else:
            future.set_result(value)
