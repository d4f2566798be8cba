"""Keeps what the journal holds when its file is removed or replaced under the running service, and puts it back.

What is held open (``journal_held``) is the journal: the file, and the log with the commits that are not in the file yet. Both stay readable by their
handles whatever became of their names, with or without a connection. So the remedy is always the same, and no acknowledged commit is lost by it:

* **The file is gone** (``rm``, ``mv``, restored by renaming): both are copied beside, recovered and checked as after a crash, made one file
  (``journal-rescued.db``, synced), and that one is given the journal's name. The name is given by linking, which overwrites nothing.
* **Another file has the name**: the copy is kept and nothing is sold until somebody has moved the other file away. Which of two journals is the right
  one is not guessed. A start finds the copy as well: it takes it up where there is no journal, and refuses where there is another one.
* **Only the log is gone**: it is copied back to its name in one rename. (SQLite copies the log into the file when the last connection is closed,
  and a log that was copied already changes nothing when it is read again.)

A log that does not belong to the file beside it would be read as if it did. It is never left at its name: ours is removed once the copy is whole, any
other is moved aside.

What cannot be saved: commits between two looks (``journal_writer`` looks before it acknowledges, ``Journal.look_after`` every second) when power goes or
the service is killed before the next one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from edge_agent.domain.errors import EdgeError, JournalCorrupt, StorageFailed
from sync.cipher import Connection, SqlError, open_file, storage_error
from sync.durable_files import sync_file, sync_folder
from sync.journal_held import HeldFile

RESCUED = "journal-rescued"
PART = f"{RESCUED}.part"
"""A copy that is being made; one that is found is thrown away."""
SIDE_FILES = ("-wal", "-shm", "-journal")
"""What would be read as if it belonged to whatever file stands beside it. (``journal.db-high`` says whose it is.)"""
Check = Callable[[Connection, Path], None]
"""Raises JournalCorrupt or DB-API errors unless the open database at a path verifies."""


class JournalFiles:
    """The file at ``path`` under ``key`` and its log: held from the first ``settle`` until ``release``."""

    def __init__(self, path: Path, key: bytes, check: Check) -> None:
        self._path = path
        self._key = key
        self._check = check
        self._file = HeldFile(path)
        self.log = HeldFile(path.with_name(f"{path.name}-wal"))
        self._rescued: Path | None = None

    @property
    def astray(self) -> bool:
        """Whether what is open is not what stands at the paths."""
        return self._file.astray or self.log.astray

    def settle(self) -> None:
        """Have the journal at its path and hold it, before it is opened: what was taken away meanwhile is put back.

        Raises StorageFailed (``replaced``) while another file has the name, JournalCorrupt (``unsaved``) when no copy can be written or (``missing``)
        when only a log is there, JournalLocked, OSError.
        """
        if self._file.handle is None:
            self._take_up()
        elif self.astray:
            self._put_back()
        self._file.take(os.O_CREAT, alone=True)

    def opened(self) -> None:
        """The journal is open, so its log is there: hold it as well. Raises OSError."""
        self.log.take()

    def close(self, db: Connection) -> None:
        """Close a connection. With the last one SQLite removes the log, whose content is in the file then."""
        here = not self.astray
        db.close()
        if here and self.log.astray:
            self.log.release()

    def release(self) -> None:
        """Let go of the files, after all connections; what was taken away is put back first if that can be done."""
        try:
            if self.astray:
                self._put_back()
        except (EdgeError, OSError):
            pass  # it was tried before, and is said in the log
        finally:
            self._file.release()
            self.log.release()

    def _take_up(self) -> None:
        """Before anything is held: go on where a run before this one was interrupted."""
        copies = sorted(self._path.parent.glob(f"{RESCUED}*.db"))
        if len(copies) == 1:
            put_back(copies[0], self._path)
        elif copies:
            raise _replaced(self._path, *copies)
        if not has_content(self._path) and has_content(self.log.path):
            raise missing(self._path)

    def _put_back(self) -> None:
        try:
            if self._file.astray:
                if self._rescued is None or not self._rescued.exists():
                    self._rescued = self._rescue()
                if not self.log.astray:
                    self.log.path.unlink(missing_ok=True)  # ours, and the copy has it all
            else:
                self._put_log_back()
                return
        except (SqlError, OSError, EdgeError) as problem:
            raise _unsaved(self._path, problem) from problem
        put_back(self._rescued, self._path)
        self.log.release()
        self._rescued = None

    def _rescue(self) -> Path:
        """A verified copy of what is held, beside it, as one file."""
        part = self._path.with_name(PART)
        _remove(part)
        try:
            self._file.copy_to(part)
            if self.log.handle is not None:
                self.log.copy_to(part.with_name(f"{part.name}-wal"))
            self._make_one_file(part)
            copy = free_name(self._path.parent, RESCUED, ".db")
            part.rename(copy)
        except JournalCorrupt:
            raise  # the bytes as they are may be all that there is: they stay
        except BaseException:
            _remove(part)  # the room may be what was lacking
            raise
        sync_folder(copy.parent)
        return copy

    def _make_one_file(self, part: Path) -> None:
        db = open_file(part, self._key)
        try:
            self._check(db, part)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            mode = db.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
            assert mode == "delete", mode
        except SqlError as problem:
            raise storage_error(problem, part) from problem
        finally:
            db.close()
        sync_file(part)

    def _put_log_back(self) -> None:
        set_aside(self.log.path)
        part = self._path.with_name(f"{PART}-wal")
        self.log.copy_to(part)
        part.rename(self.log.path)
        sync_folder(part.parent)
        self.log.take()


def put_back(copy: Path, path: Path) -> None:
    """Give ``copy`` the name ``path`` unless a file with anything in it has that; nothing is overwritten. Raises StorageFailed (``replaced``), OSError."""
    if nothing_at(path):
        path.unlink(missing_ok=True)
        for name in _side_files(path):
            set_aside(name)
        try:
            os.link(copy, path)
        except FileExistsError as problem:
            raise _replaced(path, copy) from problem
        except OSError:  # a file system without links
            copy.rename(path)
    elif not (path.exists() and copy.samefile(path)):  # the same: a put-back that was interrupted
        raise _replaced(path, copy)
    copy.unlink(missing_ok=True)
    sync_folder(path.parent)


def set_aside(path: Path) -> None:
    """Move what belongs to another database out of the way; an index of a log, or nothing in a file, is removed. Raises OSError."""
    if path.name.endswith("-shm") or nothing_at(path):
        path.unlink(missing_ok=True)
    else:
        path.rename(free_name(path.parent, f"{path.name}.aside", ""))


def nothing_at(path: Path) -> bool:
    """Whether nothing has the name ``path``, or only an empty file. A link that leads nowhere is something. Raises OSError."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return True
    return stat.S_ISREG(found.st_mode) and found.st_size == 0


