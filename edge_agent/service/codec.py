"""Events and register state as stored bytes, with what is personal kept apart so that it can be sealed and forgotten."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from edge_agent.domain.basket import Basket
from edge_agent.domain.errors import JournalCorrupt
from edge_agent.domain.events import EVENT_TYPES, CustomerAttached, Event
from edge_agent.domain.register import Register
from edge_agent.domain.sale import Sale
from edge_agent.ports import EventRow, SaleRow

_TYPES: dict[str, type[Event]] = {cls.__name__: cls for cls in EVENT_TYPES}
_encode = msgspec.json.Encoder().encode
_state = msgspec.json.Decoder(Register)
_sale = msgspec.json.Decoder(Sale)


def event_row(event: Event) -> EventRow:
    """An event for the journal. A customer's name goes into the sealed part."""
    name = type(event).__name__
    if isinstance(event, CustomerAttached):
        nameless = CustomerAttached(replace(event.customer, name=""))
        return EventRow(name, _encode(nameless), event.customer.id, event.customer.name.encode())
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
    if isinstance(event, CustomerAttached):
        return CustomerAttached(replace(event.customer, name=row.personal.decode()))
    return event


def shown_body(row: EventRow) -> str:
    """An event's JSON for people who look into the journal: nobody's name, and no badge, which would sign somebody in."""
    body = msgspec.json.decode(row.body)
    if isinstance(body, dict) and isinstance(body.get("operator"), dict):
        body["operator"] = {key: value for key, value in body["operator"].items() if key not in ("name", "badge")}
    return _encode(body).decode()


def write_state(state: Register) -> bytes:
    """The register's state without anybody's name; names come back from the replica."""
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


def _nameless(basket: Basket) -> Basket:
    return replace(basket, customer=replace(basket.customer, name="")) if basket.customer else basket


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
