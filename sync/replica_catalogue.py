"""The local copy of articles and prices: what ``edge_agent.ports.Catalogue`` promises, on ``catalogue-<rev>.db``.

No personal data, so the file is plain. A page of a feed is applied to it in place; a snapshot makes a file with a new name, and
``catalogue.current`` (written, synced, renamed) then points to it: renaming a file over an open one would leave readers with the old one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import RLock

from edge_agent.clock import Clock
from edge_agent.domain.catalogue import Article, Price, SoldBy
from edge_agent.domain.one_line import one_line
from edge_agent.ports import Age
from sync.cipher import Connection, Readers, SqlError, open_file
from sync.durable_files import sync_file, write_synced
from sync.feed_store import Applied, FeedLine, FeedState, Progress
from sync.replica_catalogue_tables import SCHEMA, apply_lines, clear, fill, fill_changing, tables
from sync.replica_file import holds, open_replica, read_state, remove_database, replica_error, write_state
from sync.search_words import in_order, matches, rank, typed_number, words_of

FEEDS = ("catalogue", "prices")
POINTER = "catalogue.current"
CANDIDATES_MAX = 200
"""Rows that a search takes unranked, whole words first; they are ranked afterwards (ranking all of a short beginning's rows takes 400 ms)."""
FOUND_MAX = 100
LONG_NUMBER_DIGITS = 4
"""A longer number is looked up as the beginning of a GTIN by its index, and else as a whole word: as a beginning of words it can stand for
every article of a maker."""
_COLUMNS = "a.sku, a.name, a.gtins, a.department, a.tax_class, a.sold_by, a.item, a.variant, a.valid_from_ms, a.valid_to_ms"


class CatalogueReplica:
    """Articles and prices in ``folder``. Queries may come from any thread and answer at once; ``apply`` and ``replace`` come from worker threads.

    ``currency`` is the store's: prices in another one are not taken. Without it any are.
    """

    def __init__(self, folder: Path, clock: Clock, currency: str = "") -> None:
        self._folder = folder
        self._currency = currency
        self._clock = clock
        self._writing = RLock()
        self._path = folder / _named(_pointed_to(folder))
        self._db = open_replica(self._path, None, SCHEMA, tables)
        self._readers = Readers(_reader_of(self._path))
        self._states = {feed: read_state(self._db, feed) for feed in FEEDS}
        self._damaged = False
        self._remove_others()

    def close(self) -> None:
        """Close the file."""
        with self._writing:
            self._readers.close()
            self._db.close()

    # --- edge_agent.ports.Catalogue ---

    def by_gtin(self, gtin: str) -> Article | None:
        """The article that carries this GTIN (14 digits)."""
        if not (gtin.isascii() and gtin.isdecimal() and len(gtin) <= 14):
            return None
        return self._one(f"SELECT {_COLUMNS} FROM gtin g JOIN article a ON a.id = g.article WHERE g.gtin = ? ORDER BY a.id DESC", int(gtin))  # noqa: S608 - columns

    def by_item(self, item: str) -> Article | None:
        """The weighed article with this item number."""
        return self._one(f"SELECT {_COLUMNS} FROM article a WHERE a.item = ? AND a.item <> '' ORDER BY a.id DESC", item)  # noqa: S608 - columns

    def by_sku(self, sku: str) -> Article | None:
        """The article with this number of the merchant's own."""
        return self._one(f"SELECT {_COLUMNS} FROM article a WHERE a.sku = ?", sku)  # noqa: S608 - columns

    def prices(self, sku: str) -> Sequence[Price]:
        """Every price row of the article, past and future, that central says is valid now."""
        now_ms = self._clock.now_ms()
        columns = 'sku, amount_minor, currency, book, version, "group", from_ms, until_ms, valid_from_ms, valid_to_ms'
        with self._reading() as db:
            rows = db.execute(f"SELECT {columns} FROM price WHERE sku = ?", (sku,)).fetchall()  # noqa: S608 - columns
        return [Price(*row[:-2]) for row in rows if holds(row[-2], row[-1], now_ms)]

    def find(self, text: str, limit: int) -> Sequence[Article]:
        """Articles whose name, variant, sku or GTIN has every typed word as a beginning, best first."""
        words = words_of(text)
        if not words or limit < 1:
            return []
        number = typed_number(text)
        with self._reading() as db:
            ids = {row[0] for row in db.execute("SELECT id FROM article WHERE sku >= ? AND sku < ? LIMIT 20", (text.strip(), text.strip() + "\U0010ffff"))}
            whole = len(words) == 1 and len(number) > LONG_NUMBER_DIGITS
            if whole:
                ids.update(_carrying(db, number))
            for match in matches(words)[: 1 if whole else None]:
                if len(ids) < CANDIDATES_MAX:
                    ids.update(row[0] for row in db.execute("SELECT rowid FROM article_search WHERE article_search MATCH ? LIMIT ?", (match, CANDIDATES_MAX)))
            rows = db.execute(f"SELECT {_COLUMNS} FROM article a WHERE a.id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)).fetchall()  # noqa: S608 - columns
        found = [article for row in rows if (article := self._valid(row)) is not None]
        found.sort(key=lambda article: _order(article, text.strip(), words))
        return found[: min(limit, FOUND_MAX)]

    def departments(self) -> Sequence[tuple[str, str]]:
        """The departments in use, each with the tax class that most of its articles have; by name."""
        with self._reading() as db:
            rows = db.execute("SELECT department, tax_class, count(*) AS n FROM article WHERE department <> '' GROUP BY 1, 2 ORDER BY 1, n DESC, 2").fetchall()
        most: dict[str, str] = {}
        for department, tax_class, _ in rows:
            most.setdefault(department, tax_class)
        return tuple(most.items())

    def age(self) -> Age:
        """How old the older of the two feeds is."""
        states = [self._states[feed] for feed in FEEDS]
        known = [state.as_of_ms for state in states if state.as_of_ms is not None]
        return Age(min(known) if len(known) == len(states) else None, states[0].cursor or "")

    # --- sync.feed_store.FeedStore ---

    def state(self, feed: str) -> FeedState:
        """Where the copy of ``feed`` stands; nowhere when the file turned out to be damaged."""
        return FeedState() if self._damaged else self._states[feed]

    def apply(self, feed: str, lines: Iterable[FeedLine], state: FeedState) -> Applied:
        """Apply a page and move to ``state``, in one transaction."""
        with self._writing, self._naming_errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                done = apply_lines(self._db, feed, lines, self._currency)
                write_state(self._db, feed, state)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            self._states[feed] = state
            return done

    def touch(self, feed: str, as_of_ms: int) -> None:
        """Central said that nothing changed."""
        state = self._states[feed]
        self.apply(feed, (), FeedState(state.cursor, state.etag, as_of_ms))

    def replace(
        self, feed: str, lines: Iterable[FeedLine], ended: Callable[[], FeedState], progress: Progress, *, changing: bool = False
    ) -> Applied:  # fmt: skip
        """Make a new file with the new content of ``feed`` and the present content of the other one, and move to it."""
        with self._writing, self._naming_errors():
            path = self._folder / _named(_revision(self._path) + 1)
            remove_database(path)
            others = [other for other in FEEDS if other != feed and self._states[other].cursor is not None and not self._damaged]
            if others:
                self._db.execute("VACUUM INTO ?", (str(path),))
            done = _build(path, feed, partial(fill_changing if changing else fill, feed=feed, lines=lines, progress=progress, currency=self._currency), ended)
            write_synced(self._folder / POINTER, path.name.encode() + b"\n", 0o644)
            self._move_to(path)
            return done

    def _move_to(self, path: Path) -> None:
        old, self._path = self._db, path
        self._db = open_replica(path, None, SCHEMA, tables)
        self._states = {feed: read_state(self._db, feed) for feed in FEEDS}
        self._damaged = False
        self._readers.renew(_reader_of(path))
        old.close()
        self._remove_others()

    def _remove_others(self) -> None:
        """Remove files that nothing points to; one that a reader still has open goes next time where the system does not let it go now."""
        for path in self._folder.glob("catalogue-*.db"):
            if path != self._path:
                try:
                    remove_database(path)
                except PermissionError:
                    continue

    def _one(self, select: str, value: object) -> Article | None:
        with self._reading() as db:
            rows = db.execute(select, (value,)).fetchall()
        return next((article for row in rows if (article := self._valid(row)) is not None), None)

    def _valid(self, row: tuple[str, ...]) -> Article | None:
        sku, name, gtins, department, tax_class, sold_by, item, variant, valid_from, valid_to = row
        if not holds(valid_from, valid_to, self._clock.now_ms()):  # type: ignore[arg-type] # the last two columns are numbers
            return None
        return Article(sku, one_line(name), tuple(gtins.split()), one_line(department), tax_class, SoldBy(sold_by), item, one_line(variant))

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


def _build(path: Path, feed: str, filled: Callable[[Connection], Applied], ended: Callable[[], FeedState]) -> Applied:
    """Fill the new file at ``path``, which is whole and synced when this returns."""
    db = open_replica(path, None, SCHEMA, tables)
    try:
        db.execute("PRAGMA journal_mode = OFF").fetchone()  # nobody reads it yet, and a half-made one is thrown away
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN")
        clear(db, feed)
        done = filled(db)
        write_state(db, feed, ended())
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL").fetchone()
    except BaseException:
        db.close()
        remove_database(path)
        raise
    db.close()
    sync_file(path)
    return done


def _carrying(db: Connection, number: str) -> Iterator[int]:
    """Articles with a GTIN that begins with ``number`` as it is shown: 8, 12, 13 or 14 digits."""
    for length in (8, 12, 13, 14):
        spare = length - len(number)
        if spare >= 0:
            low, high = int(number) * 10**spare, (int(number) + 1) * 10**spare
            yield from (row[0] for row in db.execute("SELECT article FROM gtin WHERE gtin >= ? AND gtin < ? LIMIT ?", (low, high, CANDIDATES_MAX)))


def _order(article: Article, text: str, words: list[str]) -> tuple[object, ...]:
    exact = article.sku == text or text.zfill(14) in article.gtins
    named = words_of(f"{article.name} {article.variant}")
    return (not exact, *rank(words, named), article.name, in_order(article.variant), article.sku)


def _reader_of(path: Path) -> Callable[[], Connection]:
    return lambda: open_file(path, None, read_only=True)


def _named(revision: int) -> str:
    return f"catalogue-{revision}.db"


def _revision(path: Path) -> int:
    return int(path.stem.removeprefix("catalogue-"))


def _pointed_to(folder: Path) -> int:
    """The revision that the pointer names; 0 when there is none, or it says nothing that can be used."""
    try:
        named = (folder / POINTER).read_text("utf-8").strip()
        return _revision(Path(named)) if (folder / named).exists() else 0
    except (OSError, ValueError):
        return 0
