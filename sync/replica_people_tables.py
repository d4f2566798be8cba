"""The tables of ``people.db`` and how rows of the ``customers``, ``carts`` and ``staff`` feeds go into them."""

from __future__ import annotations

import hmac
import re
from typing import Any

import msgspec

from sync.cipher import Connection
from sync.contract.identifiers import plain_identifier
from sync.contract.rows import CartRow, CustomerRow, StaffRow
from sync.feed_store import FeedLine
from sync.replica_rows import row_of
from sync.search_words import index_words, number_words, words_of

SCHEMA = 3
"""Another number makes a copy anew: rows that lie in it are read without a doubt, so those of an older contract may not stay."""
HASH_BYTES = 16
_TABLES = {"customers": "customer", "carts": "cart", "staff": "staff"}


def tables(db: Any) -> None:
    """Make the tables of an empty file."""
    row = {"data": bytes, "valid_from_ms": int, "valid_to_ms": int, "generation": int}
    needed = {"key", "data", "generation"}
    db["customer"].create({"id": int, "key": str, **row}, pk="id", not_null=needed)
    db["customer"].create_index(["key"], unique=True)
    db.execute("CREATE TABLE identifier(hash BLOB NOT NULL, customer INTEGER NOT NULL, PRIMARY KEY(hash, customer)) STRICT, WITHOUT ROWID")
    db["identifier"].create_index(["customer"])
    db.execute(
        "CREATE VIRTUAL TABLE customer_search USING fts5(words, content='', contentless_delete=1, detail=none, prefix='1 2 3 4', "
        "tokenize='unicode61 remove_diacritics 2')"
    )
    db["cart"].create({"key": str, "customer": str, "opened_ms": int, **row}, pk="key", not_null={*needed, "customer", "opened_ms"})
    db["cart"].create_index(["customer"])
    db["staff"].create({"key": str, "badge": str, **row}, pk="key", not_null={*needed, "badge"})
    db["staff"].create_index(["badge"])
    db["generation"].create({"feed": str, "number": int}, pk="feed", not_null={"number"})


def identifier_hash(key: bytes, kind: str, plain: str) -> bytes:
    """The keyed hash by which an identifier is found in its plain form."""
    return hmac.digest(key, f"{kind}\n{plain}".encode(), "sha256")[:HASH_BYTES]


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
        """Put or delete one row, of which what the contract knows is kept. Raises ContractBroken, with the old row still there, when it cannot be read."""
        there = line.put is not None
        match feed:
            case "customers":
                self._put_customer(line, row_of(line, CustomerRow) if there else None, generation)
            case "carts":
                cart = row_of(line, CartRow) if there else None
                self._put_simple("cart", line, cart, (cart.customer, cart.opened_ms) if cart else (), generation)
            case "staff":
                one = row_of(line, StaffRow) if there else None
                self._put_simple("staff", line, one, (one.badge,) if one else (), generation)
            case _:
                raise AssertionError(feed)

    def remove_before(self, feed: str, generation: int) -> None:
        """Remove the rows that the snapshot with that number did not bring. Nobody is deleted by that: what is not told of may still be."""
        if feed == "customers":
            for (key,) in self._db.execute("SELECT key FROM customer WHERE generation < ?", (generation,)).fetchall():
                self._remove_customer(key)
        else:
            self._db.execute(f"DELETE FROM {_TABLES[feed]} WHERE generation < ?", (generation,))  # noqa: S608 - a name of ours

    def keep(self, feed: str, key: str, generation: int) -> None:
        """Count what is here under ``key`` to that snapshot: it brought the row, though in a form that nobody can read."""
        self._db.execute(f"UPDATE {_TABLES[feed]} SET generation = ? WHERE key = ?", (generation, key))  # noqa: S608 - a name of ours

    def _put_simple(self, table: str, line: FeedLine, row: CartRow | StaffRow | None, columns: tuple[object, ...], generation: int) -> None:
        if row is None:
            self._db.execute(f"DELETE FROM {table} WHERE key = ?", (line.key,))  # noqa: S608 - a name of ours
            return
        values = (line.key, *columns, msgspec.json.encode(row), line.valid_from_ms, line.valid_to_ms, generation)
        self._db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608 - a name of ours

    def _put_customer(self, line: FeedLine, row: CustomerRow | None, generation: int) -> None:
        self._remove_customer(line.key)
        if row is None:
            return
        insert = "INSERT INTO customer VALUES (NULL, ?, ?, ?, ?, ?) RETURNING id"
        number = self._db.execute(insert, (line.key, msgspec.json.encode(row), line.valid_from_ms, line.valid_to_ms, generation)).fetchone()[0]
        plain = {(one.kind, plain_identifier(one.kind, one.value)) for one in row.identifiers}
        hashes = (identifier_hash(self._hash_key, kind, value) for kind, value in plain if value)
        self._db.executemany("INSERT INTO identifier VALUES (?, ?)", ((each, number) for each in hashes))
        self._db.execute("INSERT INTO customer_search(rowid, words) VALUES (?, ?)", (number, " ".join(_search_words(row))))

    def _remove_customer(self, key: str) -> None:
        found = self._db.execute("SELECT id FROM customer WHERE key = ?", (key,)).fetchone()
        if found is None:
            return
        (number,) = found
        self._db.execute("DELETE FROM identifier WHERE customer = ?", (number,))
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
