"""Reading a feed: pages of NDJSON rows in the order of their commit, ended by the cursor to go on from.

A cursor is opaque to registers. Inside: which central made it and for which market, the last number seen, the number at which this reader's first page
began (a reader that began with nothing does not need the deletions from before that, except of customers, to whom it may have sold), and the mark of the
last number: the moment of the publication that gave it, by which a central that was restored from a backup knows that it gave the number once more.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Struct

from sync.central.limits import Limits
from sync.central.problems import refused
from sync.central.storage import Db
from sync.contract.messages import CURSOR_START, PROBLEM_CURSOR_EXPIRED, PROBLEM_INVALID, FeedEnd

CURSOR_CHARACTERS_MAX = 100
OPAQUE_TAG = re.compile(r'"[^"]*"')


class RowLine(msgspec.Struct, frozen=True, rename="camel"):
    """A ``FeedRow`` whose data stays the bytes that are stored."""

    op: str
    key: str
    rev: int
    data: msgspec.Raw | None
    valid_from_ms: int | None
    valid_to_ms: int | None


class Cursor(Struct, frozen=True):
    """A place in a feed of one ``edition``: as the central of that name shows it to one market."""

    edition: str
    rev: int
    base: int
    mark: int

    @property
    def text(self) -> str:
        return f"{self.edition}-{self.rev}-{self.base}-{self.mark}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises Refused (invalid) for what no central can have made."""
        edition, *numbers = text.rsplit("-", 3)
        if len(text) > CURSOR_CHARACTERS_MAX or len(numbers) != 3 or not all(number.isascii() and number.isdigit() and len(number) < 19 for number in numbers):
            raise refused(PROBLEM_INVALID, "Not a cursor of a feed.")
        return cls(edition, *map(int, numbers))


class Page(Struct, frozen=True):
    """``body`` is the whole answer, rows and end. ``tag`` is a weak ETag (RFC 9110, section 8.8.3): it changes whenever the rows do, or whose they are; the
    moment that the end line names may be another under the same tag."""

    body: bytes
    tag: str
    count: int
    cursor: Cursor


def encode_row(row: tuple[Any, ...], market: str) -> bytes:
    """One line of a feed from (op, key, rev, data, valid from, valid to, scope); a row of another market is gone, as far as this one knows."""
    op, key, rev, data, valid_from, valid_to, scope = row
    if op == "put" and scope in ("", market):
        line = RowLine(op, key, rev, msgspec.Raw(data.encode()), valid_from, valid_to)
    else:
        line = RowLine("del", key, rev, None, None, None)
    return msgspec.json.encode(line) + b"\n"


def named(header: str, tag: str) -> bool:
    """Whether an ``If-None-Match`` names ``tag``: a list of tags, or ``*`` for any, compared weakly (RFC 9110, section 13.1.2).

    >>> named('"a", W/"b"', 'W/"b"'), named('"b"', 'W/"b"'), named('"ab"', 'W/"b"'), named("*", 'W/"b"')
    (True, True, False, True)
    """
    return header.strip() == "*" or tag.removeprefix("W/") in OPAQUE_TAG.findall(header)


def edition_of(instance: str, market: str) -> str:
    """The name of what the central ``instance`` shows a market."""
    return f"{instance}-{market}"


def mark_of(db: Db, feed: str, rev: int) -> int:
    """The moment of the publication that gave a feed's number ``rev``; 0 where nothing was given yet."""
    row = db.execute("SELECT at_ms FROM feed_mark WHERE feed = ? AND rev >= ? ORDER BY rev LIMIT 1", (feed, rev)).fetchone() if rev else None
    return 0 if row is None else int(row[0])


def start_of(db: Db, edition: str, feed: str, after: str) -> Cursor:
    """Where a reader stands who says ``after``. Raises Refused (invalid; cursor-expired when rows it needs are gone, or it is of another edition)."""
    head, floor = db.execute("SELECT head, floor FROM feed WHERE name = ?", (feed,)).fetchone()
    if after == CURSOR_START:
        return Cursor(edition, 0, head, 0)
    cursor = Cursor.parse(after)
    if cursor.edition != edition or cursor.rev > head or cursor.mark != mark_of(db, feed, cursor.rev):
        text = "This cursor was made by another central, by this one before it was restored, or for another market; take a snapshot."
        raise refused(PROBLEM_CURSOR_EXPIRED, text)
    if max(cursor.rev, cursor.base) < floor:
        raise refused(PROBLEM_CURSOR_EXPIRED, "Deletions since this cursor are no longer remembered; take a snapshot.")
    return cursor


def read_page(db: Db, feed: str, market: str, start: Cursor, *, rows_max: int, limits: Limits, now_ms: int) -> Page:
    """The next page for a register of ``market`` (its currency)."""
    head = int(db.execute("SELECT head FROM feed WHERE name = ?", (feed,)).fetchone()[0])
    rows = db.execute(
        """SELECT op, key, rev, data, valid_from_ms, valid_to_ms, scope FROM feed_row
           WHERE feed = ?1 AND rev > ?2 AND ((scope IN ('', ?3) AND (op = 'put' OR ?2 > 0 OR ?1 = 'customers')) OR (?2 > 0 AND EXISTS (
              SELECT 1 FROM feed_left l WHERE l.feed = feed_row.feed AND l.key = feed_row.key AND l.scope = ?3))) ORDER BY rev LIMIT ?4""",
        (feed, start.rev, market, rows_max + 1),
    )
    lines: list[bytes] = []
    size, last, more = 0, start.rev, False
    for row in rows:
        if len(lines) == rows_max or size >= limits.feed_bytes_max:
            more = True
            break
        lines.append(encode_row(row, market))
        size += len(lines[-1])
        last = row[2]
    reached = last if more else head
    cursor = Cursor(start.edition, reached, start.base, mark_of(db, feed, reached))
    end = FeedEnd(op="end", cursor=cursor.text, more=more, count=len(lines), as_of_ms=now_ms)
    return Page(
        b"".join(lines) + msgspec.json.encode(end) + b"\n", f'W/"{start.edition}-{start.rev}-{last}-{mark_of(db, feed, last)}-{len(lines)}"', len(lines), cursor
    )
