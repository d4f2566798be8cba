"""A journal that lost its end, moved aside whole: what the journal that begins in its place takes over of it, and who is forgotten in it as well.

Its facts are sound up to where it ends, and central may not have them. Its state is not taken over: a basket that is open in it may have been sold in the
end that is lost.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from edge_agent.domain.errors import JournalCorrupt
from sync.cipher import CORRUPT_HINT, Connection, Readers, SqlError, open_file, storage_error
from sync.durable_files import sync_folder
from sync.journal_check import fact_problems
from sync.journal_high import HIGH
from sync.journal_person import destroy_keys, kept_of
from sync.journal_read import JournalReader
from sync.journal_rescue import SIDE_FILES, free_name, nothing_at

_NAME = re.compile(r"journal\.db\.aside(?:-(\d+))?")
_TAKEN_OVER = ("identity", "stream", "fact", "cursor", "withheld", "quarantine", "erasure")


def move_aside(path: Path) -> None:
    """Give the journal at ``path``, and what belongs to it, another name. Cut short by a power cut, it is done again under the same one. Raises OSError."""
    aside = free_name(path.parent, f"{path.name}.aside", "")
    for end in SIDE_FILES:
        _rename(path, aside, end)
    path.rename(aside)
    _rename(path, aside, HIGH)  # after it: without its mark it would not be known that it lost its end
    sync_folder(path.parent)


def _rename(path: Path, aside: Path, end: str) -> None:
    part = path.with_name(f"{path.name}{end}")
    if end == "-shm" or nothing_at(part):
        part.unlink(missing_ok=True)
    else:
        part.rename(aside.with_name(f"{aside.name}{end}"))


def journals_aside(folder: Path) -> list[Path]:
    """The journals in ``folder`` that were moved aside, the oldest first."""
    found = [(int(name[1] or 1), path) for path in folder.iterdir() if (name := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def reader_of(aside: Path, key: bytes) -> JournalReader:
    """Reads a journal that was moved aside."""
    return JournalReader(aside, Readers(lambda: open_file(aside, key, read_only=True)))


def take_over(db: Connection, aside: Path, key: bytes) -> int:
    """Put into the new journal ``db`` the identities, streams and facts of the one at ``aside``, and how far central was with them; how many facts.

    Raises JournalCorrupt when that one is not sound, or not of this key; StorageError.
    """
    try:
        old = open_file(aside, key, read_only=True)
        try:
            there = {name for (name,) in old.execute("SELECT name FROM sqlite_schema")}
            if "fact" in there:  # else all of it was in the end that is lost
                for problem in fact_problems(old, None):
                    raise JournalCorrupt(f"{aside} is damaged: {problem}", hint=CORRUPT_HINT, path=aside)
                db.execute("DELETE FROM identity")
            for table in _TAKEN_OVER:
                if table in there:
                    _copy(old, db, table)
        finally:
            old.close()
        return int(db.execute("SELECT count(*) FROM fact").fetchone()[0])
    except SqlError as problem:
        raise storage_error(problem, aside) from problem


def _copy(old: Connection, db: Connection, table: str) -> None:
    columns = int(db.execute("SELECT count(*) FROM pragma_table_info(?)", (table,)).fetchone()[0])
    insert = f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"  # noqa: S608 - names of tables
    db.executemany(insert, old.execute(f"SELECT * FROM {table}"))  # noqa: S608 - the same


def kept_aside(folder: Path, key: bytes, persons: Collection[str]) -> set[str]:
    """Those of ``persons`` of whom a journal that was moved aside keeps something that it can forget; of one that cannot be read nobody."""
    found = set[str]()
    for aside in journals_aside(folder):
        try:
            db = open_file(aside, key, read_only=True)
            try:
                found.update(kept_of(db, persons))
            finally:
                db.close()
        except SqlError:
            continue
    return found


def forget_aside(folder: Path, key: bytes, persons: Sequence[str]) -> bool:
    """Destroy these persons' keys in every journal that was moved aside, and leave no page that still holds one; false when there was none.

    Raises StorageError.
    """
    known = [_forget(aside, key, persons) for aside in journals_aside(folder)]
    return any(known)


def _forget(aside: Path, key: bytes, persons: Sequence[str]) -> bool:
    try:
        db = open_file(aside, key)
        try:
            db.execute("PRAGMA secure_delete = on")
            db.execute("BEGIN IMMEDIATE")
            known = destroy_keys(db, persons)
            db.execute("COMMIT")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            db.close()
    except SqlError as problem:
        raise storage_error(problem, aside) from problem
    return known
