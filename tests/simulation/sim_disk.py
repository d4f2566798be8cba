"""The disk of a simulated register's PC: a commit on it fails now and then, and for a while there is no room on it for any.

A full disk has room again only when the world says so. Whoever filled it also takes what the journal's log gives back when it is emptied, but
not what the ballast stood on: that is the room in which a payment under way is recorded.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sync.cipher import Connection, Rows, SqlError, storage_error
from sync.journal_disk import BALLAST_NAME, FILE_NAME, FRAME_BYTES, JournalDisk
from tests.simulation.sim_world import World

BALLAST_BYTES = 512 * 1024
COMMIT_BYTES_MAX = 32 * FRAME_BYTES
"""More than one commit of a day writes: a disk with less room than this takes none."""
PAGE_BYTES = 4096
IO_ERROR, FULL = 10, 13  # sqlite.org/rescode.html


class Room:
    """How much room there is on the disk that holds ``folder()``."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._left = 0
        self._least: int | None = None  # that the journal and its log took since the disk is full; None while there is room

    @property
    def is_full(self) -> bool:
        """Whether it is full for everything but what fits into the ballast's place."""
        return self._least is not None

    @property
    def holds_ballast(self) -> bool:
        """Whether the journal has its ballast, which it can let go."""
        return _bytes_of(self._folder() / BALLAST_NAME) == BALLAST_BYTES

    def fill(self, left_bytes: int) -> None:
        """Somebody writes until so little is left, beside the ballast's own place."""
        self._left, self._least = left_bytes, self._taken()

    def clear(self) -> None:
        """Somebody makes room."""
        self._least = None

    def require(self, wanted: int) -> None:
        """Raise what the operating system says when so many bytes are written and there is no room for them."""
        if self._least is not None and self.free_bytes() < wanted:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def free_bytes(self) -> int:
        """What may still be written; only of a disk that is full."""
        assert self._least is not None
        taken = self._taken()
        self._least = min(self._least, taken)
        return self._left + BALLAST_BYTES + self._least - taken - _bytes_of(self._folder() / BALLAST_NAME)

    def _taken(self) -> int:
        return sum(_bytes_of(self._folder() / name) for name in (FILE_NAME, f"{FILE_NAME}-wal"))


class FailingConnection:
    """The journal's writing connection, on a disk that now and then fails a commit (before it, or, worse, after it), and that may be full."""

    def __init__(self, db: Connection, world: World, room: Room) -> None:
        self._db = db
        self._world = world
        self._room = room

    def execute(self, sql: str, parameters: Any = ()) -> Rows:
        if self._room.is_full:
            return self._without_room(sql, parameters)
        if sql == "COMMIT" and self._world.random.chance(self._world.faults.disk):
            self._world.count("commit failed")
            if self._world.random.chance(0.5):
                self._db.execute("COMMIT")
            else:
                self._db.execute("ROLLBACK")
            raise engine_error("disk I/O error", self._world.random.one_of((IO_ERROR, FULL)))
        return self._db.execute(sql, parameters)

    def _without_room(self, sql: str, parameters: Any) -> Rows:
        """What is committed needs room in the log; what is copied out of it, room for the pages that the database did not have."""
        commits = sql == "COMMIT" or (sql.startswith("INSERT") and not self._db.in_transaction)
        try:
            if commits:
                self._room.require(COMMIT_BYTES_MAX)
            elif sql.startswith("PRAGMA wal_checkpoint") and "NOOP" not in sql:
                self._room.require(self._new_pages_bytes())
        except OSError as problem:
            if sql == "COMMIT" and self._world.random.chance(0.5):  # the engine may have rolled back, or leave that to whoever asked
                self._db.execute("ROLLBACK")
            raise engine_error("database or disk is full", FULL) from problem
        before = self._room.free_bytes()
        done = self._db.execute(sql, parameters)
        assert not commits or before - self._room.free_bytes() <= COMMIT_BYTES_MAX, "a commit wrote more than it was given room for"
        return done

    def _new_pages_bytes(self) -> int:
        pages = int(self._db.execute("PRAGMA page_count").fetchone()[0])
        path = Path(str(self._db.execute("PRAGMA database_list").fetchone()[2]))
        return max(0, pages * PAGE_BYTES - _bytes_of(path))

    def executemany(self, sql: str, parameters: Any) -> Rows:
        return self._db.executemany(sql, parameters)

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


class SimJournalDisk(JournalDisk):
    """The journal's files on such a disk."""

    def __init__(self, world: World, room: Room, *given: Any) -> None:
        super().__init__(*given)
        self._world = world
        self._room = room

    def open(self) -> Connection:
        return FailingConnection(super().open(), self._world, self._room)  # type: ignore[return-value] # what it lacks it takes from the connection

    def hold_ballast(self) -> None:
        try:
            if _bytes_of(self._ballast) != self._ballast_bytes:
                self._room.require(self._ballast_bytes)
        except OSError as problem:
            raise storage_error(problem, self._ballast) from problem
        super().hold_ballast()

    def _make_room(self, used: int) -> None:
        """Zeros ahead of the log are for real disks."""


def engine_error(text: str, code: int) -> Exception:
    """An error as the engine's own are."""
    problem = SqlError(text)
    problem.sqlite_errorcode = code  # type: ignore[attr-defined] # the engine's own have it
    return problem


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
