"""What this register has sold of an online cart, for as long as central, or the copy of the cart, does not know of it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from edge_agent.domain.cart import Cart, CartLine
from edge_agent.domain.errors import NotNow
from edge_agent.domain.sale import Sale
from edge_agent.service.codec import read_sale
from edge_agent.service.core import Core
from edge_agent.service.facts import SALE_COMPLETED

CUSTOMERS_SALES_MAX, LAST_SALES_MAX = 20, 50
"""So many sales of the cart's customer, and of anybody, are looked through, the newest first: a copy that is older than those is refreshed long since."""
UNDER_WAY_MS = 60_000
"""So long after a sale a copy may still be without it: its fact was under way, and the clocks are compared by whole seconds."""


def left_of(core: Core, cart: Cart, *, fresh: bool) -> Cart:
    """``cart`` without what was sold of it here and is still in it: sold once more, it would be refunded for nothing.

    A sale that central has not taken, or put aside, is in nothing that central says, whoever changed the cart meanwhile; a copy (not ``fresh``) may be
    older than one that it has. Raises NotNow (reason ``cart_sold``) when nothing is left, and StorageError.
    """
    receipt = ""
    for sale, is_missing in _sales(core, cart, fresh):
        cart = replace(cart, lines=tuple(_left(cart, sale, is_missing)))
        receipt = sale.receipt
    if receipt and not cart.lines:
        text, hint = f"The online cart was sold here already, receipt {receipt}.", "Central hears of it as soon as it answers."
        raise NotNow(text, hint=hint, reason="cart_sold", receipt=receipt)
    return cart


def _left(cart: Cart, sale: Sale, is_missing: bool) -> Iterator[CartLine]:
    """The cart's lines without what the sale took; where it is not known whether the sale ``is_missing``, a line that has no more than the sale left of
    it is taken to be from after it."""
    sold, asked = sale.cart_pieces_sold, sale.cart_pieces_asked
    for line in cart.lines:
        taken = sold.get(line.line, 0)
        rest = asked.get(line.line, 0) - taken
        pieces = line.pieces - taken if is_missing or line.pieces > rest else line.pieces
        if pieces > 0:
            yield replace(line, pieces=pieces)


def _sales(core: Core, cart: Cart, fresh: bool) -> Iterator[tuple[Sale, bool]]:
    """The sales here that took something out of the cart and are not in it, each once, each register's oldest first; False with those that may be in it: it
    was changed since their basket took it, and copied before they were completed or soon after."""
    journal = core.ports.journal
    unknown = set(journal.unsent("trade", SALE_COMPLETED, cart.id))
    rows = [row for id in unknown if (row := journal.sale(id)) is not None]
    if not fresh:
        rows += [*(journal.sales(cart.customer, CUSTOMERS_SALES_MAX) if cart.customer else ()), *journal.sales("", LAST_SALES_MAX)]
    for row in sorted({row.id: row for row in rows}.values(), key=lambda row: row.number):
        if cart.id.encode() not in row.body:  # most are about no cart at all, and need not be read
            continue
        sale = read_sale(row)
        if sale.lease is None or sale.lease.cart != cart.id:
            continue
        if row.id in unknown or sale.lease.version >= cart.version:
            yield sale, True
        elif core.desk.at_central(sale.completed_ms) >= cart.as_of_ms - UNDER_WAY_MS:
            yield sale, False
