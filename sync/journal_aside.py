"""A journal that lost its end, moved aside whole: what the journal that begins in its place takes over of it. Who is named in it is forgotten.

Its facts are sound up to where it ends, and central may not have them. Its state is not taken over: a basket that is open in it may have been sold in the
end that is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sync.cipher import Connection, Readers, SqlError, open_file
from sync.contract.envelope import FIRST_PREVHASH, STREAMS, fact_hash
from sync.durable_files import sync_folder, write_synced
from sync.identity import Identity
from sync.journal_check import says
from sync.journal_high import HIGH
from sync.journal_read import JournalReader
from sync.journal_rescue import SIDE_FILES, nothing_at

_NAME = re.compile(r"journal\.db\.aside(?:-(\d+))?")
NOTHING = "No fact of it could be taken over: what central lacks of them is in that file alone. Keep it, and call support."
_BESIDE = {
    "withheld": "Not all facts that were withheld could be taken over: they are in that file alone. Keep it, and call support.",
    "quarantine": "",
    "erasure": "Who of the customers is still to be forgotten could not all be read. Look at central who was deleted lately: `edge-agent journal forget`.",
}
"""What is taken over beside the facts, and what is said where it cannot be read whole."""


def move_aside(path: Path) -> None:
    """Give the journal at ``path``, and what belongs to it, another name. Cut short by a power cut, it is done again under the same one. Raises OSError."""
    newest = max((_number(other) for other in journals_aside(path.parent)), default=0)  # also where one in between was taken away: the highest is the newest
    aside = path.with_name(f"{path.name}.aside{f'-{newest + 1}' if newest else ''}")
    _told(aside).unlink(missing_ok=True)  # of one that was taken out of the folder since
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
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), key=_number)


def _number(aside: Path) -> int:
    name = _NAME.fullmatch(aside.name)
    return int(name[1] or 1) if name else 0


def reader_of(aside: Path, key: bytes) -> JournalReader:
    """Reads a journal that was moved aside."""
    return JournalReader(aside, Readers(lambda: open_file(aside, key, read_only=True)))


def take_over(db: Connection, aside: Path, key: bytes) -> int:
    """Put into the new journal ``db`` what is whole of the facts of the one at ``aside``, with their identities and how far central was with them; how many
    facts. What is not whole of them is told by ``told_of``; who is named in that journal is forgotten there. Nothing about it keeps a register from starting.
    """
    old = _Old(aside, key)
    try:
        there = {name for (name,) in old.rows("SELECT name FROM sqlite_schema")}
        identities = old.rows("SELECT * FROM identity ORDER BY id") if "fact" in there else []  # else all of it was in the end that is lost
    except SqlError:
        there, identities, left = set[str](), [], [NOTHING]
    else:
        left = _salvaged(old, db, identities, there) if identities else []
    if not _forgotten(aside, key):
        left.append("Customers' names in it could not be destroyed: delete it as soon as nobody needs it.")
    if left:
        write_synced(_told(aside), "\n".join(left).encode())
    else:
        _told(aside).unlink(missing_ok=True)
    return int(db.execute("SELECT count(*) FROM fact").fetchone()[0])


def told_of(aside: Path) -> list[str]:
    """What could not be taken over from the journal at ``aside``, a sentence each."""
    told = _told(aside)
    return told.read_text().splitlines() if told.exists() else []


def _told(aside: Path) -> Path:
    return aside.with_name(f"{aside.name}-left")


class _Old:
    """Reads a journal that may be damaged, by a connection for each query: SQLCipher answers none any more on one that met a damaged page."""

    def __init__(self, aside: Path, key: bytes) -> None:
        self._aside = aside
        self._key = key

    def rows(self, select: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows. Raises DB-API errors."""
        with closing(open_file(self._aside, self._key, read_only=True)) as db:
            return db.execute(select, values).fetchall()

    def readable(self, select: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Rows as far as they can be read."""
        with suppress(SqlError), closing(open_file(self._aside, self._key, read_only=True)) as db:
            yield from db.execute(select, values)


def _salvaged(old: _Old, db: Connection, identities: list[tuple[Any, ...]], there: set[str]) -> list[str]:
    """Copy what is whole; a sentence for each stream of which something is not."""
    db.execute("DELETE FROM identity")
    _insert(db, "identity", identities)
    left, heads = list[str](), dict[tuple[int, str], tuple[int, str]]()
    try:
        heads = {(row[0], row[1]): (row[2], row[3]) for row in old.rows("SELECT identity, name, head, hash FROM stream")}
    except SqlError:
        left.append("How many facts it had cannot be read. Keep it, and call support.")
    known_heads = not left
    for identity, source, epoch in db.execute("SELECT id, source, epoch FROM identity ORDER BY id").fetchall():
        for stream in STREAMS:
            end = _copied(old, db, identity, stream, Identity(source, epoch))
            if end[0]:
                db.execute("INSERT INTO stream VALUES (?, ?, ?, ?)", (identity, stream, *end))
            if known_heads and heads.get((identity, stream), (0, FIRST_PREVHASH)) != end:
                left.append(
                    f"Only the facts of {stream} up to {end[0]} are whole in epoch {epoch}: what central lacks of the rest is in that file alone. Keep it, and "
                    "call support."
                )
    known = "SELECT 1 FROM stream WHERE identity = ? AND name = ? AND head >= ?"
    cursors = [row for row in old.readable("SELECT * FROM cursor") if row[3] == 1 or db.execute(known, (row[1], row[2], row[3] - 1)).fetchone()]
    _insert(db, "cursor", cursors)
    for table in _BESIDE.keys() & there:
        select = f"SELECT * FROM {table}"  # noqa: S608 - names of tables
        try:
            _insert(db, table, old.rows(select))
        except SqlError:
            _insert(db, table, old.readable(select))
            left += [_BESIDE[table]] if _BESIDE[table] else []
    return left


def _insert(db: Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    columns = int(db.execute("SELECT count(*) FROM pragma_table_info(?)", (table,)).fetchone()[0])
    db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})", rows)  # noqa: S608 - names of tables


def _copied(old: _Old, db: Connection, identity: int, stream: str, who: Identity) -> tuple[int, str]:
    """Copy the facts of a stream up to the first that is not whole: the number and hash of the last of them."""
    head, chain = 0, FIRST_PREVHASH
    for row in old.readable("SELECT * FROM fact WHERE identity = ? AND stream = ? ORDER BY number", identity, stream):
        number, wire, hash, prev = row[2], row[6], row[7], row[8]
        if (number, prev) != (head + 1, chain) or fact_hash(wire) != hash or not says(wire, who.source, who.epoch, stream, number, prev):
            break
        db.execute("INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        head, chain = number, hash
    return head, chain


def _forgotten(aside: Path, key: bytes) -> bool:
    """Nobody needs to know any more who was meant there: destroy every person's key, and leave no page that still holds one."""
    gone = _changed(aside, key, "DELETE FROM person_key")
    _changed(aside, key, "UPDATE sale SET customer = ''")  # leads to nobody without the key
    return gone


def _changed(aside: Path, key: bytes, statement: str) -> bool:
    try:
        with closing(open_file(aside, key)) as db:
            db.execute("PRAGMA secure_delete = on")
            if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'person_key'").fetchone():
                db.execute("BEGIN IMMEDIATE")
                db.execute(statement)
                db.execute("COMMIT")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except SqlError:
        return False
    return True