def has_content(path: Path) -> bool:
    """Whether there is anything in a file at ``path``, through a link as well. Raises OSError."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def missing(path: Path) -> JournalCorrupt:
    """The register has sold, and its journal is not there."""
    return JournalCorrupt(
        f"{path} is missing or empty, although this register has a journal.",
        hint=f"Put it back ({path.name}, and {path.name}-wal if there is one). If it is lost for good, enrol the register again "
        "(edge-agent enrol URL CODE, with a new code): a new journal begins then.",
        reason="missing",
        path=path,
    )


def taken(path: Path) -> StorageFailed:
    """Said until it is known whether it can be put back."""
    return StorageFailed(
        f"{path} or its log was removed or replaced while the service runs.",
        hint="Do not restart the service: it still has the journal, and puts it back by itself.",
        reason="taken",
        path=path,
    )


def _replaced(path: Path, *copies: Path) -> StorageFailed:
    names = ", ".join(copy.name for copy in copies)
    return StorageFailed(
        f"{path} is not the journal that this register sold into: that is {names}.",
        hint=f"Delete nothing. Move {path.name} out of {path.parent}: the service puts its own back by itself, and goes on. "
        + ("" if len(copies) == 1 else "Leave one of the copies there."),
        reason="replaced",
        path=path,
        copies=names,
    )


def _unsaved(path: Path, problem: Exception) -> JournalCorrupt:
    told = problem if isinstance(problem, EdgeError) else storage_error(problem, path)
    return JournalCorrupt(
        f"{path} was removed or replaced while the service runs, and no copy of it could be written. {told.message}",
        hint=f"Do not restart the service or the computer: it alone still has what was sold. {told.hint}",
        reason="unsaved",
        path=path,
    )


def _remove(database: Path) -> None:
    for name in (database, *_side_files(database)):
        name.unlink(missing_ok=True)


def _side_files(path: Path) -> list[Path]:
    return [path.with_name(f"{path.name}{end}") for end in SIDE_FILES]


def free_name(folder: Path, stem: str, suffix: str) -> Path:
    """The first name that is not in use: ``stem``, ``stem-2``, ..."""
    names = (f"{stem}{f'-{number}' if number > 1 else ''}{suffix}" for number in range(1, 10_000))
    return next(path for name in names if not os.path.lexists(path := folder / name))
