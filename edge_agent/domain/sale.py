"""A completed sale: everything that was agreed, fixed for good."""

from __future__ import annotations

from msgspec import Struct

from edge_agent.domain.basket import Basket, Discount, Line, RemovedLine, ReturnedCash, Totals
from edge_agent.domain.cart import GONE, Lease
from edge_agent.domain.market import Market
from edge_agent.domain.tender import Tender


class Sale(Struct, frozen=True):
    """One completed exchange of goods. ``number`` counts receipts of its register, without gaps in one journal and epoch; ``receipt`` is how people write
    it."""

    id: str
    number: int
    receipt: str
    business_day: str
    shift: str
    operator: str
    country: str
    currency: str
    price_includes_tax: bool
    opened_ms: int
    completed_ms: int
    lines: tuple[Line, ...]
    discounts: tuple[Discount, ...]
    totals: Totals
    tenders: tuple[Tender, ...]
    removed: tuple[RemovedLine, ...] = ()
    returned: tuple[ReturnedCash, ...] = ()
    left_online: tuple[Line, ...] = ()  # of the cart, not picked: stays in the web shop
    customer: str = ""
    customer_tier: str = ""
    identified_by: str = ""
    lease: Lease | None = None

    @property
    def change_minor(self) -> int:
        """The cash that goes back to the customer."""
        return sum(tender.change_minor for tender in self.tenders)

    @property
    def cart_lines_sold(self) -> frozenset[str]:
        """The lines of the online cart that were sold whole, as far as it was known at the counter."""
        return frozenset(line.cart_line for line in self.lines if line.cart_line) - self.cart_pieces_sold_in_part.keys()

    @property
    def cart_lines_left(self) -> frozenset[str]:
        """The lines of the online cart of which something stays in the web shop; none of a cart that is not open there any more."""
        if self.lease is not None and self.lease.lost is not None and self.lease.lost.why == GONE:
            return frozenset()
        return frozenset(line.cart_line for line in self.left_online) | self.cart_pieces_sold_in_part.keys()

    @property
    def rest_is_online(self) -> bool:
        """Whether what was not picked is known to stay in the web shop."""
        return self.lease is None or self.lease.lost is None

    @property
    def cart_pieces_sold_in_part(self) -> dict[str, int]:
        """Of the lines of the online cart of which some pieces stay in the web shop: how many were sold, by line."""
        left, asked = {line.cart_line for line in self.left_online}, self.cart_pieces_asked
        return {line: pieces for line, pieces in self.cart_pieces_sold.items() if line in left or pieces < asked[line]}

    @property
    def cart_pieces_sold(self) -> dict[str, int]:
        """How many pieces of the online cart were sold, by line: of none more than it asked for, whatever lay on the counter."""
        sold: dict[str, int] = {}
        for line in self.lines:
            if line.cart_line:
                sold[line.cart_line] = sold.get(line.cart_line, 0) + line.quantity.amount
        return {line: min(pieces, self.cart_pieces_asked[line] or pieces) for line, pieces in sold.items()}

    @property
    def cart_pieces_asked(self) -> dict[str, int]:
        """How many pieces those lines of the online cart asked for of which something was sold, by line."""
        return {line.cart_line: line.cart_pieces for line in self.lines if line.cart_line}

    @property
    def rounding_minor(self) -> int:
        """The difference that cash rounding made."""
        return sum(tender.rounding_minor for tender in self.tenders)


def complete(basket: Basket, market: Market, *, number: int, receipt: str, business_day: str, shift: str, operator: str, at_ms: int) -> Sale:
    """The sale that ``basket`` becomes. It must be paid exactly, with no attempt open."""
    totals = basket.totals(market)
    assert basket.settled_minor == totals.total_minor, (basket.settled_minor, totals.total_minor)
    assert basket.open_attempt is None, basket.open_attempt
    customer = basket.customer
    return Sale(
        id=basket.id, number=number, receipt=receipt, business_day=business_day, shift=shift, operator=operator, country=market.country,
        currency=market.currency, price_includes_tax=market.price_includes_tax, opened_ms=basket.opened_ms, completed_ms=at_ms,
        lines=basket.in_hand, discounts=basket.discounts, totals=totals, tenders=basket.tenders, removed=basket.removed,
        returned=basket.returned, left_online=basket.to_pick,
        customer=customer.id if customer else "", customer_tier=customer.tier if customer else "",
        identified_by=customer.identified_by if customer else "", lease=basket.lease,
    )  # fmt: skip
