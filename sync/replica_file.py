"""One file of the replica: opened with settings for a copy that can be fetched again, its feeds' cursors, and made anew when it is damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from sqlite_utils import Database

from edge_agent.domain.errors import JournalCorrupt, StorageError, StorageFailed
from sync.cipher import Connection, SqlError, open_file, storage_error
from sync.feed_store import FeedState

Tables = Callable[[Any], None]
"""Makes the tables of a new file, given its ``sqlite_utils.Database``."""


def open_replica(path: Path, key: bytes | None, schema: int, tables: Tables) -> Connection:
    """The writing connection to ``path``; a file that is damaged, of another key or of another ``schema`` is removed and made anew.

    Nothing is lost by that: central has it all, and with no cursor it is fetched again. Raises StorageError.
    """
    try:
        try:
            db = open_file(path, key)
            if _version(db) == schema:
                db.execute("SELECT * FROM feed").fetchall()
                return _set(db)
            db.close()
        except SqlError as problem:
            if not isinstance(storage_error(problem, path), JournalCorrupt):
                raise
        remove_database(path)
        db = open_file(path, key)
        _set(db)
        with Database(cast(sqlite3.Connection, db), execute_plugins=False, strict=True).atomic() as made:
            made.table("feed").create({"name": str, "cursor": str, "etag": str, "as_of_ms": int}, pk="name", not_null={"cursor", "etag", "as_of_ms"})
            tables(made)
            db.execute(f"PRAGMA user_version = {schema}")
    except (SqlError, OSError) as problem:
        raise replica_error(problem, path) from problem
    return db


def remove_database(path: Path) -> None:
    """Remove a database with its log. Raises OSError."""
    for name in (path.name, path.name + "-wal", path.name + "-shm", path.name + "-journal"):
        path.with_name(name).unlink(missing_ok=True)


def replica_error(problem: Exception, path: Path) -> StorageError:
    """What a failure of a replica's file means: damage there is no damage to the journal."""
    told = problem if isinstance(problem, StorageError) else storage_error(problem, path)
    if isinstance(told, JournalCorrupt):
        hint = "Nothing to do: it is fetched from central again."
        return StorageFailed(f"The local copy {path.name} is damaged.", hint=hint, reason="replica_damaged", path=path)
    return told


def read_state(db: Connection, feed: str) -> FeedState:
    """Where a feed stands in this file."""
    row = db.execute("SELECT cursor, etag, as_of_ms FROM feed WHERE name = ?", (feed,)).fetchone()
    return FeedState() if row is None else FeedState(*row)


def write_state(db: Connection, feed: str, state: FeedState) -> None:
    """Move a feed; part of the caller's transaction."""
    assert state.cursor is not None, "a copy that was taken has a cursor"
    db.execute("INSERT OR REPLACE INTO feed VALUES (?, ?, ?, ?)", (feed, state.cursor, state.etag, state.as_of_ms))


def holds(valid_from_ms: int | None, valid_to_ms: int | None, now_ms: int) -> bool:
    """Whether a row is in force."""
    return (valid_from_ms is None or valid_from_ms <= now_ms) and (valid_to_ms is None or now_ms < valid_to_ms)


def _version(db: Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _set(db: Connection) -> Connection:
    """NORMAL: after a power cut the copy may be a little older, never torn."""
    for setting in ("journal_mode = WAL", "synchronous = NORMAL", "secure_delete = on", "temp_store = MEMORY", "cache_size = -16000"):
        db.execute(f"PRAGMA {setting}").fetchone()
    return db
