"""Opens SQLite files, encrypted or plain, on the one engine that ships with the product, and names their failures.

The engine is SQLCipher's build of SQLite (``sqlcipher3``); without a key it reads and writes plain files. Its own log is turned off: it would
go to stderr, where the terminal draws.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any, Protocol, cast

from sqlcipher3 import dbapi2

from edge_agent.domain.errors import DiskFull, JournalCorrupt, StorageError, StorageFailed

SQLITE_OLDEST = (3, 51, 3)
"""Older ones can corrupt a write-ahead log when two connections write or checkpoint at once (fixed in SQLite 3.51.3)."""
KEY_BYTES = 32
FREE_BYTES_MIN = 256 * 1024
"""An input/output error with less room than this on the disk is told as a full disk: that is what whoever reads it can act on."""

SqlError = cast(type[Exception], dbapi2.Error)
IntegrityError = cast(type[Exception], dbapi2.IntegrityError)
CallerErrors = cast(tuple[type[Exception], ...], (dbapi2.IntegrityError, dbapi2.ProgrammingError, dbapi2.InterfaceError, dbapi2.DataError))
"""What a statement raises because of how it was called, not because of the file."""

_FULL, _IOERR, _CORRUPT, _NOTADB = 13, 10, 11, 26  # sqlite.org/rescode.html
_BUSY_MS = 5_000


class Rows(Protocol):
    """The answer to a statement."""

    rowcount: int

    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """The part of a DB-API connection (``isolation_level=None``) that this package uses."""

    in_transaction: bool

    def execute(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ..., /) -> Rows: ...
    def executemany(self, sql: str, parameters: Iterable[Sequence[object]], /) -> Rows: ...
    def close(self) -> None: ...


def open_file(path: Path, key: bytes | None, *, read_only: bool = False) -> Connection:
    """A connection to the file at ``path``, made if it is not there (unless ``read_only``); usable from any one thread at a time.

    ``key`` is 32 raw bytes, or None for a plain file. The first page is read, so that a wrong key or a foreign file is met here.
    Raises DB-API errors and OSError; ``storage_error`` names them.
    """
    require_sqlite(cast(tuple[int, ...], dbapi2.sqlite_version_info))
    if not read_only and not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))  # the engine would make it readable by everybody
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    db = cast(Connection, dbapi2.connect(uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=256))
    try:
        db.execute("PRAGMA cipher_log_level = NONE")
        db.execute("PRAGMA cipher_log = off")
        if key is not None:
            assert len(key) == KEY_BYTES, len(key)
            db.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def require_sqlite(version: tuple[int, ...]) -> None:
    """Raise StorageFailed unless ``version`` of SQLite is one whose write-ahead log can be trusted.

    >>> require_sqlite((3, 51, 3))
    >>> require_sqlite((3, 40, 1))
    Traceback (most recent call last):
    edge_agent.domain.errors.StorageFailed: SQLite 3.40.1 can damage its write-ahead log: expected 3.51.3 or newer.
    """
    if version < SQLITE_OLDEST:
        shown, oldest = (".".join(map(str, numbers)) for numbers in (version, SQLITE_OLDEST))
        raise StorageFailed(
            f"SQLite {shown} can damage its write-ahead log: expected {oldest} or newer.",
            hint="Install the product's own packages (requirements.lock).",
            reason="sqlite_too_old",
            got=shown,
            expected=oldest,
        )


def storage_error(problem: Exception, path: Path) -> StorageError:
    """What ``problem`` (of the database or of the operating system) at ``path`` means for the shop."""
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if code == _FULL or (isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT)) or (code == _IOERR and _no_room(path)):
        return DiskFull(f"No room on the disk to write {path}.", hint=f"Make room on the disk that holds {path.parent}, then try again.", path=path)
    if code in (_CORRUPT, _NOTADB):
        return JournalCorrupt(f"{path} is damaged or cannot be read with its key: {problem}.", hint=CORRUPT_HINT, path=path)
    return StorageFailed(f"{path} cannot be read or written: {problem}.", hint="Check the disk (dmesg, smartctl), then try again.", path=path)


CORRUPT_HINT = "Stop selling here, do not restart. Delete nothing, keep the whole folder, and call support."


def _no_room(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < FREE_BYTES_MIN
    except OSError:
        return False


class Readers:
    """A few read-only connections for whichever thread asks; one that failed, or is of an older generation, is closed."""

    def __init__(self, open_one: Callable[[], Connection], limit: int = 4) -> None:
        self._open = open_one
        self._room = BoundedSemaphore(limit)
        self._lock = Lock()
        self._idle: list[Connection] = []
        self._generation = 0

    @contextmanager
    def use(self) -> Iterator[Connection]:
        """A connection for the length of the block. At most ``limit`` at once; beyond that the caller waits."""
        with self._room:
            with self._lock:
                generation = self._generation
                db = self._idle.pop() if self._idle else None
            if db is None:
                db = self._open()
            try:
                yield db
            except BaseException:
                db.close()
                raise
            with self._lock:
                if generation == self._generation:
                    self._idle.append(db)
                    return
            db.close()

    def renew(self, open_one: Callable[[], Connection] | None = None) -> None:
        """From now on use new connections, opened by ``open_one`` if given; those in use are closed when their block ends."""
        with self._lock:
            self._generation += 1
            self._open = open_one or self._open
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()

    def close(self) -> None:
        """Close what is idle; what is in use is closed when its block ends."""
        self.renew()
