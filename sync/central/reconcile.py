"""Proving that central has everything: every stream walked from its first fact to its last, and the books compared with the facts they were made of.

Per register and epoch: each stream's range, count, gaps and chain, verified over the stored bytes; and the trade's sales, tenders and taxes,
added up twice, once from the books' tables and once from the facts.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec
from msgspec import Struct

from edge_agent.domain.errors import ContractBroken
from sync.central.storage import Db
from sync.central.trade_books import Books, FactBooks, books_of_tables
from sync.contract.envelope import FIRST_PREVHASH, decode_fact
from sync.contract.facts import SALE, WITHHELD, SaleCompleted

COUNTS = (
    "SELECT count(*) FROM voided WHERE chain IN (SELECT id FROM chain WHERE source = ? AND epoch = ?)",
    "SELECT count(*) FROM shift WHERE chain IN (SELECT id FROM chain WHERE source = ? AND epoch = ?)",
    "SELECT count(*) FROM visit WHERE chain IN (SELECT id FROM chain WHERE source = ? AND epoch = ?)",
)


class StreamReport(Struct, frozen=True, rename="camel"):
    """One stream: its first and last numbers (0 when empty), and whether every fact names the hash of the one before it, up to the head that central tells."""

    stream: str
    first: int
    last: int
    count: int
    gaps: int
    chained: bool
    head_hash: str
    quarantined: int
    withheld: int


class RegisterReport(Struct, frozen=True, rename="camel"):
    """One register in one epoch. ``books`` come from the tables; ``agree`` says that the facts come to the same."""

    source: str
    store: str
    register: str
    epoch: int
    frozen: str
    streams: list[StreamReport]
    books: list[Books]
    voided: int
    shifts: int
    visits: int
    quarantined: int
    agree: bool


class Reconciliation(Struct, frozen=True, rename="camel"):
    """Everything; ``ok`` when nothing is missing, torn or different. Quarantined and withheld facts are counted, not forgiven: somebody has to look."""

    ok: bool
    sales: int
    quarantined: int
    refund_tasks: int
    as_of_ms: int
    registers: list[RegisterReport]


def reconcile(db: Db, now_ms: int) -> Reconciliation:
    """Walk everything there is; a read of the whole file, for operators."""
    epochs = db.execute(
        """SELECT DISTINCT r.source, r.store, r.register, c.epoch, CASE WHEN c.epoch = r.epoch THEN r.frozen ELSE '' END
           FROM register r JOIN chain c USING (source) ORDER BY r.store, r.register, c.epoch"""
    ).fetchall()
    reports = [_register(db, *row) for row in epochs]
    refund_tasks = _count(db, "SELECT count(*) FROM refund_task")
    ok = all(report.agree and all(stream.chained and not stream.gaps for stream in report.streams) for report in reports)
    sales = sum(books.sales for report in reports for books in report.books)
    return Reconciliation(ok, sales, sum(report.quarantined for report in reports), refund_tasks, now_ms, reports)


def _register(db: Db, source: str, store: str, register: str, epoch: int, frozen: str) -> RegisterReport:
    chains = db.execute("SELECT id, stream, next, head_hash FROM chain WHERE source = ? AND epoch = ? ORDER BY stream", (source, epoch)).fetchall()
    told = FactBooks()
    streams = [_walk(db, chain, stream, following, head_hash, told) for chain, stream, following, head_hash in chains]
    books = [found for chain, *_ in chains for found in books_of_tables(db, chain)]
    voided, shifts, visits = (_count(db, query, source, epoch) for query in COUNTS)
    return RegisterReport(
        source=source, store=store, register=register, epoch=epoch, frozen=frozen, streams=streams, books=books, voided=voided, shifts=shifts,
        visits=visits, quarantined=sum(stream.quarantined for stream in streams), agree=books == told.all(),
    )  # fmt: skip


def _count(db: Db, query: str, *values: object) -> int:
    return int(db.execute(query, values).fetchone()[0])


def _walk(db: Db, chain: int, stream: str, following: int, head_hash: str, told: FactBooks) -> StreamReport:
    """The stream's report; its sales that are not in quarantine are added to ``told``."""
    held = {number for (number,) in db.execute("SELECT number FROM quarantine WHERE chain = ?", (chain,))}
    first = last = count = gaps = withheld = 0
    link, chained = FIRST_PREVHASH, True
    for number, kind, stored, wire in db.execute("SELECT number, type, hash, wire FROM fact WHERE chain = ? ORDER BY number", (chain,)):
        gaps += number - last - 1
        first, last, count = first or number, number, count + 1
        digest = sha256(wire).digest()
        chained = _fits(wire, number, kind, link, None if number in held else told) and digest == stored and chained
        link = digest.hex()
        withheld += kind == WITHHELD
    chained = chained and link == head_hash and last + 1 == following
    return StreamReport(stream, first, last, count, gaps, chained, head_hash, len(held), withheld)


def _fits(wire: bytes, number: int, kind: str, link: str, told: FactBooks | None) -> bool:
    """Whether the stored bytes are that fact and name the one before; a sale is counted."""
    try:
        envelope = decode_fact(wire)
        if kind == SALE and told is not None:
            told.add(msgspec.json.decode(envelope.data, type=SaleCompleted))
    except (ContractBroken, msgspec.DecodeError):
        return False
    return (envelope.number, envelope.type, envelope.prevhash) == (number, kind, link)
