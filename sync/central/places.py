"""In which order a register said things: by epoch and number, and a fact that was withheld and sent again later at the place that it had at first.

The time of a fact is no order: a register's clock may jump. Its streams are one, but for a fact that central could not take. That one's number was used by
a fact that says so; when the cause was mended, it came at the end of its stream, behind newer words about the same thing, which it must not take back.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sync.central.storage import Db

Place = tuple[int, int]
"""Epoch and number: greater is later, for facts of one stream of one register."""


def note_withheld(db: Db, source: str, place: Place, fact: str) -> None:
    """The fact with that id belongs at ``place``; where it was withheld more than once, where it was first."""
    db.execute("INSERT INTO withheld_at (source, fact, epoch, number) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (source, fact, *place))


def withheld_places(db: Db, source: str, facts: Iterable[str] | None = None) -> dict[str, Place]:
    """Where the facts of a register that were withheld belong, by their ids; all of them, or of ``facts``."""
    if facts is None:
        rows = db.execute("SELECT fact, epoch, number FROM withheld_at WHERE source = ?", (source,))
    else:
        some = "SELECT fact, epoch, number FROM withheld_at WHERE source = ? AND fact IN (SELECT value FROM json_each(?))"
        rows = db.execute(some, (source, msgspec.json.encode(list(facts)).decode()))
    return {fact: (epoch, number) for fact, epoch, number in rows}
