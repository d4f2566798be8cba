"""The tables of ``journal.db``, as migrations from the first version on."""

from __future__ import annotations

import sqlite3
from typing import Any, cast

from sqlite_utils import Database, Migrations

from edge_agent.domain.errors import StorageFailed
from edge_agent.domain.tender import HOLDS_TERMINAL, OPEN, AttemptState
from sync.cipher import Connection


def migrate(db: Connection) -> None:
    """Bring the tables of an open journal to this version's; each step is one transaction. Raises DB-API errors."""
    _journal.apply(Database(cast(sqlite3.Connection, db), execute_plugins=False, strict=True))


def require_known(db: Connection) -> None:
    """Raise StorageFailed (reason ``newer_version``) for a journal with a step that this version does not know; DB-API errors for no journal."""
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (Migrations.migrations_table,)).fetchone():
        return
    taken = {row[0] for row in db.execute(f"SELECT name FROM {Migrations.migrations_table} WHERE migration_set = 'journal'")}  # noqa: S608 - a constant
    unknown = taken - {step.name for step in _journal._migrations}
    if unknown:
        raise StorageFailed(
            f"The journal was written by a newer version of this program ({', '.join(sorted(unknown))}).",
            hint="Install that version again, or a newer one; this one leaves the journal as it is.",
            reason="newer_version",
        )


_journal = Migrations("journal")


@_journal()
def m001_the_log(db: Any) -> None:
    """Events and facts: what happened, what central is told, and how far each reader of it has come."""
    db["event"].create(
        {"position": int, "at_ms": int, "type": str, "body": bytes, "person": str, "seal_key": int, "sealed": bytes, "hash": bytes},
        pk="position",
        not_null={"at_ms", "type", "body", "person", "seal_key", "sealed", "hash"},
    )
    # Without a row id of its own, a commit writes one page less; the table builder does not know that.
    db.execute("CREATE TABLE command(id TEXT PRIMARY KEY, position INTEGER NOT NULL, at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID")
    db["identity"].create({"id": int, "source": str, "epoch": str, "since_ms": int}, pk="id", not_null={"source", "epoch", "since_ms"})
    db["stream"].create({"identity": int, "name": str, "head": int, "hash": str}, pk=("identity", "name"), not_null={"head", "hash"})
    db["fact"].create(
        {"identity": int, "stream": str, "number": int, "id": str, "type": str, "at_ms": int, "wire": bytes, "hash": str, "prev": str},
        pk=("identity", "stream", "number"),
        not_null={"id", "type", "at_ms", "wire", "hash", "prev"},
    )
    db["fact"].create_index(["identity", "id"], "fact_once", unique=True)
    db["cursor"].create({"destination": str, "identity": int, "stream": str, "next": int}, pk=("destination", "identity", "stream"), not_null={"next"})
    db["meta"].create({"name": str, "value": str}, pk="name", not_null={"name", "value"})


@_journal()
def m002_the_projections(db: Any) -> None:
    """What must agree with the log: the register's state, payment attempts, and sales to look up."""
    db["state"].create({"id": int, "snapshot": bytes, "position": int}, pk="id", not_null={"snapshot", "position"})
    text = ("tender", "kind", "terminal", "state", "currency", "wire_ref", "original", "reason")
    numbers = ("amount_minor", "started_ms", "updated_ms", "settle_after_ms", "approved_minor", "offline")
    db["attempt"].create(
        {"id": str, **dict.fromkeys(text, str), **dict.fromkeys(numbers, int), "result": bytes}, pk="id", not_null={"id", *text, *numbers, "result"}
    )
    db.execute("CREATE UNIQUE INDEX wire_once ON attempt(terminal, wire_ref)")
    db.execute(f"CREATE UNIQUE INDEX one_open_per_tender ON attempt(tender) WHERE state IN ({_listed(OPEN)})")
    db.execute(f"CREATE UNIQUE INDEX one_open_per_terminal ON attempt(terminal) WHERE terminal <> '' AND state IN ({_listed(HOLDS_TERMINAL)})")
    db["sale"].create(
        {
            "id": str, "number": int, "receipt": str, "at_ms": int, "total_minor": int,
            "digits": int, "currency": str, "customer": str, "body": bytes,
        },
        pk="id",
        not_null={"id", "number", "receipt", "at_ms", "total_minor", "digits", "currency", "customer", "body"},
    )  # fmt: skip
    db.execute("CREATE UNIQUE INDEX sale_receipt ON sale(receipt COLLATE NOCASE)")
    db.execute("CREATE INDEX sale_newest ON sale(at_ms DESC, number DESC)")
    db.execute("CREATE INDEX sale_number ON sale(number)")
    db.execute("CREATE INDEX sale_total ON sale(total_minor)")
    db.execute("CREATE INDEX sale_customer ON sale(customer) WHERE customer <> ''")


@_journal()
def m003_beside_the_chain(db: Any) -> None:
    """Keys of persons (destroyed to forget them), facts that were withheld, and what central put aside."""
    # Numbers of destroyed keys are never given out again: AUTOINCREMENT, which the table builder does not know.
    db.execute("CREATE TABLE person_key(id INTEGER PRIMARY KEY AUTOINCREMENT, person TEXT NOT NULL UNIQUE, key BLOB NOT NULL, made_ms INTEGER NOT NULL) STRICT")
    db["withheld"].create(
        {"identity": int, "stream": str, "number": int, "fact": str, "wire": bytes, "reason": str, "at_ms": int},
        pk=("identity", "stream", "number"),
        not_null={"fact", "wire", "reason", "at_ms"},
    )
    db["quarantine"].create(
        {"identity": int, "stream": str, "number": int, "problem": str, "at_ms": int}, pk=("identity", "stream", "number"), not_null={"problem", "at_ms"}
    )


@_journal()
def m004_what_a_command_said(db: Any) -> None:
    """Beside each command's id a digest of what it said, so that another one under that id is told from it; of earlier ones nothing is known."""
    db.execute("ALTER TABLE command ADD COLUMN said BLOB NOT NULL DEFAULT x''")


@_journal()
def m005_who_is_to_be_forgotten(db: Any) -> None:
    """Persons whom central deleted and who are not forgotten yet: here, where it outlives any copy of what central publishes."""
    db["erasure"].create({"person": str}, pk="person")


def _listed(states: frozenset[AttemptState]) -> str:
    return ", ".join(sorted(f"'{state.value}'" for state in states))
