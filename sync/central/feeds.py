"""Publishing: putting and deleting the rows of a feed, each change numbered in the order of its commit.

One transaction at a time writes, and it takes its numbers inside it, so whoever reads up to a number has seen everything below it. A number taken
before the commit by several writers would hide rows for ever (measured: a quarter of them).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from edge_agent.domain.without_value import without_value
from sync.central.problems import refused
from sync.central.storage import Db
from sync.central.writer import Transaction
from sync.contract.identifiers import SINGLE_KINDS, plain_identifier
from sync.contract.messages import FEEDS, PROBLEM_INVALID, PROBLEM_TAKEN
from sync.contract.rows import ROW_BY_FEED, AnyRow, CartRow, CustomerRow, PriceRow, key_of


class Change(Struct, frozen=True):
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
        raise refused(PROBLEM_INVALID, f"{feed} {key}: {without_value(str(problem))}.") from problem
    if key_of(row) != key:
        raise refused(PROBLEM_INVALID, f"{feed} {key}: the row's own key is {key_of(row)}.")
    return row


def publish(transaction: Transaction, feed: str, changes: Iterable[Change]) -> int:
    """Apply ``changes`` in order; answers how many changed anything. Raises Refused, and the job's savepoint undoes what was applied: invalid for a wrong
    row; identifier-taken when in the end, so that one publication may move a card, a customer's card or tag is another's."""
    db = transaction.db
    put: list[str] = []
    head = first = int(db.execute("SELECT head FROM feed WHERE name = ?", (feed,)).fetchone()[0])
    for change in changes:
        if change.data is None:
            head += _delete(transaction, feed, change.key, head + 1)
        else:
            head += _put(transaction, feed, change.key, change.data, head + 1)
            put.append(change.key)
    if feed == "customers":
        _require_single(db, put)
    if head != first:
        db.execute("UPDATE feed SET head = ? WHERE name = ?", (head, feed))
        _mark(transaction, feed, head)
    return head - first


def revise(transaction: Transaction, feed: str, key: str, data: dict[str, Any]) -> None:
    """Replace the data of a row that is there, by central itself: its market, validity and identifiers stay. Nothing is checked, so nothing can fail."""
    db = transaction.db
    rev = db.execute("UPDATE feed SET head = head + 1 WHERE name = ? RETURNING head", (feed,)).fetchall()[0][0]
    text = msgspec.json.encode(data).decode()
    db.execute("UPDATE feed_row SET rev = ?, data = ?, at_ms = ? WHERE feed = ? AND key = ? AND op = 'put'", (rev, text, transaction.now_ms, feed, key))
    _mark(transaction, feed, rev)


def _mark(transaction: Transaction, feed: str, head: int) -> None:
    """The feed changed up to ``head`` just now: cursors say when, so that numbers given once more after a restore are told from those that were lost."""
    transaction.db.execute("INSERT INTO feed_mark (feed, rev, at_ms) VALUES (?, ?, ?)", (feed, head, transaction.now_ms))
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
    old = db.execute("SELECT op, data, scope FROM feed_row WHERE feed = ? AND key = ?", (feed, key)).fetchone()
    if old is not None and old[0] == "put" and old[1] == text:
        return 0
    if old is not None and old[2] != scope:  # it has to vanish from every market that it left, however long a register there slept
        db.execute("INSERT INTO feed_left (feed, key, scope) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (feed, key, old[2]))
    db.execute(
        """INSERT OR REPLACE INTO feed_row (feed, key, rev, op, data, valid_from_ms, valid_to_ms, scope, at_ms)
           VALUES (?, ?, ?, 'put', ?, ?, ?, ?, ?)""",
        (feed, key, rev, text, valid_from, valid_to, scope, transaction.now_ms),
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
            pairs = {(found.kind, plain_identifier(found.kind, found.value)) for found in row.identifiers}
            found = [(kind, value, row.id) for kind, value in sorted(pairs) if value]
            db.executemany("INSERT INTO identifier (kind, value, customer) VALUES (?, ?, ?)", found)
        case CartRow():
            db.execute("INSERT OR REPLACE INTO cart_of (cart, customer, opened_ms) VALUES (?, ?, ?)", (row.id, row.customer, row.opened_ms))
        case _:
            pass


def _require_single(db: Db, customers: list[str]) -> None:
    """Raise Refused (identifier-taken) when one of ``customers`` has a card or tag that another customer has."""
    found = db.execute(
        """SELECT mine.kind, mine.customer, other.customer FROM identifier mine JOIN identifier other USING (kind, value)
           WHERE mine.customer IN (SELECT value FROM json_each(?)) AND mine.kind IN (SELECT value FROM json_each(?)) AND other.customer <> mine.customer""",
        (msgspec.json.encode(customers).decode(), msgspec.json.encode(SINGLE_KINDS).decode()),
    ).fetchone()
    if found is not None:
        kind, customer, other = found
        raise refused(PROBLEM_TAKEN, f"customers {customer}: a {kind} of theirs is {other}'s.")


def forget_deletions(transaction: Transaction, older_than_ms: int) -> None:
    """Drop tombstones older than that, and marks that were followed by others before that; cursors below them are answered with 410 from now on.

    Customers' stay: a register that was away for however long forgets whoever was deleted. They hold nothing but the key.
    """
    old = "DELETE FROM feed_row WHERE op = 'del' AND at_ms < ? AND feed <> 'customers' RETURNING feed, rev, key"
    dropped = transaction.db.execute(old, (older_than_ms,)).fetchall()
    for feed, rev, key in dropped:
        transaction.db.execute("DELETE FROM feed_left WHERE feed = ? AND key = ?", (feed, key))
        transaction.db.execute("UPDATE feed SET floor = max(floor, ?) WHERE name = ?", (rev, feed))
    transaction.db.execute(
        """DELETE FROM feed_mark WHERE at_ms < ?1 AND EXISTS (
              SELECT 1 FROM feed_mark later WHERE later.feed = feed_mark.feed AND later.rev > feed_mark.rev AND later.at_ms < ?1)""",
        (older_than_ms,),
    )
