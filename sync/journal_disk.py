"""The journal's files: the encrypted database with its settings, the check of its tail, and the ballast that is let go when the disk is full."""

from __future__ import annotations

from pathlib import Path

from edge_agent.clock import Random
from edge_agent.domain.errors import JournalCorrupt, StorageError, StorageFailed
from sync.cipher import CORRUPT_HINT, Connection, SqlError, open_file, storage_error
from sync.durable_files import sync_folder, write_synced
from sync.journal_check import check_pages, check_tail
from sync.journal_schema import migrate, require_known
from sync.journal_wal import lost_frames

FILE_NAME = "journal.db"
LOCK_NAME = "journal.lock"
BALLAST_NAME = "journal.ballast"
BALLAST_BYTES = 4 * 1024 * 1024
CHECK_PAGES_BYTES_MAX = 64 * 1024 * 1024
"""Up to this size every page is checked when the journal is opened (about 0.15 s); beyond it, its tail and what is read."""
BUSY_MS = 250
"""How long the writer waits for readers when it empties the log; what it waits, every sale waits."""
CHECKPOINT_FRAMES = 2_000
"""The log is copied into the database when it has this many pages (8 MB)."""


class JournalDisk:
    """``folder`` with ``journal.db`` under ``key`` (32 raw bytes). Every failure is a StorageError."""

    def __init__(self, folder: Path, key: bytes, random: Random, ballast_bytes: int = BALLAST_BYTES) -> None:
        self.path = folder / FILE_NAME
        self._ballast = folder / BALLAST_NAME
        self._ballast_bytes = ballast_bytes
        self._key = key
        self._random = random

    def open(self) -> Connection:
        """The one connection that writes and checkpoints, with the tables of this version, of a journal that was checked before it was touched."""
        fresh = not self.path.exists()
        if not fresh:
            self._check()
        try:
            db = open_file(self.path, self._key)
        except (SqlError, OSError) as problem:
            raise storage_error(problem, self.path) from problem
        try:
            _settings(db)
            migrate(db)
            if fresh:
                sync_folder(self.path.parent)
        except (SqlError, OSError) as problem:
            db.close()
            raise storage_error(problem, self.path) from problem
        except BaseException:
            db.close()
            raise
        return db

    def open_reader(self) -> Connection:
        """A connection that can only read. Raises StorageError."""
        try:
            db = open_file(self.path, self._key, read_only=True)
            db.execute("PRAGMA query_only = on")
        except SqlError as problem:
            raise storage_error(problem, self.path) from problem
        return db

    def error(self, problem: Exception) -> StorageError:
        """What a failure of this journal's database means."""
        return problem if isinstance(problem, StorageError) else storage_error(problem, self.path)

    def settle(self, db: Connection) -> bool:
        """Copy the whole log into the database and empty it; false when a reader was in the way. Raises DB-API errors.

        After this every visible row is synced under its own new write, whatever became of earlier syncs.
        """
        busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def checkpoint_if_due(self, db: Connection) -> None:
        """Copy the log into the database when it has grown; readers neither wait nor are waited for. Raises DB-API errors."""
        _, frames, _ = db.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()
        if frames >= CHECKPOINT_FRAMES:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def hold_ballast(self) -> None:
        """Have the ballast on disk. Raises DiskFull when there is no room for it."""
        try:
            if self._ballast.exists() and self._ballast.stat().st_size == self._ballast_bytes:
                return
            # Random, because a file system that compresses would give zeros no room.
            chunk = self._random.token_bytes(64 * 1024)
            whole = chunk * (self._ballast_bytes // len(chunk) + 1)
            write_synced(self._ballast, whole[: self._ballast_bytes])
        except OSError as problem:
            raise storage_error(problem, self._ballast) from problem

    def release_ballast(self) -> bool:
        """Give the ballast's room to the journal; false when it was given already."""
        try:
            held = self._ballast.exists()
            self._ballast.unlink(missing_ok=True)
            sync_folder(self._ballast.parent)
        except OSError as problem:
            raise storage_error(problem, self._ballast) from problem
        return held

    def prove_room(self, db: Connection) -> None:
        """Write and sync something that means nothing, to know that writing works again. Raises DB-API errors and StorageFailed."""
        db.execute("INSERT OR REPLACE INTO meta VALUES ('probe', hex(randomblob(2048)))")
        if not self.settle(db):
            raise StorageFailed("Something reads the journal and does not stop.", hint="Try again; restart the service if that does not help.", reason="busy")

    def _check(self) -> None:
        """Raise JournalCorrupt unless the journal verifies, StorageFailed when a newer version wrote it.

        Only reads: closing the last connection that may write would copy and remove the log.
        """
        db = self.open_reader()
        try:
            require_known(db)
            lost = lost_frames(db, self.path)
            if lost:
                raise JournalCorrupt(f"{self.path}: {lost} committed pages follow a damaged one in its log.", hint=CORRUPT_HINT, path=self.path)
            if self.path.stat().st_size <= CHECK_PAGES_BYTES_MAX:
                check_pages(db)
            check_tail(db)
        except (SqlError, OSError) as problem:
            raise storage_error(problem, self.path) from problem
        finally:
            db.close()


def _settings(db: Connection) -> None:
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    for setting in (
        "synchronous = FULL",
        "wal_autocheckpoint = 0",
        "secure_delete = on",
        "temp_store = MEMORY",
        "cache_size = -8000",
        f"busy_timeout = {BUSY_MS}",
    ):
        db.execute(f"PRAGMA {setting}")
    # WAL with FULL lost nothing in 180 power cuts; NORMAL lost sales in half of them.
    synchronous = db.execute("PRAGMA synchronous").fetchone()[0]
    assert (mode, synchronous) == ("wal", 2), (mode, synchronous)
