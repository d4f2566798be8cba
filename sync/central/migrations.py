"""The tables of central's file, as migrations from the first version on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from sqlite_utils import Database, Migrations

from edge_agent.domain.errors import ContractBroken, StorageFailed
from sync.contract.envelope import decode_fact
from sync.contract.facts import WITHHELD, FactWithheld
from sync.contract.identifiers import plain_identifier

MIGRATIONS = Migrations("central")

IDENTITY = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE store (store TEXT PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL, currency TEXT NOT NULL, market TEXT NOT NULL)
       STRICT, WITHOUT ROWID""",
    """CREATE TABLE register (source TEXT PRIMARY KEY, store TEXT NOT NULL REFERENCES store, register TEXT NOT NULL, epoch INTEGER NOT NULL DEFAULT 0,
       public_key TEXT NOT NULL DEFAULT '', device TEXT NOT NULL DEFAULT '', enrolled_ms INTEGER, frozen TEXT NOT NULL DEFAULT '', frozen_ms INTEGER,
       UNIQUE (store, register)) STRICT, WITHOUT ROWID""",
    "CREATE TABLE token (hash BLOB PRIMARY KEY, source TEXT NOT NULL REFERENCES register, epoch INTEGER NOT NULL, retired_ms INTEGER) STRICT, WITHOUT ROWID",
    """CREATE TABLE enrol_code (hash BLOB PRIMARY KEY, source TEXT NOT NULL REFERENCES register, expires_ms INTEGER NOT NULL, used_key TEXT, used_ms INTEGER)
       STRICT, WITHOUT ROWID""",
)
LEDGER = (
    """CREATE TABLE chain (id INTEGER PRIMARY KEY, source TEXT NOT NULL REFERENCES register, epoch INTEGER NOT NULL, stream TEXT NOT NULL,
       next INTEGER NOT NULL, head_hash TEXT NOT NULL, UNIQUE (source, epoch, stream)) STRICT""",
    """CREATE TABLE fact (position INTEGER PRIMARY KEY, chain INTEGER NOT NULL, number INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
       received_ms INTEGER NOT NULL, hash BLOB NOT NULL, wire BLOB NOT NULL, UNIQUE (chain, number)) STRICT""",
    """CREATE TABLE quarantine (chain INTEGER NOT NULL, number INTEGER NOT NULL, type TEXT NOT NULL, problem TEXT NOT NULL, at_ms INTEGER NOT NULL,
       PRIMARY KEY (chain, number)) STRICT, WITHOUT ROWID""",
)
BOOKS = (
    """CREATE TABLE sale (id TEXT PRIMARY KEY, chain INTEGER NOT NULL, number INTEGER NOT NULL, receipt_number INTEGER NOT NULL, receipt TEXT NOT NULL,
       business_day TEXT NOT NULL, shift TEXT NOT NULL, operator TEXT NOT NULL, customer TEXT NOT NULL, country TEXT NOT NULL, currency TEXT NOT NULL,
       end_ms INTEGER NOT NULL, lines INTEGER NOT NULL, total_minor INTEGER NOT NULL, tax_minor INTEGER NOT NULL, rounding_minor INTEGER NOT NULL,
       change_minor INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    "CREATE UNIQUE INDEX sale_receipt ON sale (chain, receipt_number)",
    """CREATE TABLE sale_line (sale TEXT NOT NULL, position INTEGER NOT NULL, sku TEXT NOT NULL, description TEXT NOT NULL, quantity INTEGER NOT NULL,
       unit TEXT NOT NULL, price_minor INTEGER NOT NULL, extended_minor INTEGER NOT NULL, share_minor INTEGER NOT NULL, tax_class TEXT NOT NULL,
       price_source TEXT NOT NULL, price_version TEXT NOT NULL, PRIMARY KEY (sale, position)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE sale_tender (sale TEXT NOT NULL, tender TEXT NOT NULL, kind TEXT NOT NULL, settled_minor INTEGER NOT NULL, given_minor INTEGER NOT NULL,
       change_minor INTEGER NOT NULL, rounding_minor INTEGER NOT NULL, attempt TEXT NOT NULL, PRIMARY KEY (sale, tender)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE sale_tax (sale TEXT NOT NULL, tax_class TEXT NOT NULL, rate_milli INTEGER NOT NULL, base_minor INTEGER NOT NULL,
       tax_minor INTEGER NOT NULL, PRIMARY KEY (sale, tax_class, rate_milli)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE attempt (id TEXT PRIMARY KEY, chain INTEGER NOT NULL, trade TEXT NOT NULL, tender TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
       amount_minor INTEGER NOT NULL, approved_minor INTEGER NOT NULL, terminal TEXT NOT NULL, wire_ref TEXT NOT NULL, reason TEXT NOT NULL,
       started_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE voided (basket TEXT PRIMARY KEY, chain INTEGER NOT NULL, reason TEXT NOT NULL, lines INTEGER NOT NULL, amount_minor INTEGER NOT NULL,
       currency TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE shift (id TEXT PRIMARY KEY, chain INTEGER NOT NULL, business_day TEXT NOT NULL, operator TEXT NOT NULL, opened_ms INTEGER,
       float_minor INTEGER, closed_ms INTEGER, sales INTEGER, expected_cash_minor INTEGER) STRICT, WITHOUT ROWID""",
    """CREATE TABLE visit (chain INTEGER NOT NULL, number INTEGER NOT NULL, customer TEXT NOT NULL, identified_by TEXT NOT NULL, sale TEXT,
       at_ms INTEGER NOT NULL, PRIMARY KEY (chain, number)) STRICT, WITHOUT ROWID""",
)
FEEDS = (
    "CREATE TABLE feed (name TEXT PRIMARY KEY, head INTEGER NOT NULL, floor INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE feed_row (feed TEXT NOT NULL REFERENCES feed, key TEXT NOT NULL, rev INTEGER NOT NULL, op TEXT NOT NULL, data TEXT, valid_from_ms INTEGER,
       valid_to_ms INTEGER, scope TEXT NOT NULL, left_scope TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (feed, key)) STRICT, WITHOUT ROWID""",
    "CREATE UNIQUE INDEX feed_row_rev ON feed_row (feed, rev)",
    "CREATE INDEX feed_row_tombstone ON feed_row (at_ms) WHERE op = 'del'",
    "CREATE TABLE identifier (kind TEXT NOT NULL, value TEXT NOT NULL, customer TEXT NOT NULL, PRIMARY KEY (kind, value)) STRICT, WITHOUT ROWID",
    "CREATE INDEX identifier_customer ON identifier (customer)",
    "CREATE TABLE cart_of (cart TEXT PRIMARY KEY, customer TEXT NOT NULL, opened_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE INDEX cart_of_customer ON cart_of (customer, opened_ms)",
)
CARTS = (
    """CREATE TABLE claim (source TEXT NOT NULL, key TEXT NOT NULL, cart TEXT NOT NULL, holder TEXT NOT NULL, token TEXT NOT NULL, version INTEGER NOT NULL,
       until_ms INTEGER NOT NULL, ended_ms INTEGER, PRIMARY KEY (source, key)) STRICT, WITHOUT ROWID""",
    "CREATE UNIQUE INDEX claim_open ON claim (cart) WHERE ended_ms IS NULL",
    """CREATE TABLE cart_sold (cart TEXT NOT NULL, line TEXT NOT NULL, sale TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (cart, line, sale))
       STRICT, WITHOUT ROWID""",
    "CREATE TABLE cart_ordered (cart TEXT NOT NULL, line TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (cart, line)) STRICT, WITHOUT ROWID",
    """CREATE TABLE refund_task (id INTEGER PRIMARY KEY, cart TEXT NOT NULL, line TEXT NOT NULL, sale TEXT NOT NULL, source TEXT NOT NULL, cause TEXT NOT NULL,
       at_ms INTEGER NOT NULL) STRICT""",
)


def require_known(db: Any, path: Path) -> None:
    """Raise StorageFailed (reason ``newer_version``) for a file with a step that this version does not know; DB-API errors for what is no database."""
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (Migrations.migrations_table,)).fetchone():
        return
    taken = {row[0] for row in db.execute(f"SELECT name FROM {Migrations.migrations_table} WHERE migration_set = 'central'")}  # noqa: S608 - a constant
    unknown = taken - {step.name for step in MIGRATIONS._migrations}
    if unknown:
        raise StorageFailed(
            f"{path} was written by a newer version of this program ({', '.join(sorted(unknown))}).",
            hint="Install that version again, or a newer one; this one leaves the file as it is.",
            reason="newer_version",
        )


@MIGRATIONS()
def first_version(db: Database) -> None:
    """Registers and their tokens; facts as sent; the books made of them; feeds; carts."""
    for statement in (*IDENTITY, *LEDGER, *BOOKS, *FEEDS, *CARTS):
        db.execute(statement)


@MIGRATIONS()
def what_a_code_bought(db: Database) -> None:
    """The epoch that a used code bought, while the device may repeat the call; of codes used before nothing is known, and they end."""
    db.execute("ALTER TABLE enrol_code ADD COLUMN epoch INTEGER")


@MIGRATIONS()
def identifiers_in_one_form(db: Database) -> None:
    """Identifiers in the form in which they are compared, each of as many customers as have it."""
    db.execute("DROP TABLE identifier")
    db.execute(
        """CREATE TABLE identifier (kind TEXT NOT NULL, value TEXT NOT NULL, customer TEXT NOT NULL, PRIMARY KEY (kind, value, customer))
           STRICT, WITHOUT ROWID"""
    )
    db.execute("CREATE INDEX identifier_customer ON identifier (customer)")
    for (data,) in db.execute("SELECT data FROM feed_row WHERE feed = 'customers' AND op = 'put'").fetchall():
        row = msgspec.json.decode(data)
        found = {(one["kind"], plain_identifier(one["kind"], one["value"]), row["id"]) for one in row["identifiers"]}
        for each in found:
            if each[1]:
                db.execute("INSERT INTO identifier (kind, value, customer) VALUES (?, ?, ?)", each)


@MIGRATIONS()
def every_market_that_a_row_left(db: Database) -> None:
    """All the markets that a row was in before, not the last one alone."""
    db.execute("CREATE TABLE feed_left (feed TEXT NOT NULL, key TEXT NOT NULL, scope TEXT NOT NULL, PRIMARY KEY (feed, key, scope)) STRICT, WITHOUT ROWID")
    db.execute("INSERT INTO feed_left SELECT feed, key, left_scope FROM feed_row WHERE left_scope <> ''")
    db.execute("ALTER TABLE feed_row DROP COLUMN left_scope")


@MIGRATIONS()
def sales_by_receipt_code(db: Database) -> None:
    """Sales are looked up by what their receipt says; codes that were repeated before this stay as they are."""
    db.execute("CREATE INDEX sale_receipt_code ON sale (chain, receipt)")


@MIGRATIONS()
def when_feeds_changed(db: Database) -> None:
    """Up to which number a feed came at what moment; of changes before this only the last number is known."""
    db.execute("CREATE TABLE feed_mark (feed TEXT NOT NULL, rev INTEGER NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (feed, rev)) STRICT, WITHOUT ROWID")
    db.execute("CREATE INDEX feed_mark_at ON feed_mark (at_ms)")
    db.execute("INSERT INTO feed_mark SELECT name, head, 0 FROM feed WHERE head > 0")


@MIGRATIONS()
def where_words_belong(db: Database) -> None:
    """Where in its register's order each attempt was told of last, and where facts that were withheld belong, which may come yet, at another place."""
    for column in ("told_epoch", "told_number"):
        db.execute(f"ALTER TABLE attempt ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0")
    db.execute(
        """CREATE TABLE withheld_at (source TEXT NOT NULL, fact TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (source, fact))
           STRICT, WITHOUT ROWID"""
    )
    query = "SELECT c.source, c.epoch, f.number, f.wire FROM fact f JOIN chain c ON c.id = f.chain WHERE f.type = ? ORDER BY c.epoch, f.number"
    for source, epoch, number, wire in db.execute(query, (WITHHELD,)).fetchall():
        try:
            fact = msgspec.json.decode(decode_fact(wire).data, type=FactWithheld).fact_id
        except (ContractBroken, msgspec.DecodeError):
            continue  # it is in quarantine
        db.execute("INSERT INTO withheld_at VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (source, fact, epoch, number))


@MIGRATIONS()
def facts_by_id(db: Database) -> None:
    """Facts are found by their ids, so that one that is issued anew is known; of those before this nothing is said, they stay as they were entered."""
    db.execute("CREATE INDEX fact_id ON fact (id, chain, number)")
    db.execute("CREATE TABLE issued_anew (chain INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (chain, number)) STRICT, WITHOUT ROWID")
