"""Proving that central has everything: every stream walked from its first fact to its last, and the books compared with the facts they were made of.

Per register and epoch: each stream's range, count, gaps and chain, verified over the stored bytes; and the trade's sales, tenders and taxes,
added up twice, once from the books' tables and once from the facts. Beside them, the card payments that somebody decided wrongly, as their terminal says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

import msgspec
from msgspec import Struct

from edge_agent.domain.errors import ContractBroken
from sync.central.issued_anew import numbers_again
from sync.central.places import Place, withheld_places
from sync.central.storage import Db
from sync.central.trade_books import Books, FactBooks, books_of_tables
from sync.contract.envelope import FIRST_PREVHASH, Envelope, decode_fact
from sync.contract.facts import CONTRADICTED, SALE, WITHHELD, FactWithheld, PaymentContradicted, SaleCompleted

COUNTS = (
    "SELECT count(*) FROM voided WHERE chain IN (SELECT id FROM chain WHERE source = ? AND epoch = ?)",
    "SELECT count(*) FROM shift WHERE chain IN (SELECT id FROM chain WHERE source = ? AND epoch = ?)",
    "SELECT count(*) FROM visit WHERE chain IN (SELECT id FROM chain WHERE source = ? AND epoch = ?)",
)


class StreamReport(Struct, frozen=True, rename="camel"):
    """One stream: its first and last numbers (0 when empty), and whether every fact names the hash of the one before it, up to the head that central tells.

    ``issued_anew`` of its facts had come in an earlier epoch: they are counted in no book a second time.
    """

    stream: str
    first: int
    last: int
    count: int
    gaps: int
    chained: bool
    head_hash: str
    quarantined: int
    withheld: int
    issued_anew: int = 0


class PaymentTask(Struct, frozen=True, rename="camel"):
    """A card payment that somebody at the register decided, and its terminal contradicts; nobody said yet that it was seen to.

    ``task``: give_back to the customer, collect what is missing, or clarify what the terminal took for a payment of ``amount_minor``: it reported
    ``reported_minor`` of ``reported_currency``, where it named them (0 and empty where not). ``receipt`` is empty where no sale was completed.
    """

    store: str
    register: str
    attempt: str
    terminal: str
    transaction: str
    receipt: str
    task: str
    amount_minor: int
    currency: str
    at_ms: int
    reported_minor: int = 0
    reported_currency: str = ""


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
    """Everything; ``ok`` when nothing is missing, torn or different.

    ``attention`` says what is in order as far as it goes, and still needs somebody: a register that is frozen, facts in quarantine or withheld, card
    payments to give back or to collect (``paymentTasks``).
    """

    ok: bool
    attention: list[str]
    sales: int
    quarantined: int
    refund_tasks: int
    as_of_ms: int
    registers: list[RegisterReport]
    payment_tasks: list[PaymentTask] = []


def reconcile(db: Db, now_ms: int) -> Reconciliation:
    """Walk everything there is; a read of the whole file, for operators."""
    epochs = db.execute(
        """SELECT DISTINCT r.source, r.store, r.register, c.epoch, CASE WHEN c.epoch = r.epoch THEN r.frozen ELSE '' END
           FROM register r JOIN chain c USING (source) ORDER BY r.store, r.register, c.epoch"""
    ).fetchall()
    payments = _Payments({}, {})
    reports = [_register(db, payments, *row) for row in epochs]
    tasks = payments.tasks
    refund_tasks = _count(db, "SELECT count(*) FROM refund_task")
    ok = all(report.agree and all(stream.chained and not stream.gaps for stream in report.streams) for report in reports)
    sales = sum(books.sales for report in reports for books in report.books)
    attention = [*_attention(db, reports), *_to_do(tasks.values())]
    quarantined = sum(report.quarantined for report in reports)
    return Reconciliation(ok, attention, sales, quarantined, refund_tasks, now_ms, reports, list(tasks.values()))


def _attention(db: Db, reports: Sequence[RegisterReport]) -> Iterator[str]:
    """What somebody has to look at, a few words each; a register may be frozen before its first fact."""
    for store, register, why in db.execute("SELECT store, register, frozen FROM register WHERE frozen <> '' ORDER BY store, register"):
        yield f"register {store}/{register} is frozen ({why.rstrip('.')})"
    for register in reports:
        for count, where in ((register.quarantined, "in quarantine"), (sum(stream.withheld for stream in register.streams), "withheld")):
            if count:
                facts = "1 fact is" if count == 1 else f"{count} facts are"
                yield f"{facts} {where} (register {register.store}/{register.register}, epoch {register.epoch})"


def _to_do(tasks: Iterable[PaymentTask]) -> Iterator[str]:
    """What is to be given back, what is missing and what has to be looked at, by register."""
    count = Counter((task.store, task.register, task.task) for task in tasks)
    for (store, register, task), payments in count.items():
        what = "card payment is" if payments == 1 else "card payments are"
        yield f"{payments} {what} to {task.replace('_', ' ')} (register {store}/{register})"


def _register(db: Db, payments: _Payments, source: str, store: str, register: str, epoch: int, frozen: str) -> RegisterReport:
    chains = db.execute("SELECT id, stream, next, head_hash FROM chain WHERE source = ? AND epoch = ? ORDER BY stream", (source, epoch)).fetchall()
    told = _Told(epoch, FactBooks(), payments, withheld_places(db, source))
    streams = [_walk(db, chain, stream, following, head_hash, told) for chain, stream, following, head_hash in chains]
    books = [found for chain, *_ in chains for found in books_of_tables(db, chain)]
    voided, shifts, visits = (_count(db, query, source, epoch) for query in COUNTS)
    return RegisterReport(
        source=source, store=store, register=register, epoch=epoch, frozen=frozen, streams=streams, books=books, voided=voided, shifts=shifts,
        visits=visits, quarantined=sum(stream.quarantined for stream in streams), agree=books == told.books.all(),
    )  # fmt: skip


def _count(db: Db, query: str, *values: object) -> int:
    return int(db.execute(query, values).fetchone()[0])


class _Payments(Struct):
    """What is left to do about payments, by attempt, and where in its register's order the newest word about each attempt stands."""

    tasks: dict[str, PaymentTask]
    said: dict[str, Place]

    def add(self, payment: PaymentContradicted, place: Place) -> None:
        """Hear one word; one that is older than what was heard of the attempt changes nothing."""
        name = f"{payment.retail_store_id}/{payment.workstation_id}/{payment.attempt.attempt_id}"  # no register speaks for another
        if place < self.said.get(name, place):
            return
        self.said[name] = place
        self.tasks.pop(name, None)
        if not payment.handled:
            said = payment.attempt.reported
            self.tasks[name] = PaymentTask(
                payment.retail_store_id, payment.workstation_id, payment.attempt.attempt_id, payment.attempt.terminal, payment.transaction_id,
                payment.receipt_code, payment.task, payment.amount_minor, payment.attempt.currency_code, payment.at_ms,
                *((said.amount_minor, said.currency_code) if said is not None else ()),
            )  # fmt: skip


