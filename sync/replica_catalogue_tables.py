"""The tables of ``catalogue-<rev>.db`` and how rows of the ``catalogue`` and ``prices`` feeds go into them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import Any

import msgspec

from edge_agent.domain.errors import ContractBroken
from edge_agent.domain.gtin import gtin_shown
from sync.cipher import Connection, IntegrityError
from sync.contract.rows import ArticleRow, PriceRow
from sync.feed_store import Applied, FeedLine, Progress
from sync.replica_rows import row_of
from sync.search_words import index_words

SCHEMA = 1
CHUNK_ROWS = 5_000


def tables(db: Any) -> None:
    """Make the tables of an empty file."""
    texts = ("sku", "name", "variant", "gtins", "item", "department", "tax_class", "sold_by")
    db["article"].create({"id": int, **dict.fromkeys(texts, str), "valid_from_ms": int, "valid_to_ms": int}, pk="id", not_null={"id", *texts})
    db["article"].create_index(["sku"], unique=True)
    db.execute("CREATE INDEX article_item ON article(item) WHERE item <> ''")
    # The key of the index is all there is: a lookup touches one page of it and one of article.
    db.execute("CREATE TABLE gtin(gtin INTEGER NOT NULL, article INTEGER NOT NULL, PRIMARY KEY(gtin, article)) STRICT, WITHOUT ROWID")
    db.execute(
        "CREATE TABLE price(key TEXT PRIMARY KEY, sku TEXT NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, book TEXT NOT NULL, "
        'version TEXT NOT NULL, "group" TEXT NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER, valid_from_ms INTEGER, valid_to_ms INTEGER) '
        "STRICT, WITHOUT ROWID"
    )
    db.execute("CREATE INDEX price_sku ON price(sku)")
    db.execute(
        "CREATE VIRTUAL TABLE article_search USING fts5(words, content='', contentless_delete=1, detail=none, prefix='1 2 3 4', "
        "tokenize='unicode61 remove_diacritics 2')"
    )


def apply_lines(db: Connection, feed: str, lines: Iterable[FeedLine], currency: str = "") -> Applied:
    """Put and delete rows of a page, one by one; part of the caller's transaction. Prices in another ``currency`` than the store's are left out."""
    put, delete = (_put_article, _delete_article) if feed == "catalogue" else (partial(_put_price, currency), _delete_price)
    rows = refused = 0
    refusal = ""
    for line in lines:
        rows += 1
        if line.put is None:
            delete(db, line.key)
            continue
        try:
            put(db, line)
        except ContractBroken as problem:
            refused, refusal = refused + 1, refusal or problem.message
    return Applied(rows, refused, refusal)


def clear(db: Connection, feed: str) -> None:
    """Remove everything of a feed."""
    if feed == "catalogue":
        db.execute("DELETE FROM article")
        db.execute("DELETE FROM gtin")
        db.execute("INSERT INTO article_search(article_search) VALUES ('delete-all')")
    else:
        db.execute("DELETE FROM price")


def fill(db: Connection, feed: str, lines: Iterable[FeedLine], progress: Progress, currency: str = "", first: int = 1) -> Applied:
    """Put the rows of a snapshot into empty tables, many at a time, articles numbered from ``first``. Raises ContractBroken for a repeated key."""
    done = Applied()
    source = iter(lines)
    try:
        while chunk := list(islice(source, CHUNK_ROWS)):
            good, done = _readable(chunk, ArticleRow if feed == "catalogue" else PriceRow, currency, done)
            if feed == "catalogue":
                _fill_articles(db, good, first)
                first += len(good)
            else:
                db.executemany(_INSERT_PRICE.replace("INSERT OR REPLACE", "INSERT"), (_price_values(line, row) for line, row in good))
            progress(done.rows)
    except IntegrityError as problem:
        raise ContractBroken(
            f"A snapshot of {feed} has a row twice: {problem}.", hint="Report this to the platform's operator.", reason="snapshot"
        ) from problem
    return done


def fill_changing(db: Connection, feed: str, lines: Iterable[FeedLine], progress: Progress, currency: str = "") -> Applied:
    """The same for rows that were read while they changed: one that comes again replaces the first, one that is deleted goes."""
    done = Applied()
    source = iter(lines)
    while chunk := list(islice(source, CHUNK_ROWS)):
        if _each_new(db, feed, chunk):
            first = int(db.execute("SELECT coalesce(max(id), 0) + 1 FROM article").fetchone()[0])
            found = fill(db, feed, chunk, lambda _: None, currency, first)
        else:
            found = apply_lines(db, feed, chunk, currency)
        done = Applied(done.rows + found.rows, done.refused + found.refused, done.refusal or found.refusal)
        progress(done.rows)
    return done


def _each_new(db: Connection, feed: str, chunk: list[FeedLine]) -> bool:
    """Whether every row of ``chunk`` is put, once, and none of them was there before."""
    keys = {line.key for line in chunk if line.put is not None}
    table, column = ("article", "sku") if feed == "catalogue" else ("price", "key")
    there = f"SELECT 1 FROM {table} WHERE {column} IN (SELECT value FROM json_each(?)) LIMIT 1"  # noqa: S608 - names of ours
    return len(keys) == len(chunk) and db.execute(there, (msgspec.json.encode(sorted(keys)).decode(),)).fetchone() is None


def _readable(chunk: list[FeedLine], kind: Any, currency: str, done: Applied) -> tuple[list[tuple[FeedLine, Any]], Applied]:
    good = []
    refused, refusal = done.refused, done.refusal
    for line in chunk:
        try:
            good.append((line, row_of(line, kind, currency)))
        except ContractBroken as problem:
            refused, refusal = refused + 1, refusal or problem.message
    return good, Applied(done.rows + len(chunk), refused, refusal)


_INSERT_ARTICLE = "INSERT INTO article VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_PRICE = "INSERT OR REPLACE INTO price VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_WORDS = "INSERT INTO article_search(rowid, words) VALUES (?, ?)"
_INSERT_GTIN = "INSERT OR IGNORE INTO gtin VALUES (?, ?)"


def _fill_articles(db: Connection, rows: list[tuple[FeedLine, ArticleRow]], first: int) -> None:
    numbered = [(number, line, row) for number, (line, row) in enumerate(rows, first)]
    db.executemany(_INSERT_ARTICLE, ((number, *_article_values(line, row)) for number, line, row in numbered))
    db.executemany(_INSERT_GTIN, ((int(gtin), number) for number, _, row in numbered for gtin in row.gtins))
    db.executemany(_INSERT_WORDS, ((number, _search_text(row)) for number, _, row in numbered))


def _put_article(db: Connection, line: FeedLine) -> None:
    row = row_of(line, ArticleRow)
    _delete_article(db, row.sku)
    number = db.execute("INSERT INTO article VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id", _article_values(line, row)).fetchone()[0]
    db.executemany(_INSERT_GTIN, ((int(gtin), number) for gtin in row.gtins))
    db.execute(_INSERT_WORDS, (number, _search_text(row)))


def _delete_article(db: Connection, sku: str) -> None:
    found = db.execute("SELECT id, gtins FROM article WHERE sku = ?", (sku,)).fetchone()
    if found is not None:
        number, gtins = found
        db.executemany("DELETE FROM gtin WHERE gtin = ? AND article = ?", ((int(gtin), number) for gtin in gtins.split()))
        db.execute("DELETE FROM article_search WHERE rowid = ?", (number,))
        db.execute("DELETE FROM article WHERE id = ?", (number,))


def _put_price(currency: str, db: Connection, line: FeedLine) -> None:
    db.execute(_INSERT_PRICE, _price_values(line, row_of(line, PriceRow, currency)))


def _delete_price(db: Connection, key: str) -> None:
    db.execute("DELETE FROM price WHERE key = ?", (key,))


def _article_values(line: FeedLine, row: ArticleRow) -> tuple[object, ...]:
    gtins = " ".join(row.gtins)
    return (row.sku, row.name, row.variant, gtins, row.item, row.department, row.tax_class, row.sold_by, line.valid_from_ms, line.valid_to_ms)


def _price_values(line: FeedLine, row: PriceRow) -> tuple[object, ...]:
    sold = (row.sku, row.amount_minor, row.currency, row.book, row.version, row.group, row.from_ms, row.until_ms)
    return (line.key, *sold, line.valid_from_ms, line.valid_to_ms)


def _search_text(row: ArticleRow) -> str:
    """What the index is given. Plain text is cut and folded by its tokenizer alone; the rest needs ``index_words``, which costs ten times as much."""
    text = f"{row.name} {row.variant} {row.sku}"
    if not text.isascii():
        text = " ".join(index_words((row.name, row.variant, row.sku)))
    for gtin in row.gtins:
        shown = gtin_shown(gtin)
        text += f" {shown} {shown.lstrip('0')}" if shown[0] == "0" else f" {shown}"
    return text
