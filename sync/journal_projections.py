"""Looks whether what was made of the events agrees with them: the list of sales, the cursors over the facts, the register's state, the known commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from edge_agent.domain.events import SaleCompleted
from edge_agent.domain.receipt_code import receipt_code
from sync.cipher import Connection

_COMPLETED = SaleCompleted.__name__
_SALE_COLUMNS = "number, receipt, at_ms, total_minor, currency"


class _Totals(Struct, frozen=True):
    total_minor: int


class _Sale(Struct, frozen=True):
    """Of a completed sale what its row must say."""

    id: str
    number: int
    receipt: str
    completed_ms: int
    totals: _Totals
    currency: str

    @property
    def row(self) -> tuple[Any, ...]:
        """The values of ``_SALE_COLUMNS``."""
        return (self.number, self.receipt, self.completed_ms, self.totals.total_minor, self.currency)


class _Completed(Struct, frozen=True):
    sale: _Sale


class _State(Struct, frozen=True):
    """Of the register's state what the events say outright."""

    receipts: int = 0
    receipt_codes: str = ""


_completed = msgspec.json.Decoder(_Completed)
_state = msgspec.json.Decoder(_State)


def projection_problems(db: Connection) -> Iterator[str]:
    """Every disagreement, one by one; looks at each sale and each known command."""
    yield from _sale_problems(db)
    yield from _cursor_problems(db)
    yield from state_problems(db)
    yield from command_problems(db)


def _sale_problems(db: Connection) -> Iterator[str]:
    """Problems of the list of sales: each completed sale is in it once, as its event says, and no other."""
    completed = 0
    for position, body in db.execute("SELECT position, body FROM event WHERE type = ? ORDER BY position", (_COMPLETED,)):
        completed += 1
        try:
            sale = _completed.decode(body).sale
        except msgspec.DecodeError:
            yield f"Event {position} completes no sale that can be read."
            continue
        row = db.execute(f"SELECT {_SALE_COLUMNS} FROM sale WHERE id = ?", (sale.id,)).fetchone()  # noqa: S608 - names of columns
        if row is None:
            yield f"Sale {sale.receipt} (event {position}) is not in the list of sales."
        elif tuple(row) != sale.row:
            yield f"Sale {sale.receipt} (event {position}) is not in the list of sales as it was completed."
    listed = int(db.execute("SELECT count(*) FROM sale").fetchone()[0])
    if listed > completed:
        yield f"The list of sales has {listed}, expected {completed}: so many were completed."


def newest_sale_problems(db: Connection) -> Iterator[str]:
    """A problem where the list of sales goes on behind the last that the events completed: the next one could not be written. Quick.

    By the order in which they were written: of two registers that this PC was, the later one may count less.
    """
    listed = db.execute("SELECT id, receipt FROM sale ORDER BY rowid DESC LIMIT 1").fetchone()
    if listed is None:
        return
    found = db.execute("SELECT body FROM event WHERE type = ? ORDER BY position DESC LIMIT 1", (_COMPLETED,)).fetchone()
    try:
        last = _completed.decode(found[0]).sale.id if found else ""
    except msgspec.DecodeError:
        return
    if last and (last == listed[0] or db.execute("SELECT 1 FROM sale WHERE id = ?", (last,)).fetchone() is None):
        return  # one that is not in the list is told by those who look at each
    yield f"The list of sales goes on to {listed[1]}, and the events that completed the last of them are missing."


def _cursor_problems(db: Connection) -> Iterator[str]:
    """Problems of the cursors: each is within its stream, or just behind its head."""
    heads = "LEFT JOIN stream ON stream.identity = cursor.identity AND stream.name = cursor.stream"
    astray = f"SELECT destination, stream, next, coalesce(head, 0) FROM cursor {heads} WHERE next < 1 OR next > coalesce(head, 0) + 1"  # noqa: S608 - a constant
    for destination, stream, next, head in db.execute(astray):
        yield f"{destination} is said to want fact {stream} {next} next, but the stream ends at {head}."


def state_problems(db: Connection) -> Iterator[str]:
    """Problems of the register's state: it is of an event that there is, and counts the receipts of the sales up to it."""
    row = db.execute("SELECT position, snapshot FROM state WHERE id = 1").fetchone()
    if row is None:
        return
    last = db.execute("SELECT max(position) FROM event").fetchone()[0] or 0
    if row[0] > last:
        yield f"The register's state is of event {row[0]}, but the journal ends at {last}."
        return
    found = db.execute("SELECT body FROM event WHERE type = ? AND position <= ? ORDER BY position DESC LIMIT 1", (_COMPLETED, row[0])).fetchone()
    if found is None:
        return  # a new epoch's first state counts on where no earlier receipt came
    try:
        state, sale = _state.decode(row[1]), _completed.decode(found[0]).sale
    except msgspec.DecodeError:
        return  # is said where it is read
    if state.receipt_codes and sale.receipt != receipt_code(state.receipt_codes, sale.number):
        return  # of a register that this PC was before: its number says nothing
    if state.receipts < sale.number:
        yield f"The register's state counts {state.receipts} receipts, expected at least {sale.number}: the last sale's number."


def command_problems(db: Connection) -> Iterator[str]:
    """A problem where a command is known whose events are missing."""
    last = db.execute("SELECT max(position) FROM event").fetchone()[0] or 0
    known = db.execute("SELECT max(position) FROM command").fetchone()[0] or 0
    if known > last:
        yield f"A command that was carried out ended at event {known}, but the journal ends at {last}."
