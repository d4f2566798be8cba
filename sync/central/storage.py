"""Central's one SQLite file: how it is opened, and the threads that read it.

The engine is the one bundled with sqlcipher3 (used without a key): the system's may be older than 3.51.3, before which a WAL that is reset
under load could damage the file. WAL with ``synchronous=FULL`` loses no commit in a power cut (WAL with NORMAL does).
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlcipher3
from sqlite_utils import Database

from edge_agent.domain.errors import StorageFailed
from sync.central.migrations import MIGRATIONS, require_known

SQLITE_OLDEST = (3, 51, 3)
SYNCHRONOUS_FULL = 2
PRIVATE_MODE = 0o600
BUSY_SECONDS = 10.0
PAGE_BYTES = 8192
WAL_PAGES_MAX = 4_000
"""Pages in the WAL after which a commit also checkpoints: 32 MB."""
READERS = 3

DatabaseError: type[Exception] = sqlcipher3.dbapi2.DatabaseError
OperationalError: type[Exception] = sqlcipher3.dbapi2.OperationalError
T = TypeVar("T")


class Rows(Protocol):
    """What a statement answered."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Db(Protocol):
    """A connection, as far as central's own code uses one."""

    @property
    def in_transaction(self) -> bool: ...

    def execute(self, sql: str, parameters: Sequence[object] = ...) -> Rows: ...

    def executemany(self, sql: str, parameters: Iterable[Sequence[object]]) -> Rows: ...

    def close(self) -> None: ...


def open_database(path: Path, *, writes: bool) -> Db:
    """A connection to the file, made when missing and migrated if it ``writes``. Raises StorageFailed when it cannot be trusted with facts, OSError."""
    if sqlcipher3.dbapi2.sqlite_version_info < SQLITE_OLDEST:
        raise StorageFailed(f"SQLite {sqlcipher3.dbapi2.sqlite_version} is too old.", hint="Upgrade the sqlcipher3 package.", reason="engine_old")
    if writes:
        _make_private(path)
    connection = sqlcipher3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)
    connection.execute("PRAGMA cipher_log_level = NONE")
    if writes:
        try:
            _prepare_to_write(connection, path)
        except StorageFailed:
            connection.close()
            raise
        except DatabaseError as problem:
            connection.close()
            raise StorageFailed(f"{path}: {problem}.", hint="Look at the file and its disk; bring it back from a backup if it is damaged.") from problem
    else:
        connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA foreign_keys = ON")
    typed: Db = connection
    return typed


def _make_private(path: Path) -> None:
    """The file is there and its owner's alone; SQLite gives the files beside it the same mode."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_MODE)
    os.close(handle)
    path.chmod(PRIVATE_MODE)


def _prepare_to_write(connection: Any, path: Path) -> None:
    require_known(connection, path)
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES_MAX}")
    synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]
    if mode != "wal" or synchronous != SYNCHRONOUS_FULL:
        raise StorageFailed(f"{path} runs with journal {mode}, synchronous {synchronous}.", hint="Put it on a local disk.", reason="not_durable")
    MIGRATIONS.apply(Database(connection))


class Readers:
    """A few threads, each with a read-only connection of its own; a read sees one state of the file from beginning to end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="central-read")
        self._mine = threading.local()
        self._open: list[Db] = []
        self._lock = threading.Lock()

    @contextmanager
    def snapshot(self) -> Iterator[Db]:
        """The calling thread's connection, inside a read transaction."""
        db: Db | None = getattr(self._mine, "db", None)
        if db is None:
            db = self._mine.db = open_database(self._path, writes=False)
            with self._lock:
                self._open.append(db)
        db.execute("BEGIN")
        try:
            yield db
        finally:
            db.execute("COMMIT")

    def now(self, query: Callable[[Db], T]) -> T:
        """The answer to ``query``, in the calling thread."""
        with self.snapshot() as db:
            return query(db)

    async def ask(self, query: Callable[[Db], T]) -> T:
        """The answer to ``query``, without holding up the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.now, query)

    async def work(self, task: Callable[[], T]) -> T:
        """The result of pure work that would hold up the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, task)

    def close(self) -> None:
        """Wait for the reads that run, then close every connection."""
        self._pool.shutdown(wait=True)
        with self._lock:
            for db in self._open:
                db.close()
            self._open.clear()
