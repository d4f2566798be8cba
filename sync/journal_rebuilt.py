"""Makes once more out of the events what is kept beside them (sales, attempts, the register's state), and says the first difference of each.

Names and what baskets were called are left out: they lie sealed, and may be forgotten. Where this version cannot read an event nothing is compared
from there on; that is told by whoever reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from edge_agent.domain.attempts import attempts_touched
from edge_agent.domain.basket import Basket
from edge_agent.domain.events import EVENT_TYPES, Event, SaleCompleted
from edge_agent.domain.money import digits
from edge_agent.domain.receipt_code import receipt_code
from edge_agent.domain.register import Register, evolve
from edge_agent.domain.sale import Sale
from sync.cipher import Connection
from sync.contract.fields import UNREADABLE
from sync.journal_append import ATTEMPT_COLUMNS, attempt_row

_TYPES: dict[str, type[Event]] = {cls.__name__: cls for cls in EVENT_TYPES}
_SALE_COLUMNS = ("number", "receipt", "at_ms", "total_minor", "digits", "currency", "body")


class _Body(Struct, frozen=True):
    """A completed sale's own bytes within its event."""

    sale: msgspec.Raw


def rebuilt_problems(db: Connection) -> Iterator[str]:
    """The first difference in the sales, in the attempts and in the state. Reads every event, tens of thousands of them a second."""
    stored = db.execute("SELECT position, snapshot FROM state WHERE id = 1").fetchone()
    state, attempts, sale_said = Register(), dict[str, tuple[object, ...]](), False
    counted = _counted(stored[1] if stored is not None else b"")
    used = 0
    for position, type, body in db.execute("SELECT position, type, body FROM event ORDER BY position"):
        event = _event(type, body)
        if event is None:
            return
        try:
            state = evolve(state, event)
        except (AssertionError, StopIteration):
            yield f"Event {position} ({type}) does not follow from those before it."
            return
        attempts.update({attempt.id: attempt_row(attempt) for attempt in attempts_touched((event,), state)})
        if isinstance(event, SaleCompleted):
            if event.sale.receipt == receipt_code(counted.receipt_codes, event.sale.number):
                used = max(used, event.sale.number)
            found = [] if sale_said else _sale_difference(db, event.sale, body)
            sale_said = sale_said or bool(found)
            yield from found
        if stored is not None and position == stored[0]:
            yield from _state_difference(stored[1], state, position)
            if counted.receipts < used:
                came = receipt_code(counted.receipt_codes, used)
                yield f"The register's state, stored as of event {position}, counts {counted.receipts} receipts, but {came} came before."
    yield from _attempt_difference(db, attempts)


def _event(type: str, body: bytes) -> Event | None:
    cls = _TYPES.get(type)
    try:
        return None if cls is None else msgspec.json.decode(body, type=cls)
    except UNREADABLE:
        return None


def _sale_difference(db: Connection, sale: Sale, body: bytes) -> list[str]:
    """What the list of sales has of ``sale``; whose it was may have been forgotten."""
    row = db.execute(f"SELECT {', '.join(_SALE_COLUMNS)}, customer FROM sale WHERE id = ?", (sale.id,)).fetchone()  # noqa: S608 - names of columns
    if row is None:
        return []  # is told by those who count them
    own = bytes(msgspec.json.decode(body, type=_Body).sale)
    expected = (sale.number, sale.receipt, sale.completed_ms, sale.totals.total_minor, digits(sale.currency), sale.currency, own)
    wrong = [name for name, held, rebuilt in zip(_SALE_COLUMNS, row, expected, strict=False) if held != rebuilt]
    if row[-1] not in ("", sale.customer):
        wrong.append("customer")
    return [f"Sale {sale.receipt} is in the list of sales with another {wrong[0]} than the events give."] if wrong else []


def _counted(snapshot: bytes) -> Register:
    try:
        return msgspec.json.decode(snapshot, type=Register)
    except UNREADABLE:
        return Register()  # is said where it is read


def _attempt_difference(db: Connection, attempts: dict[str, tuple[object, ...]]) -> Iterator[str]:
    stored = {row[0]: tuple(row) for row in db.execute(f"SELECT {', '.join(ATTEMPT_COLUMNS)} FROM attempt ORDER BY id")}  # noqa: S608 - names of columns
    for id in sorted({*attempts, *stored}):
        if id not in stored:
            yield f"Attempt {id} is not in the list of attempts."
        elif id not in attempts:
            yield f"The list of attempts has {id}, of which no event tells."
        elif stored[id] != attempts[id]:
            name = next(name for name, held, rebuilt in zip(ATTEMPT_COLUMNS, stored[id], attempts[id], strict=True) if held != rebuilt)
            yield f"Attempt {id} is in the list of attempts with another {name} than the events give."
        else:
            continue
        return


def _state_difference(snapshot: bytes, rebuilt: Register, position: int) -> Iterator[str]:
    """A new enrolment's state counts its receipts on from another number than the events know, until its first sale: the count is checked for itself."""
    try:
        held, stored = _builtins(msgspec.json.decode(snapshot, type=Register)), msgspec.json.decode(snapshot, type=dict[str, msgspec.Raw])
    except UNREADABLE:
        return  # is said where it is read
    ours = _builtins(rebuilt)
    known = [name for name in held if name in stored]  # a member that the version did not have which stored it is not compared
    place = _differs({name: held[name] for name in known}, {name: ours[name] for name in known}, "")
    if place:
        yield f"The register's state, stored as of event {position}, is not what the events give: {place} differs."


def _builtins(state: Register) -> dict[str, Any]:
    """In one order, whatever order a set has in memory."""
    found: dict[str, Any] = msgspec.to_builtins(_plain(state), order="deterministic")
    return found


def _plain(state: Register) -> Register:
    return replace(
        state,
        receipts=0,
        receipt_codes="",
        basket=_nameless(state.basket) if state.basket else None,
        suspended=tuple(map(_nameless, state.suspended)),
        parked=tuple(map(_nameless, state.parked)),
    )


def _nameless(basket: Basket) -> Basket:
    return replace(basket, customer=replace(basket.customer, name="") if basket.customer else None, label="")


def _differs(held: Any, rebuilt: Any, place: str) -> str:
    """Where two values first differ, as a path; empty where they do not. Never the values: they may be somebody's."""
    match held, rebuilt:
        case dict(), dict() if held.keys() == rebuilt.keys():
            found = (_differs(held[name], rebuilt[name], f"{place}.{name}".lstrip(".")) for name in held)
            return next(filter(None, found), "")
        case ((list() | tuple()), (list() | tuple())) if len(held) == len(rebuilt):
            found = (_differs(one, other, f"{place}[{number}]") for number, (one, other) in enumerate(zip(held, rebuilt, strict=True)))
            return next(filter(None, found), "")
        case _:
            return "" if held == rebuilt else place or "all of it"
