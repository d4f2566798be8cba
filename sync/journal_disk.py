"""The journal's files: the encrypted database with its settings, the check of its tail, and the ballast that is let go when the disk is full.

What happens when the database is taken away under the running service stands in ``journal_rescue``.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from edge_agent.clock import Random
from edge_agent.domain.errors import StorageError, StorageFailed
from sync.cipher import Connection, SqlError, open_file, storage_error
from sync.durable_files import sync_folder, write_synced
from sync.journal_check import check_end, check_pages, check_tail
from sync.journal_high import HighMark
from sync.journal_rescue import JournalFiles, has_content, taken
from sync.journal_schema import migrate, require_known

FILE_NAME = "journal.db"
LOCK_NAME = "journal.lock"
BALLAST_NAME = "journal.ballast"
BALLAST_BYTES = 4 * 1024 * 1024
CHECK_PAGES_BYTES_MAX = 64 * 1024 * 1024
"""Up to this size every page is checked when the journal is opened (about 0.15 s); beyond it, its tail and what is read."""
BUSY_MS = 250
"""How long the writer waits for readers when it empties the log; what it waits, every sale waits."""
CHECKPOINT_FRAMES = 1_800
"""The log is copied into the database when it has this many pages (7 MB)."""
FRAME_BYTES = 4096 + 24
LOG_BYTES_MAX = (CHECKPOINT_FRAMES + 64) * FRAME_BYTES
"""Room is made in the log up to this size; beyond it, it is copied and begun anew."""
LOG_ROOM_BYTES = 1024 * 1024
LOG_ROOM_BYTES_MIN = 128 * 1024
"""With less written room than this before its end, the log is given LOG_ROOM_BYTES more."""


class JournalDisk:
    """``folder`` with ``journal.db`` under ``key`` (32 raw bytes). Every failure is a StorageError."""

    def __init__(self, folder: Path, key: bytes, random: Random, ballast_bytes: int = BALLAST_BYTES) -> None:
        self.path = folder / FILE_NAME
        self._files = JournalFiles(self.path, key, _check_file)
        self._high = HighMark(self.path)
        self._log_end = 0  # as far as it is known to be written
        self._ballast = folder / BALLAST_NAME
        self._ballast_bytes = ballast_bytes
        self.key = key
        self._random = random

    @property
    def astray(self) -> bool:
        """Whether the journal that is open is not the one that stands at its path: nothing that a restart must find may be said to be on disk."""
        return self._files.astray

    def open(self) -> Connection:
        """The one connection that writes and checkpoints, with the tables of this version, of a journal that was checked before it was touched."""
        self._log_end = 0
        try:
            self._files.settle()
            self._undo_making()
            if has_content(self.path):
                self._check()
            db = open_file(self.path, self.key)
        except (SqlError, OSError) as problem:
            raise storage_error(problem, self.path) from problem
        try:
            _settings(db)
            migrate(db)
            sync_folder(self.path.parent)  # whoever made the files may have been killed before this
            self._files.opened()
            self._high.take()
        except (SqlError, OSError) as problem:
            self.close(db)
            raise storage_error(problem, self.path) from problem
        except BaseException:
            self.close(db)
            raise
        return db

    def close(self, db: Connection) -> None:
        """Close the connection that writes."""
        self._files.close(db)

    def release(self) -> None:
        """Let go of the files, when every connection is closed."""
        self._high.release()
        self._files.release()

    def reached(self, position: int) -> None:
        """Events up to ``position`` are on the disk. Never raises."""
        self._high.put(position)

    def open_reader(self) -> Connection:
        """A connection that can only read. Raises StorageError; also for a file that is not the one that is written."""
        if self._files.astray:
            raise taken(self.path)
        try:
            db = open_file(self.path, self.key, read_only=True)
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
        self._log_end = 0
        busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def checkpoint_if_due(self, db: Connection) -> None:
        """Copy the log into the database when it has grown; readers neither wait nor are waited for. Raises DB-API errors."""
        _, frames, _ = db.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()
        if frames >= CHECKPOINT_FRAMES:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        else:
            self._make_room(frames * FRAME_BYTES)

    def _make_room(self, used: int) -> None:
        """Have written room in the log before it is needed.

        To sync what overwrites is a third cheaper than to sync what makes a file longer (1.2 against 1.55 times a raw append). SQLite reads
        its log up to the first frame that does not verify, so zeros behind the last one mean nothing. Without room on the disk the log grows
        as it always did.
        """
        log = self._files.log.handle
        if self._log_end - used >= LOG_ROOM_BYTES_MIN or log is None:
            return
        try:
            self._log_end = end = os.lseek(log, 0, os.SEEK_END)
            if end >= LOG_BYTES_MAX or end - used >= LOG_ROOM_BYTES_MIN or shutil.disk_usage(self.path.parent).free < 16 * LOG_ROOM_BYTES:
                return
            self._log_end += os.write(log, bytes(min(LOG_ROOM_BYTES, LOG_BYTES_MAX - end)))
            os.fdatasync(log)
        except OSError:
            return  # no room: what needs the room will say so

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
        self.must_settle(db)  # first: nothing may follow pages in the log whose sync failed
        db.execute("INSERT OR REPLACE INTO meta VALUES ('probe', hex(randomblob(2048)))")
        self.must_settle(db)

    def must_settle(self, db: Connection) -> None:
        """``settle``, or raise StorageFailed (reason ``busy``)."""
        if not self.settle(db):
            raise StorageFailed("Something reads the journal and does not stop.", hint="Try again; restart the service if that does not help.", reason="busy")

    def _undo_making(self) -> None:
        """Play back what power cut short while the file was being made. Raises DB-API errors.

        Until it has its log it has a rollback journal, which a connection that can only read may not play back; nothing was acknowledged by then.
        """
        if self.path.with_name(f"{FILE_NAME}-journal").exists() and self.path.exists():
            open_file(self.path, self.key).close()

    def _check(self) -> None:
        """Raise JournalCorrupt unless the journal verifies, StorageFailed when a newer version wrote it.

        Only reads: closing the last connection that may write would copy and remove the log.
        """
        db = self.open_reader()
        try:
            _check_file(db, self.path)
        finally:
            db.close()


def _check_file(db: Connection, path: Path) -> None:
    require_known(db)
    check_end(db, path)
    if path.stat().st_size <= CHECK_PAGES_BYTES_MAX:
        check_pages(db, path)
    check_tail(db)


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
    # With NORMAL a power cut loses what was committed since the last checkpoint (SQLite, "PRAGMA synchronous"). That FULL does not,
    # `make proof ARGS="power"` shows.
    synchronous = db.execute("PRAGMA synchronous").fetchone()[0]
    assert (mode, synchronous) == ("wal", 2), (mode, synchronous)
