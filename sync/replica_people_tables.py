"""The tables of ``people.db`` and how rows of the ``customers``, ``carts`` and ``staff`` feeds go into them."""

from __future__ import annotations

import hmac
import re
from typing import Any

import msgspec

from sync.cipher import Connection
from sync.contract.rows import CartRow, CustomerRow, StaffRow
from sync.feed_store import FeedLine
from sync.replica_rows import read_row
from sync.search_words import index_words, number_words, words_of

SCHEMA = 1
HASH_BYTES = 16
_TABLES = {"customers": "customer", "carts": "cart", "staff": "staff"}


def tables(db: Any) -> None:
    """Make the tables of an empty file."""
    row = {"data": bytes, "valid_from_ms": int, "valid_to_ms": int, "generation": int}
    needed = {"key", "data", "generation"}
    db["customer"].create({"id": int, "key": str, **row}, pk="id", not_null=needed)
    db["customer"].create_index(["key"], unique=True)
    db.execute("CREATE TABLE identifier(hash BLOB NOT NULL, customer INTEGER NOT NULL, PRIMARY KEY(hash, customer)) STRICT, WITHOUT ROWID")
    db.execute(
        "CREATE VIRTUAL TABLE customer_search USING fts5(words, content='', contentless_delete=1, detail=none, prefix='1 2 3 4', "
        "tokenize='unicode61 remove_diacritics 2')"
    )
    db["cart"].create({"key": str, "customer": str, "opened_ms": int, **row}, pk="key", not_null={*needed, "customer", "opened_ms"})
    db["cart"].create_index(["customer"])
    db["staff"].create({"key": str, "badge": str, **row}, pk="key", not_null={*needed, "badge"})
    db["staff"].create_index(["badge"])
    db["generation"].create({"feed": str, "number": int}, pk="feed", not_null={"number"})


def identifier_hash(key: bytes, kind: str, value: str) -> bytes:
    """The keyed hash by which an identifier is found, whatever way it is written."""
    return hmac.digest(key, f"{kind}\n{plain_identifier(kind, value)}".encode(), "sha256")[:HASH_BYTES]


def plain_identifier(kind: str, value: str) -> str:
    """An identifier without what people and readers add to it.

    >>> plain_identifier("tag_uid", "04:a2:3B:ff"), plain_identifier("phone", "+49 151 1234"), plain_identifier("email", " Ada@Example.com")
    ('04A23BFF', '+491511234', 'ada@example.com')
    """
    match kind:
        case "tag_uid":
            return re.sub(r"[^0-9A-F]", "", value.upper())
        case "phone":
            return re.sub(r"[^0-9+]", "", value)
        case "email":
            return value.strip().casefold()
        case _:
            return value.strip().upper()


class PeopleTables:
    """Puts rows into an open ``people.db``; every method is part of the caller's transaction."""

    def __init__(self, db: Connection, hash_key: bytes) -> None:
        self._db = db
        self._hash_key = hash_key

    def generation(self, feed: str) -> int:
        """The number of the newest snapshot of ``feed`` that is (partly) in."""
        row = self._db.execute("SELECT number FROM generation WHERE feed = ?", (feed,)).fetchone()
        return 0 if row is None else int(row[0])

    def begin(self, feed: str) -> int:
        """A new snapshot of ``feed`` comes in; its number."""
        number = self.generation(feed) + 1
        self._db.execute("INSERT OR REPLACE INTO generation VALUES (?, ?)", (feed, number))
        return number

    def put(self, feed: str, line: FeedLine, generation: int) -> None:
        """Put or delete one row. Raises ContractBroken, with the old row still there, when it cannot be read."""
        data = line.put
        match feed:
            case "customers":
                self._put_customer(line, data, generation)
            case "carts":
                cart = None if data is None else read_row(data, CartRow)
                self._put_simple("cart", line, None if cart is None else (cart.customer, cart.opened_ms), generation)
            case "staff":
                one = None if data is None else read_row(data, StaffRow)
                self._put_simple("staff", line, None if one is None else (one.badge,), generation)
            case _:
                raise AssertionError(feed)

    def remove_before(self, feed: str, generation: int) -> None:
        """Remove the rows that the snapshot with that number did not bring."""
        keys = self._db.execute(f"SELECT key FROM {_TABLES[feed]} WHERE generation < ?", (generation,)).fetchall()  # noqa: S608 - a name of ours
        for (key,) in keys:
            self.put(feed, FeedLine(op="del", key=key), generation)

    def _put_simple(self, table: str, line: FeedLine, columns: tuple[object, ...] | None, generation: int) -> None:
        if columns is None:
            self._db.execute(f"DELETE FROM {table} WHERE key = ?", (line.key,))  # noqa: S608 - a name of ours
            return
        values = (line.key, *columns, line.put, line.valid_from_ms, line.valid_to_ms, generation)
        self._db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608 - a name of ours

    def _put_customer(self, line: FeedLine, data: bytes | None, generation: int) -> None:
        row = None if data is None else read_row(data, CustomerRow)
        self._remove_customer(line.key)
        if row is None:
            return
        insert = "INSERT INTO customer VALUES (NULL, ?, ?, ?, ?, ?) RETURNING id"
        number = self._db.execute(insert, (line.key, data, line.valid_from_ms, line.valid_to_ms, generation)).fetchone()[0]
        hashes = {identifier_hash(self._hash_key, one.kind, one.value) for one in row.identifiers}
        self._db.executemany("INSERT INTO identifier VALUES (?, ?)", ((each, number) for each in hashes))
        self._db.execute("INSERT INTO customer_search(rowid, words) VALUES (?, ?)", (number, " ".join(_search_words(row))))

    def _remove_customer(self, key: str) -> None:
        found = self._db.execute("SELECT id, data FROM customer WHERE key = ?", (key,)).fetchone()
        if found is None:
            return
        number, data = found
        known = msgspec.json.decode(data, type=CustomerRow)
        hashes = {identifier_hash(self._hash_key, one.kind, one.value) for one in known.identifiers}
        self._db.executemany("DELETE FROM identifier WHERE hash = ? AND customer = ?", ((each, number) for each in hashes))
        self._db.execute("DELETE FROM customer_search WHERE rowid = ?", (number,))
        self._db.execute("DELETE FROM customer WHERE id = ?", (number,))


def _search_words(row: CustomerRow) -> list[str]:
    words = index_words((row.name,))
    for one in row.identifiers:
        match one.kind:
            case "phone":
                words += number_words(one.value)
            case "loyalty":
                plain = words_of(one.value)
                words += [*plain, *(re.sub(r"\D", "", word) for word in plain if re.search(r"\d", word))]
            case "email":
                words += words_of(one.value)
            case _:
                continue
    return words
