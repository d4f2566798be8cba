"""The one thread that writes: whatever waits shares one transaction, and nobody is answered before it is synced to disk."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from edge_agent.clock import Clock
from edge_agent.domain.errors import EdgeError, StorageFailed
from sync.central.limits import Limits
from sync.central.problems import Refused, refused
from sync.central.storage import DatabaseError, Db, OperationalError
from sync.contract.messages import PROBLEM_BUSY
from sync.turns import OneThread, Turns

DISK_HINT = "Look at the disk of the central platform."
TICK_SECONDS = 1.0
"""How often the writer looks after leases that ran out, old deletions, and changes that another process made to the file."""

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Transaction:
    """What a job is handed: the connection inside the transaction, the wall time, and where it says which feeds it changed."""

    db: Db
    now_ms: int
    changed: set[str] = field(default_factory=set)


Job = Callable[[Transaction], Any]


@dataclass(slots=True)
class _Waiting:
    job: Job
    future: Future[Any]
    outcome: Any = None
    failure: BaseException | None = None


class Writer:
    """Runs jobs in the order they came, each in a savepoint of its own, many in one commit.

    A job that raises leaves nothing behind and does not touch the others of its commit. ``announce`` is told, from the writer's thread and after
    the commit, which feeds changed; ``tick`` runs as a job about once a second.
    """

    def __init__(
        self, open_db: Callable[[], Db], clock: Clock, limits: Limits, *, announce: Callable[[set[str]], None], announce_all: Callable[[], None], tick: Job,
        turns: Turns | None = None,
    ) -> None:  # fmt: skip
        self._open_db = open_db
        self._db = open_db()
        self._clock = clock
        self._per_commit = limits.jobs_per_commit_max
        self._announce = announce
        self._announce_all = announce_all
        self._tick = tick
        self._ticked = clock.monotonic()
        self._version = self._data_version()
        self._down = False
        self._stopping = False
        self._door = threading.Lock()
        self._waiting_max = limits.jobs_waiting_max
        self._in_hand = 0
        self._turns = turns or OneThread("central-write", TICK_SECONDS)
        self._turns.start(self._turn)

    def submit(self, job: Callable[[Transaction], T]) -> Future[T]:
        """Queue a job; its future is done once its commit is on disk. Raises Refused (busy) when too many wait."""
        waiting = _Waiting(job, Future())
        with self._door:
            if self._stopping:
                raise refused(PROBLEM_BUSY, "Central is stopping.")
            if self._in_hand >= self._waiting_max:
                raise refused(PROBLEM_BUSY, "Too many writes wait.")
            self._in_hand += 1
        self._turns.put(waiting)
        return waiting.future

    async def run(self, job: Callable[[Transaction], T]) -> T:
        """The result of a job, once it is on disk."""
        return await asyncio.wrap_future(self.submit(job))

    def close(self) -> None:
        """Finish what waits, checkpoint and close."""
        with self._door:
            self._stopping = True
        self._turns.put(None)
        self._turns.join()

    def _turn(self, waiting: deque[_Waiting | None]) -> bool:
        batch, going_on = self._next_batch(waiting)
        if batch:
            self._commit(batch)
        if self._clock.monotonic() - self._ticked >= TICK_SECONDS:
            self._look_after()
        if not going_on:
            self._db.close()
        return going_on

    def _next_batch(self, waiting: deque[_Waiting | None]) -> tuple[list[_Waiting], bool]:
        """What waits now; False when the writer was told to end."""
        batch: list[_Waiting] = []
        while waiting and len(batch) < self._per_commit:
            one = waiting.popleft()
            if one is None:
                return batch, False
            with self._door:
                self._in_hand -= 1
            if one.future.set_running_or_notify_cancel():
                batch.append(one)
        return batch, True

    def _look_after(self) -> None:
        self._ticked = self._clock.monotonic()
        self._commit([_Waiting(self._tick, Future())])
        if self._down:
            return
        version = self._data_version()
        if version != self._version:  # another process (seed, for instance) committed to the file
            self._version = version
            self._announce_all()

    def _data_version(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _commit(self, batch: list[_Waiting]) -> None:
        transaction = Transaction(self._db, self._clock.now_ms())
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for waiting in batch:
                self._attempt(waiting, transaction)
            self._db.execute("COMMIT")
        except DatabaseError as problem:
            self._fail(batch, problem)
            return
        if self._down:
            log.warning("storage is back")
            self._down = False
        if transaction.changed:
            self._announce(transaction.changed)
        for waiting in batch:
            if waiting.failure is not None:
                waiting.future.set_exception(waiting.failure)
            else:
                waiting.future.set_result(waiting.outcome)

    def _attempt(self, waiting: _Waiting, transaction: Transaction) -> None:
        db = transaction.db
        db.execute("SAVEPOINT job")
        try:
            waiting.outcome = waiting.job(transaction)
        except Exception as failure:  # a bug in one job must not undo, or answer for, the others of its commit
            if not db.in_transaction:
                raise DatabaseError(f"the engine gave up the transaction: {failure}") from failure
            waiting.failure = _told(failure)
            db.execute("ROLLBACK TO job")
        db.execute("RELEASE job")

    def _fail(self, batch: list[_Waiting], problem: Exception) -> None:
        """Nothing of the batch is true, as far as the callers may believe; they send it again, and what did arrive is a duplicate then."""
        if not self._down:
            log.error("storage failed: %s", problem)
            self._down = True
        for waiting in batch:
            waiting.future.set_exception(StorageFailed(f"Nothing was stored: {problem}.", hint=DISK_HINT, reason="commit"))
        try:
            self._db.close()
            self._db = self._open_db()
        except (DatabaseError, StorageFailed):
            return  # still down, and said so; the closed connection fails the next commit, which tries again


def _told(failure: Exception) -> Exception:
    """What the job's caller is told: a refusal or a bug as it is, the disk's trouble as StorageFailed."""
    if isinstance(failure, OperationalError):
        log.error("a write failed: %s", failure)
        return StorageFailed(f"Nothing was stored: {failure}.", hint=DISK_HINT, reason="write")
    if not isinstance(failure, Refused | EdgeError):
        log.error("a write failed", exc_info=failure)
    return failure
