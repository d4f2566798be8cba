"""The local copy of customers, carts and staff: what ``edge_agent.ports.People`` promises, on ``people.db`` under SQLCipher.

Identifiers are found by a keyed hash (HMAC-SHA256, 16 bytes), so that no list of phone numbers can be read off an index. Feeds go in row by
row; a snapshot marks what it brings and removes the rest at its end. Whom central deletes, by a tombstone, is told before anything of the page is in
(``Deleted``): the rest of the register has to forget them too, and this file may be made anew at any time. Who is merely missing in a whole copy goes
from the copy, and was not deleted: a central that was restored, or is another one, may not know them yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import RLock

import msgspec

from edge_agent.clock import Clock
from edge_agent.domain.cart import Cart
from edge_agent.domain.customer import Customer, Identifier, IdentifierKind
from edge_agent.domain.errors import ContractBroken
from edge_agent.domain.shift import Operator
from edge_agent.ports import Age
from sync.cipher import Connection, Readers, SqlError, open_file
from sync.contract.identifiers import looked_up
from sync.contract.rows import CartRow, CustomerRow, StaffRow
from sync.feed_store import Applied, FeedLine, FeedState, Progress
from sync.keys import derived_key
from sync.replica_file import holds, open_replica, read_state, remove_database, replica_error, write_state
from sync.replica_people_tables import SCHEMA, PeopleTables, identifier_hash, tables
from sync.replica_rows import cart_of, customer_of, operator_of
from sync.search_words import matches, rank, typed_number, words_of

FEEDS = ("customers", "carts", "staff")
FILE_NAME = "people.db"
CANDIDATES_MAX = 200
FOUND_MAX = 100
CHUNK_ROWS = 1_000
Deleted = Callable[[Sequence[str], Sequence[str]], None]
"""Told whom central deletes and whom it puts (again), from the thread that brings it in and before any of it is in: what is told twice was cut off in
between. Raises StorageError: then nothing of it comes in, and it is asked for again."""
_SHARING = "SELECT data, valid_from_ms, valid_to_ms FROM customer WHERE id IN (SELECT customer FROM identifier WHERE hash = ?) ORDER BY key LIMIT ?"


class PeopleReplica:
    """Customers, carts and staff in ``folder``. Queries may come from any thread and answer at once; ``apply`` and ``replace`` come from worker threads."""

    def __init__(self, folder: Path, key: bytes, clock: Clock, country: str = "", deleted: Deleted = lambda gone, back: None) -> None:
        self._deleted = deleted
        self._path = folder / FILE_NAME
        self._clock = clock
        self._country = country
        self._key = derived_key(key, "people.db")
        self._hash_key = derived_key(key, "identifiers")
        self._writing = RLock()
        self._damaged = False
        self._db = open_replica(self._path, self._key, SCHEMA, tables)
        self._tables = PeopleTables(self._db, self._hash_key)
        self._readers = Readers(self._reader())
        self._states = {feed: read_state(self._db, feed) for feed in FEEDS}

    def close(self) -> None:
        """Close the file."""
        with self._writing:
            self._readers.close()
            self._db.close()

    # --- edge_agent.ports.People ---

    def customer(self, customer_id: str) -> Customer | None:
        """The customer with this id."""
        return self._customer("SELECT data, valid_from_ms, valid_to_ms FROM customer WHERE key = ?", customer_id)

    def knows(self, customer_id: str) -> bool:
        """Whether there is such a customer here, in force or not."""
        with self._reading() as db:
            return db.execute("SELECT 1 FROM customer WHERE key = ?", (customer_id,)).fetchone() is not None

    def identify(self, identifier: Identifier) -> Sequence[Customer]:
        """The customers that this identifier stands for."""
        match identifier.kind:
            case IdentifierKind.CUSTOMER:
                found = [self.customer(identifier.value)]
            case IdentifierKind.CART:
                cart = self.cart(identifier.value)
                found = [self.customer(cart.customer)] if cart is not None and cart.customer else []
            case kind:
                hashes = self._hashes(kind.value, identifier.value)
                with self._reading() as db:
                    rows = [row for each in hashes for row in db.execute(_SHARING, (each, FOUND_MAX))]
                found = [self._read_customer(row) for row in dict.fromkeys(rows)]
        return [customer for customer in found if customer is not None][:FOUND_MAX]

    def find(self, text: str, limit: int) -> Sequence[Customer]:
        """Customers whose name, phone, e-mail or loyalty number has every typed word as a beginning (a phone: also its end), best first; and the one
        whose customer number it is."""
        words = words_of(text)
        if not words or limit < 1:
            return []
        number = typed_number(text)
        ids: set[int] = set()
        with self._reading() as db:
            for match in [_number_match(number)] if number else matches(words):
                if len(ids) < CANDIDATES_MAX:
                    ids.update(row[0] for row in db.execute("SELECT rowid FROM customer_search WHERE customer_search MATCH ? LIMIT ?", (match, CANDIDATES_MAX)))
            ids.update(row[0] for row in db.execute("SELECT id FROM customer WHERE key IN (?, ?)", (text.strip(), text.strip().upper())))
            for each in self._hashes("phone", text) if number else ():
                ids.update(row[0] for row in db.execute("SELECT customer FROM identifier WHERE hash = ? LIMIT ?", (each, CANDIDATES_MAX)))
            select = "SELECT data, valid_from_ms, valid_to_ms FROM customer WHERE id IN (SELECT value FROM json_each(?))"
            rows = db.execute(select, (json.dumps(list(ids)),)).fetchall()
        found = [customer for row in rows if (customer := self._read_customer(row)) is not None]
        found.sort(key=lambda customer: (*rank(words, words_of(customer.name)), customer.name, customer.id))
        return found[: min(limit, FOUND_MAX)]

    def cart_of(self, customer_id: str) -> Cart | None:
        """The customer's newest open cart, as last heard."""
        return self._cart("SELECT data, valid_from_ms, valid_to_ms FROM cart WHERE customer = ? AND customer <> '' ORDER BY opened_ms DESC, key", customer_id)

    def cart(self, cart_id: str) -> Cart | None:
        """The open cart with this id, as last heard."""
        return self._cart("SELECT data, valid_from_ms, valid_to_ms FROM cart WHERE key = ?", cart_id)

    def operator(self, badge: str) -> Operator | None:
        """The member of staff with this badge number or id."""
        with self._reading() as db:
            select = "SELECT data, valid_from_ms, valid_to_ms FROM staff WHERE badge = ? OR key = ? ORDER BY badge = ? DESC"
            rows = db.execute(select, (badge, badge, badge)).fetchall() if badge else []
        now_ms = self._clock.now_ms()
        return next((operator_of(msgspec.json.decode(row[0], type=StaffRow)) for row in rows if holds(row[1], row[2], now_ms)), None)

    def age(self) -> Age:
        """How old the older of customers and carts is."""
        states = [self._states[feed] for feed in ("customers", "carts")]
        known = [state.as_of_ms for state in states if state.as_of_ms is not None]
        return Age(min(known) if len(known) == len(states) else None, states[0].cursor or "")

    # --- sync.feed_store.FeedStore ---

    def state(self, feed: str) -> FeedState:
        """Where the copy of ``feed`` stands; nowhere when the file turned out to be damaged."""
        return FeedState() if self._damaged else self._states[feed]

    def apply(self, feed: str, lines: Iterable[FeedLine], state: FeedState) -> Applied:
        """Apply a page and move to ``state``, in one transaction."""
        page = list(lines)
        with self._writing, self._naming_errors():
            with self._transaction():
                done = self._put_all(feed, page, self._tables.generation(feed), Applied())
                write_state(self._db, feed, state)
            self._states[feed] = state
            if any(line.op == "del" for line in page):
                self._empty_log()
            return done

    def touch(self, feed: str, as_of_ms: int) -> None:
        """Central said that nothing changed."""
        state = self._states[feed]
        self.apply(feed, (), FeedState(state.cursor, state.etag, as_of_ms))

    def replace(
        self, feed: str, lines: Iterable[FeedLine], ended: Callable[[], FeedState], progress: Progress, *, changing: bool = False
    ) -> Applied:  # fmt: skip
        """Bring the rows of a snapshot in by chunks, then remove what it did not bring. Cut off in between, it is simply done again."""
        with self._writing, self._naming_errors():
            if self._damaged:
                self._start_anew()
            with self._transaction():
                generation = self._tables.begin(feed)
            done = Applied()
            source = iter(lines)
            while chunk := list(islice(source, CHUNK_ROWS)):
                with self._transaction():
                    done = self._put_all(feed, chunk, generation, done)
                progress(done.rows)
            state = ended()
            with self._transaction():
                self._tables.remove_before(feed, generation)
                write_state(self._db, feed, state)
            self._states[feed] = state
            self._empty_log()
            return done

    def _put_all(self, feed: str, lines: Sequence[FeedLine], generation: int, done: Applied) -> Applied:
        if feed == "customers":
            last = {line.key: line.op for line in lines}
            self._deleted([key for key, op in last.items() if op == "del"], [key for key, op in last.items() if op == "put"])
        for line in lines:
            done = self._put(feed, line, generation, done)
        return done

    def _put(self, feed: str, line: FeedLine, generation: int, done: Applied) -> Applied:
        try:
            self._tables.put(feed, line, generation)
        except ContractBroken as problem:
            self._tables.keep(feed, line.key, generation)
            return Applied(done.rows + 1, done.refused + 1, done.refusal or problem.message)
        return Applied(done.rows + 1, done.refused, done.refusal)

    def _empty_log(self) -> None:
        """No page of the log still holds who was removed; with a reader in the way, the next page's turn sees to it."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def _start_anew(self) -> None:
        self._readers.close()
        self._db.close()
        remove_database(self._path)
        self._db = open_replica(self._path, self._key, SCHEMA, tables)
        self._tables = PeopleTables(self._db, self._hash_key)
        self._readers.renew(self._reader())
        self._states = dict.fromkeys(FEEDS, FeedState())
        self._damaged = False

    def _hashes(self, kind: str, value: str) -> list[bytes]:
        """The hashes under which an identifier may lie that was read or typed in this store."""
        return [identifier_hash(self._hash_key, kind, plain) for plain in looked_up(kind, value, self._country)]

    def _customer(self, select: str, value: object) -> Customer | None:
        with self._reading() as db:
            row = db.execute(select, (value,)).fetchone()
        return None if row is None else self._read_customer(row)

    def _read_customer(self, row: tuple[bytes, int | None, int | None]) -> Customer | None:
        if not holds(row[1], row[2], self._clock.now_ms()):
            return None
        return customer_of(msgspec.json.decode(row[0], type=CustomerRow), self._states["customers"].as_of_ms or 0)

    def _cart(self, select: str, value: str) -> Cart | None:
        now_ms = self._clock.now_ms()
        with self._reading() as db:
            rows = db.execute(select, (value,)).fetchall()
        as_of_ms = self._states["carts"].as_of_ms or 0
        return next((cart_of(msgspec.json.decode(row[0], type=CartRow), as_of_ms) for row in rows if holds(row[1], row[2], now_ms)), None)

    def _reader(self) -> Callable[[], Connection]:
        return lambda: open_file(self._path, self._key, read_only=True)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._naming_errors(), self._readers.use() as db:
            yield db

    @contextmanager
    def _naming_errors(self) -> Iterator[None]:
        try:
            yield
        except (SqlError, OSError) as problem:
            told = replica_error(problem, self._path)
            self._damaged = self._damaged or told.reason == "replica_damaged"
            raise told from problem


def _number_match(number: str) -> str:
    """A typed number may be the beginning of a phone or loyalty number, with a trunk zero or without, or a phone number's end."""
    beginnings = {number, number.lstrip("0") or number, "loy" + number}
    return " OR ".join(f'"{word}"*' for word in (*sorted(beginnings), "r" + number[::-1]))