class _Told(Struct):
    """What the facts of a register's epoch that are not in quarantine come to; ``withheld`` says where those belong that came later than their turn."""

    epoch: int
    books: FactBooks
    payments: _Payments
    withheld: dict[str, Place]

    def add(self, kind: str, fact: Envelope) -> None:
        """Count one fact. Raises DecodeError."""
        if kind == SALE:
            self.books.add(msgspec.json.decode(fact.data, type=SaleCompleted))
        elif kind == CONTRADICTED:
            payment = msgspec.json.decode(fact.data, type=PaymentContradicted)
            self.payments.add(payment, self.withheld.get(fact.id, (self.epoch, fact.number)))


def _walk(db: Db, chain: int, stream: str, following: int, head_hash: str, told: _Told) -> StreamReport:
    """The stream's report; what its facts that are not in quarantine say is added to ``told``."""
    held = {number for (number,) in db.execute("SELECT number FROM quarantine WHERE chain = ?", (chain,))}
    again = numbers_again(db, chain)
    first = last = count = gaps = 0
    withheld: list[str] = []
    link, chained = FIRST_PREVHASH, True
    for number, kind, stored, wire in db.execute("SELECT number, type, hash, wire FROM fact WHERE chain = ? ORDER BY number", (chain,)):
        gaps += number - last - 1
        first, last, count = first or number, number, count + 1
        digest = sha256(wire).digest()
        chained = _fits(wire, number, kind, link, None if number in held or number in again else told) and digest == stored and chained
        link = digest.hex()
        withheld += [_withheld_id(wire)] if kind == WITHHELD and number not in again else []
    chained = chained and link == head_hash and last + 1 == following
    missing = sum(not _came_later(db, fact) for fact in withheld)
    return StreamReport(stream, first, last, count, gaps, chained, head_hash, len(held), missing, len(again))


def _withheld_id(wire: bytes) -> str:
    """Which fact this one took the place of; nothing where it cannot be read."""
    try:
        return msgspec.json.decode(decode_fact(wire).data, type=FactWithheld).fact_id
    except (ContractBroken, msgspec.DecodeError):
        return ""


def _came_later(db: Db, fact: str) -> bool:
    """Whether the fact that was withheld was sent again since, in whatever epoch."""
    return db.execute("SELECT 1 FROM fact WHERE id = ?", (fact,)).fetchone() is not None


def _fits(wire: bytes, number: int, kind: str, link: str, told: _Told | None) -> bool:
    """Whether the stored bytes are that fact and name the one before; it is counted."""
    try:
        envelope = decode_fact(wire)
        if told is not None:
            told.add(kind, envelope)
    except (ContractBroken, msgspec.DecodeError):
        return False
    return (envelope.number, envelope.type, envelope.prevhash) == (number, kind, link)
