"""Rows of feeds, and those about people as the values of the domain; of articles and prices that is what ``replica_catalogue`` reads from its tables."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from edge_agent.domain.cart import Cart, CartLine
from edge_agent.domain.customer import Customer, Identifier, IdentifierKind, Talk
from edge_agent.domain.errors import ContractBroken
from edge_agent.domain.one_line import one_line
from edge_agent.domain.shift import Operator
from sync.contract.fields import UNREADABLE
from sync.contract.rows import ArticleRow, CartRow, CustomerRow, PriceRow, StaffRow, key_of
from sync.feed_store import FeedLine

Row = TypeVar("Row", ArticleRow, PriceRow, CustomerRow, CartRow, StaffRow)
SHOWN_CHARACTERS = 80
_KINDS = {kind.value: kind for kind in IdentifierKind}


def read_row(data: bytes, kind: type[Row]) -> Row:
    """The row of ``data`` (JSON). Unknown members are left out. Raises ContractBroken (reason ``row``)."""
    try:
        return msgspec.json.decode(data, type=kind)
    except UNREADABLE as problem:
        raise ContractBroken(f"Not a {kind.__name__}: {problem}.", hint="Report this to the platform's operator.", reason="row") from problem


def row_of(line: FeedLine, kind: type[Row], currency: str = "") -> Row:
    """The row that ``line`` puts. Raises ContractBroken (reason ``row``), also for one under another's key, or a price that is not in ``currency``.

    Such a row would take a good one's place and not be found there. Without a ``currency`` prices of any are taken.
    """
    row = read_row(line.put or b"", kind)
    if key_of(row) != line.key:
        keys = f" {line.key[:SHOWN_CHARACTERS]!r}: expected {key_of(row)[:SHOWN_CHARACTERS]!r}" if isinstance(row, ArticleRow | PriceRow) else ""
        text = f"A {kind.__name__} under another's key{keys}."
        raise ContractBroken(text, hint="Report this to the platform's operator.", reason="row")
    if currency and isinstance(row, PriceRow) and row.currency != currency:
        text = f"The price {line.key[:SHOWN_CHARACTERS]!r} is in {row.currency}: expected {currency}, the store's."
        raise ContractBroken(text, hint="Report this to the platform's operator.", reason="row")
    return row


def customer_of(row: CustomerRow, as_of_ms: int) -> Customer:
    """The customer of a row; identifiers of a kind that this version does not know are left out."""
    talk = Talk(one_line(row.talk.channel), row.talk.at_ms, row.talk.text, row.talk.promised) if row.talk is not None else None
    return Customer(
        id=row.id, name=one_line(row.name), tier=one_line(row.tier), points=row.points, visits=row.visits, last_visit_ms=row.last_visit_ms,
        language=row.language, identifiers=tuple(Identifier(_KINDS[one.kind], one.value) for one in row.identifiers if one.kind in _KINDS),
        sizes=tuple(map(one_line, row.sizes)), birthday=row.birthday, notes=tuple(row.notes), talk=talk,
        goes_with=tuple(map(one_line, row.goes_with)), as_of_ms=as_of_ms,
    )  # fmt: skip


def cart_of(row: CartRow, as_of_ms: int) -> Cart:
    """The open cart of a row."""
    lines = tuple(CartLine(line.line, line.sku, line.pieces, line.unit_price_minor) for line in row.lines)
    return Cart(row.id, row.customer, row.version, row.currency, lines, one_line(row.channel), row.opened_ms, as_of_ms, row.held_by)


def operator_of(row: StaffRow) -> Operator:
    """The member of staff of a row."""
    return Operator(row.id, one_line(row.name), frozenset(row.rights), row.badge)
