"""Events and register state as stored bytes, with what is personal kept apart so that it can be sealed and forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec
from msgspec.structs import replace

from edge_agent.domain.basket import Basket
from edge_agent.domain.errors import JournalCorrupt
from edge_agent.domain.events import EVENT_TYPES, BasketSuspended, CustomerAttached, Event, SaleParked
from edge_agent.domain.register import Register, evolve
from edge_agent.domain.sale import Sale
from edge_agent.ports import EventRow, SaleRow, StoredEvent

SECRETS = frozenset({"badge", "token"})
"""Fields, wherever in an event, that whoever reads them could act with: a staff badge, the token of a cart's lease."""
MASK = "***"

_TYPES: dict[str, type[Event]] = {cls.__name__: cls for cls in EVENT_TYPES}
_encode = msgspec.json.Encoder().encode
_state = msgspec.json.Decoder(Register)
_sale = msgspec.json.Decoder(Sale)


def event_row(event: Event) -> EventRow:
    """An event for the journal. A customer's name goes into the sealed part, and so does what a basket was called.

    A label is sealed under the basket's customer; where nobody is known it may still be a person's name, and is sealed under the basket's own id.
    """
    name = type(event).__name__
    match event:
        case CustomerAttached(customer):
            return EventRow(name, _encode(CustomerAttached(replace(customer, name=""))), customer.id, customer.name.encode())
        case BasketSuspended() | SaleParked() if event.label:
            return EventRow(name, _encode(replace(event, label="")), event.customer or event.basket, event.label.encode())
        case _:
            return EventRow(name, _encode(event))


def read_event(row: EventRow) -> Event:
    """The event of a stored row; a personal part that was forgotten stays empty. Raises JournalCorrupt for what no version of us wrote."""
    cls = _TYPES.get(row.type)
    if cls is None:
        raise JournalCorrupt(f"The journal holds an event of an unknown type, {row.type!r}.", hint="Run the version that wrote it, or a newer one.")
    try:
        event = msgspec.json.decode(row.body, type=cls)
    except msgspec.DecodeError as problem:
        raise JournalCorrupt(f"An event of type {row.type} cannot be read: {problem}.", hint="Run `edge-agent journal verify`.") from problem
    match event:
        case CustomerAttached(customer):
            return CustomerAttached(replace(customer, name=row.personal.decode()))
        case BasketSuspended() | SaleParked() if row.person:
            return replace(event, label=row.personal.decode())
        case _:
            return event


def shown_body(row: EventRow) -> str:
    """An event's JSON for people who look into the journal: nobody's name, no badge, which would sign somebody in, no token of a live claim."""
    body = msgspec.json.decode(row.body)
    if isinstance(body, dict) and isinstance(body.get("operator"), dict):
        body["operator"] = {key: value for key, value in body["operator"].items() if key not in ("name", "badge")}
    if row.type in (BasketSuspended.__name__, SaleParked.__name__) and isinstance(body, dict):
        body.pop("label", None)  # sealed today; an older version wrote it in the open
    return _encode(_masked(body)).decode()


def _masked(value: object) -> object:
    """``value`` with MASK for all that SECRETS name; what is empty stays so."""
    match value:
        case dict():
            return {key: MASK if key in SECRETS and held else _masked(held) for key, held in value.items()}
        case list():
            return [_masked(held) for held in value]
        case _:
            return value


def write_state(state: Register) -> bytes:
    """The register's state without anybody's name; names come back from the replica.

    What a customer's basket was called is left out with their name, by which the list shows it then; other labels stay until their basket is recalled.
    """
    return _encode(
        replace(
            state,
            basket=_nameless(state.basket) if state.basket else None,
            suspended=tuple(_nameless(basket) for basket in state.suspended),
            parked=tuple(_nameless(basket) for basket in state.parked),
        )
    )


def read_state(body: bytes) -> Register:
    """The state that ``write_state`` wrote. Raises JournalCorrupt."""
    try:
        return _state.decode(body)
    except msgspec.DecodeError as problem:
        raise JournalCorrupt(f"The stored register state cannot be read: {problem}.", hint="Run `edge-agent journal verify`.") from problem


class Stored(Protocol):
    """Where a register's state and its newest events are kept: a journal, or one who reads it."""

    def load(self) -> tuple[bytes | None, Sequence[StoredEvent]]: ...


def replayed(journal: Stored) -> tuple[Register, int]:
    """The register's state, and how many events lie behind the one that was stored. Raises JournalCorrupt."""
    body, stored = journal.load()
    state = read_state(body) if body is not None else Register()
    for event in stored:
        state = evolve(state, read_event(event.row))
    return state, len(stored)


def _nameless(basket: Basket) -> Basket:
    return replace(basket, customer=replace(basket.customer, name=""), label="") if basket.customer else basket


def sale_row(sale: Sale) -> SaleRow:
    """A completed sale for the journal's list of sales."""
    return SaleRow(
        id=sale.id,
        number=sale.number,
        receipt=sale.receipt,
        at_ms=sale.completed_ms,
        total_minor=sale.totals.total_minor,
        currency=sale.currency,
        customer=sale.customer,
        body=_encode(sale),
    )


def read_sale(row: SaleRow) -> Sale:
    """The sale of a stored row."""
    return _sale.decode(row.body)
