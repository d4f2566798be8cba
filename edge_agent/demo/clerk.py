"""The person at the counter in the scripted day: knows what the basket should be, and believes nothing that the screen does not show."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from edge_agent.clock import Clock
from edge_agent.demo.expected import Basket, Books, Line
from edge_agent.demo.paper import Paper
from edge_agent.demo.stock import Stock
from edge_agent.demo.waiting import Screen
from edge_agent.demo.world import World
from edge_agent.views import LineView, Snapshot


@dataclass(slots=True)
class Clerk:
    """One day's hands and memory. ``basket`` is the open one; every act changes it as the rules say, acts, and waits for the same on the screen."""

    world: World
    stock: Stock
    screen: Screen
    books: Books
    paper: Paper
    clock: Clock
    basket: Basket = field(init=False)

    def __post_init__(self) -> None:
        self.basket = Basket(self.stock.rules)

    def next_customer(self) -> None:
        """An empty counter."""
        self.basket = Basket(self.stock.rules)

    async def shown(self, what: str) -> Snapshot:
        """Wait until the screen shows the basket as it should be. Raises NotSeen."""
        basket = self.basket
        seen = await self.screen.until(f"{what}, then {expectation(basket)}", lambda snapshot: shows(snapshot, basket))
        assert seen.basket is not None
        basket.id = seen.basket.id
        return seen

    async def refused(self, what: str, key: str, act: Callable[[], object]) -> None:
        """Do something that is to be refused with the notice ``key``, and see that the basket stays as it was. Raises NotSeen."""
        since = self.clock.now_ms()
        act()
        seen = await self.screen.until(
            f"{what} refused with {key}", lambda snapshot: snapshot.notice is not None and snapshot.notice.key == key and snapshot.notice.at_ms >= since
        )
        if self.basket.lines or seen.basket is not None:
            await self.shown(f"nothing changed by {what}")

    def line_id(self, at: int) -> str:
        """What the register calls the line at ``at``."""
        basket = self.screen.now.basket
        assert basket is not None
        return basket.lines[at].id


def shows(snapshot: Snapshot, basket: Basket) -> bool:
    """Whether the screen shows exactly that: lines in order, prices, discounts, tax, total, the rest to pay, and whose it is."""
    seen = snapshot.basket
    if seen is None or (basket.id and seen.id != basket.id):
        return False
    if basket.paid and (snapshot.payment is None or snapshot.payment.rest.minor != basket.rest):
        return False
    customer = snapshot.customer.id if snapshot.customer else ""
    return (
        [_seen(line) for line in seen.lines] == [_expected(line) for line in basket.lines]
        and (seen.total.minor, seen.tax.minor, customer) == (basket.total, basket.tax, basket.customer)
        and -sum(discount.amount.minor for discount in seen.discounts) == basket.off
    )


def expectation(basket: Basket) -> str:
    """The basket in a few words, for who has to find out what went wrong."""
    lines = ", ".join(f"{line.sku or line.name} {'to_pick' if line.to_pick else ''} {line.quantity} @{line.price_minor} {line.source}" for line in basket.lines)
    return f"a basket of {basket.total} with {basket.rest} to pay, tax {basket.tax}, off {basket.off}, customer {basket.customer or 'none'} [{lines}]"


def _seen(line: LineView) -> tuple[object, ...]:
    quantity = line.pieces or int(re.sub(r"\D", "", line.quantity) or 0)
    return line.sku, line.state, quantity, line.unit_price.minor, line.gross.minor, line.amount.minor, line.source


def _expected(line: Line) -> tuple[object, ...]:
    state = "to_pick" if line.to_pick else "in_hand"
    return line.sku, state, line.quantity, line.price_minor, line.gross, line.amount, line.source
