"""What this register has sold of an online cart, for as long as central, or the copy of the cart, does not know of it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from edge_agent.domain.cart import Cart, CartLine
from edge_agent.domain.errors import NotNow
from edge_agent.domain.sale import Sale
from edge_agent.ports import Journal
from edge_agent.service.codec import read_sale
from edge_agent.service.facts import SALE_COMPLETED

CUSTOMERS_SALES_MAX, LAST_SALES_MAX = 20, 50
"""So many sales of the cart's customer, and of anybody, are looked through, the newest first: a copy that is older than those is refreshed long since."""


def left_of(journal: Journal, cart: Cart, *, fresh: bool) -> Cart:
    """``cart`` without what was sold of it here and is still in it: sold once more, it would be refunded for nothing.

    A sale that central has not taken, or put aside, is in nothing that central says, whoever changed the cart meanwhile; a copy (not ``fresh``) may be
    older than one that it has. Raises NotNow (reason ``cart_sold``) when nothing is left, and StorageError.
    """
    receipt = ""
    for sale in _sales(journal, cart, fresh):
        cart = replace(cart, lines=tuple(_left(cart, sale.cart_pieces_sold)))
        receipt = receipt or sale.receipt
    if receipt and not cart.lines:
        text, hint = f"The online cart was sold here already, receipt {receipt}.", "Central hears of it as soon as it answers."
        raise NotNow(text, hint=hint, reason="cart_sold", receipt=receipt)
    return cart


def _left(cart: Cart, sold: dict[str, int]) -> Iterator[CartLine]:
    for line in cart.lines:
        pieces = line.pieces - sold.get(line.line, 0)
        if pieces > 0:
            yield replace(line, pieces=pieces)


def _sales(journal: Journal, cart: Cart, fresh: bool) -> Iterator[Sale]:
    """The sales here that took something out of the cart and that it does not know of, each once, of those that central lacks the newest first."""
    unknown = set(journal.unsent("trade", SALE_COMPLETED, cart.id))
    rows = [row for id in sorted(unknown, reverse=True) if (row := journal.sale(id)) is not None]
    if not fresh:
        rows += [*(journal.sales(cart.customer, CUSTOMERS_SALES_MAX) if cart.customer else ()), *journal.sales("", LAST_SALES_MAX)]
    for row in {row.id: row for row in rows}.values():
        if cart.id.encode() not in row.body:  # most are about no cart at all, and need not be read
            continue
        sale = read_sale(row)
        if sale.lease is not None and sale.lease.cart == cart.id and (row.id in unknown or sale.lease.version >= cart.version):
            yield sale
