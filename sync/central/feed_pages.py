"""Reading a feed: pages of NDJSON rows in the order of their commit, ended by the cursor to go on from.

A cursor is opaque to registers. Inside: which central made it, the last number seen, and the number at which this reader's first page began (a reader that
began with nothing does not need the deletions from before that).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from sync.central.limits import Limits
from sync.central.problems import refused
from sync.central.storage import Db
from sync.contract.messages import CURSOR_START, PROBLEM_CURSOR_EXPIRED, PROBLEM_INVALID, FeedEnd

CURSOR_CHARACTERS_MAX = 100


class RowLine(msgspec.Struct, frozen=True, rename="camel"):
    """A ``FeedRow`` whose data stays the bytes that are stored."""

    op: str
    key: str
    rev: int
    data: msgspec.Raw | None
    valid_from_ms: int | None
    valid_to_ms: int | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a feed of the central named ``instance``."""

    instance: str
    rev: int
    base: int

    @property
    def text(self) -> str:
        return f"{self.instance}-{self.rev}-{self.base}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises Refused (invalid) for what no central can have made."""
        instance, *numbers = text.rsplit("-", 2)
        if len(text) > CURSOR_CHARACTERS_MAX or len(numbers) != 2 or not all(number.isascii() and number.isdigit() and len(number) < 19 for number in numbers):
            raise refused(PROBLEM_INVALID, "Not a cursor of a feed.")
        return cls(instance, int(numbers[0]), int(numbers[1]))


@dataclass(frozen=True, slots=True)
class Page:
    """``body`` is the whole answer, rows and end; ``tag`` changes whenever its rows do."""

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


def start_of(db: Db, instance: str, feed: str, after: str) -> Cursor:
    """Where a reader stands who says ``after``. Raises Refused (invalid; cursor-expired when rows it needs are gone, or it is another central's)."""
    head, floor = db.execute("SELECT head, floor FROM feed WHERE name = ?", (feed,)).fetchone()
    if after == CURSOR_START:
        return Cursor(instance, 0, head)
    cursor = Cursor.parse(after)
    if cursor.instance != instance or cursor.rev > head:
        raise refused(PROBLEM_CURSOR_EXPIRED, "This cursor was made by another central, or by this one before it was restored; take a snapshot.")
    if max(cursor.rev, cursor.base) < floor:
        raise refused(PROBLEM_CURSOR_EXPIRED, "Deletions since this cursor are no longer remembered; take a snapshot.")
    return cursor


def read_page(db: Db, feed: str, market: str, start: Cursor, *, rows_max: int, limits: Limits, now_ms: int) -> Page:
    """The next page for a register of ``market`` (its currency)."""
    head = int(db.execute("SELECT head FROM feed WHERE name = ?", (feed,)).fetchone()[0])
    rows = db.execute(
        """SELECT op, key, rev, data, valid_from_ms, valid_to_ms, scope FROM feed_row
           WHERE feed = ? AND rev > ? AND (scope = '' OR scope = ? OR left_scope = ?) AND NOT (op = 'del' AND ?) ORDER BY rev LIMIT ?""",
        (feed, start.rev, market, market, start.rev == 0, rows_max + 1),
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
    cursor = Cursor(start.instance, last if more else head, start.base)
    end = FeedEnd(op="end", cursor=cursor.text, more=more, count=len(lines), as_of_ms=now_ms)
    return Page(b"".join(lines) + msgspec.json.encode(end) + b"\n", f'W/"{start.rev}-{last}-{len(lines)}"', len(lines), cursor)
