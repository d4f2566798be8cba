"""Publishing: putting and deleting the rows of a feed, each change numbered in the order of its commit.

One transaction at a time writes, and it takes its numbers inside it, so whoever reads up to a number has seen everything below it. A number taken
before the commit by several writers would hide rows for ever (measured: a quarter of them).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from sync.central.problems import refused
from sync.central.storage import Db
from sync.central.writer import Transaction
from sync.contract.messages import FEEDS, PROBLEM_INVALID
from sync.contract.rows import ROW_BY_FEED, AnyRow, CartRow, CustomerRow, PriceRow, key_of

LOWERED_KINDS = frozenset({"email"})
"""Identifiers that are the same in either case."""


@dataclass(frozen=True, slots=True)
class Change:
    """A row to put, or (``data`` None) to delete. ``data`` is what registers read, unknown members kept."""

    key: str
    data: dict[str, Any] | None


def prepare_feeds(transaction: Transaction) -> None:
    """Make the feeds' counters; a repeated call changes nothing."""
    transaction.db.executemany("INSERT INTO feed (name, head, floor) VALUES (?, 0, 0) ON CONFLICT DO NOTHING", [(feed,) for feed in FEEDS])


def checked(feed: str, key: str, data: dict[str, Any]) -> AnyRow:
    """``data`` as the feed's row. Raises Refused (invalid) when it is not one, or belongs under another key."""
    try:
        row: AnyRow = msgspec.convert(data, ROW_BY_FEED[feed])
    except msgspec.ValidationError as problem:
        raise refused(PROBLEM_INVALID, f"{feed} {key}: {problem}.") from problem
    if key_of(row) != key:
        raise refused(PROBLEM_INVALID, f"{feed} {key}: the row's own key is {key_of(row)}.")
    return row


def publish(transaction: Transaction, feed: str, changes: Iterable[Change]) -> int:
    """Apply ``changes`` in order; answers how many changed anything. Raises Refused (invalid) before the first wrong row is applied."""
    db = transaction.db
    head = first = int(db.execute("SELECT head FROM feed WHERE name = ?", (feed,)).fetchone()[0])
    for change in changes:
        if change.data is None:
            head += _delete(transaction, feed, change.key, head + 1)
        else:
            head += _put(transaction, feed, change.key, change.data, head + 1)
    if head != first:
        db.execute("UPDATE feed SET head = ? WHERE name = ?", (head, feed))
        transaction.changed.add(feed)
    return head - first


def revise(transaction: Transaction, feed: str, key: str, data: dict[str, Any]) -> None:
    """Replace the data of a row that is there, by central itself: its market, validity and identifiers stay. Nothing is checked, so nothing can fail."""
    db = transaction.db
    rev = db.execute("UPDATE feed SET head = head + 1 WHERE name = ? RETURNING head", (feed,)).fetchall()[0][0]
    text = msgspec.json.encode(data).decode()
    db.execute("UPDATE feed_row SET rev = ?, data = ?, at_ms = ? WHERE feed = ? AND key = ? AND op = 'put'", (rev, text, transaction.now_ms, feed, key))
    transaction.changed.add(feed)


def current(db: Db, feed: str, key: str) -> dict[str, Any] | None:
    """The row's data as it stands, or None."""
    row = db.execute("SELECT data FROM feed_row WHERE feed = ? AND key = ? AND op = 'put'", (feed, key)).fetchone()
    return None if row is None else msgspec.json.decode(row[0], type=dict[str, Any])


def known(db: Db, feed: str, key: str) -> bool:
    """Whether the feed has, or remembers the deletion of, that key."""
    return db.execute("SELECT 1 FROM feed_row WHERE feed = ? AND key = ?", (feed, key)).fetchone() is not None


def _put(transaction: Transaction, feed: str, key: str, data: dict[str, Any], rev: int) -> int:
    db = transaction.db
    row = checked(feed, key, data)
    text = msgspec.json.encode(data).decode()
    scope, valid_from, valid_to = _extent(row)
    old = db.execute("SELECT op, data, scope, left_scope FROM feed_row WHERE feed = ? AND key = ?", (feed, key)).fetchone()
    if old is not None and old[0] == "put" and old[1] == text:
        return 0
    # A row that moves to another market has to vanish from the one it leaves.
    left = "" if old is None else (old[2] if old[2] != scope else old[3])
    db.execute(
        """INSERT OR REPLACE INTO feed_row (feed, key, rev, op, data, valid_from_ms, valid_to_ms, scope, left_scope, at_ms)
           VALUES (?, ?, ?, 'put', ?, ?, ?, ?, ?, ?)""",
        (feed, key, rev, text, valid_from, valid_to, scope, left, transaction.now_ms),
    )
    _index(db, row)
    return 1


def _delete(transaction: Transaction, feed: str, key: str, rev: int) -> int:
    db = transaction.db
    gone = db.execute(
        """UPDATE feed_row SET rev = ?, op = 'del', data = NULL, valid_from_ms = NULL, valid_to_ms = NULL, at_ms = ?
           WHERE feed = ? AND key = ? AND op = 'put' RETURNING 1""",
        (rev, transaction.now_ms, feed, key),
    ).fetchall()
    if feed == "customers":
        db.execute("DELETE FROM identifier WHERE customer = ?", (key,))
    if feed == "carts":
        db.execute("DELETE FROM cart_of WHERE cart = ?", (key,))
    return len(gone)


def _extent(row: AnyRow) -> tuple[str, int | None, int | None]:
    """The market that a row is for (its currency; empty is all of them), and when it is valid. A register sees the prices and carts of its own currency."""
    match row:
        case PriceRow():
            return row.currency, row.from_ms, row.until_ms
        case CartRow():
            return row.currency, None, None
        case _:
            return "", None, None


def _index(db: Db, row: AnyRow) -> None:
    match row:
        case CustomerRow():
            db.execute("DELETE FROM identifier WHERE customer = ?", (row.id,))
            pairs = [(found.kind, plain_identifier(found.kind, found.value), row.id) for found in row.identifiers]
            db.executemany("INSERT OR REPLACE INTO identifier (kind, value, customer) VALUES (?, ?, ?)", pairs)
        case CartRow():
            db.execute("INSERT OR REPLACE INTO cart_of (cart, customer, opened_ms) VALUES (?, ?, ?)", (row.id, row.customer, row.opened_ms))
        case _:
            pass


def plain_identifier(kind: str, value: str) -> str:
    """An identifier as it is looked up.

    >>> plain_identifier("email", " Ada@Example.org "), plain_identifier("loyalty", "LOY1234567890")
    ('ada@example.org', 'LOY1234567890')
    """
    value = value.strip()
    return value.lower() if kind in LOWERED_KINDS else value


def forget_deletions(transaction: Transaction, older_than_ms: int) -> None:
    """Drop tombstones older than that; cursors below the newest of them are answered with 410 from now on."""
    dropped = transaction.db.execute("DELETE FROM feed_row WHERE op = 'del' AND at_ms < ? RETURNING feed, rev", (older_than_ms,)).fetchall()
    for feed, rev in dropped:
        transaction.db.execute("UPDATE feed SET floor = max(floor, ?) WHERE name = ?", (rev, feed))
