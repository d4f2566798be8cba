"""Rows of feeds as the values of the domain."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from edge_agent.domain.cart import Cart, CartLine
from edge_agent.domain.catalogue import Article, Price, SoldBy
from edge_agent.domain.customer import Customer, Identifier, IdentifierKind, Talk
from edge_agent.domain.errors import ContractBroken
from edge_agent.domain.shift import Operator
from sync.contract.fields import UNREADABLE
from sync.contract.rows import ArticleRow, CartRow, CustomerRow, PriceRow, StaffRow

Row = TypeVar("Row", ArticleRow, PriceRow, CustomerRow, CartRow, StaffRow)
_KINDS = {kind.value: kind for kind in IdentifierKind}


def read_row(data: bytes, kind: type[Row]) -> Row:
    """The row of ``data`` (JSON). Unknown members are left out. Raises ContractBroken (reason ``row``)."""
    try:
        return msgspec.json.decode(data, type=kind)
    except UNREADABLE as problem:
        raise ContractBroken(f"Not a {kind.__name__}: {problem}.", hint="Report this to the platform's operator.", reason="row") from problem


def article_of(row: ArticleRow) -> Article:
    """The article of a row of the catalogue."""
    return Article(row.sku, row.name, tuple(row.gtins), row.department, row.tax_class, SoldBy(row.sold_by), row.item, row.variant)


def price_of(row: PriceRow) -> Price:
    """The price of a row of a price book."""
    return Price(row.sku, row.amount_minor, row.currency, row.book, row.version, row.group, row.from_ms, row.until_ms)


def customer_of(row: CustomerRow, as_of_ms: int) -> Customer:
    """The customer of a row; identifiers of a kind that this version does not know are left out."""
    talk = Talk(row.talk.channel, row.talk.at_ms, row.talk.text, row.talk.promised) if row.talk is not None else None
    return Customer(
        id=row.id, name=row.name, tier=row.tier, points=row.points, visits=row.visits, last_visit_ms=row.last_visit_ms, language=row.language,
        identifiers=tuple(Identifier(_KINDS[one.kind], one.value) for one in row.identifiers if one.kind in _KINDS),
        sizes=tuple(row.sizes), birthday=row.birthday, notes=tuple(row.notes), talk=talk, goes_with=tuple(row.goes_with), as_of_ms=as_of_ms,
    )  # fmt: skip


def cart_of(row: CartRow, as_of_ms: int) -> Cart:
    """The open cart of a row."""
    lines = tuple(CartLine(line.line, line.sku, line.pieces, line.unit_price_minor) for line in row.lines)
    return Cart(row.id, row.customer, row.version, row.currency, lines, row.channel, row.opened_ms, as_of_ms, row.held_by)


def operator_of(row: StaffRow) -> Operator:
    """The member of staff of a row."""
    return Operator(row.id, row.name, frozenset(row.rights), row.badge)
