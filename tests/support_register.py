"""A register without a disk: commands are decided and applied in memory, the way the service does it around the journal."""

from __future__ import annotations

from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.basket import Basket, PriceSource
from edge_agent.domain.cart import Cart, CartLine, Lease
from edge_agent.domain.catalogue import Article, Offer, Price, SoldBy
from edge_agent.domain.customer import Customer
from edge_agent.domain.decide import decide
from edge_agent.domain.events import Event
from edge_agent.domain.market import GERMANY, Market
from edge_agent.domain.quantity import Quantity, Unit
from edge_agent.domain.register import Register, evolve
from edge_agent.domain.sale import Sale
from edge_agent.domain.shift import RIGHTS_ALL, Operator

NOON = 1_795_345_200_000  # Sun 22 Nov 2026, 12:00 in Berlin
AYSE = Operator("1001", "Ayse K.", RIGHTS_ALL, "1001")
JUNIOR = Operator("1002", "Jo", frozenset(), "1002")
MARIA = Customer("c-maria", "Maria Fernandez", tier="gold", points=2310)
OMAR = Customer("c-omar", "Omar Said")

COAT = Article("COAT", "Wool coat", ("04006381333931",), "Fashion", "standard", variant="navy, 38")
SOCKS = Article("SOCKS", "Socks, merino", ("04006381333948",), "Fashion", "standard")
PRALINES = Article("PRAL", "Pralines, mixed", (), "Food", "reduced", SoldBy.KILOGRAM, item="12345")


def price(sku: str, minor: int, group: str = "", currency: str = "EUR") -> Price:
    return Price(sku, minor, currency, "book", "1", group)


OFFERS = {
    "COAT": Offer(price("COAT", 19900)),
    "SOCKS": Offer(price("SOCKS", 1250)),
    "PRAL": Offer(price("PRAL", 3990)),
}
GOLD = {"COAT": Offer(price("COAT", 19900), price("COAT", 17900, "gold"))}


def pieces(count: int) -> Quantity:
    return Quantity(count, Unit.PIECE)


def grams(count: int) -> Quantity:
    return Quantity(count, Unit.GRAM)


class Memory:
    """One register in memory. ``do`` decides and applies; the events of everything that happened stay in ``events``."""

    def __init__(self, market: Market = GERMANY, operator: Operator = AYSE, *, prints: bool = False) -> None:
        self.market = market
        self.prints = prints
        self.now_ms = NOON
        self.ids = 0
        self.events: list[Event] = []
        self.state = Register()
        self.do(do.OpenShift(operator, 10000))

    def new_id(self) -> str:
        self.ids += 1
        return f"00000000-0000-7000-8000-{self.ids:012d}"

    def do(self, command: do.Command) -> tuple[Event, ...]:
        self.now_ms += 1000
        moment = do.Moment(self.now_ms, self.new_id, self.market, lambda number: f"R-0001-02-{number:06d}", self.prints)
        events = decide(self.state, command, moment)
        for event in events:
            self.state = evolve(self.state, event)
        self.events.extend(events)
        return events

    def add(self, article: Article, quantity: Quantity | None = None, **more: object) -> tuple[Event, ...]:
        default = grams(412) if article.sold_by is SoldBy.KILOGRAM else pieces(1)
        offer = OFFERS[article.sku]
        if offer.base.currency != self.market.currency:
            offer = Offer(replace(offer.base, currency=self.market.currency))
        return self.do(do.AddArticle(article, offer, quantity or default, **more))  # type: ignore[arg-type]  # the test names fields of AddArticle

    def card(self, amount: int | None = None, terminal: str = "T1") -> str:
        attempt = self.new_id()
        self.do(do.StartCard(attempt, f"REF{self.ids}", terminal, amount))
        return attempt

    @property
    def total(self) -> int:
        assert self.state.basket is not None
        return self.state.basket.totals(self.market).total_minor

    @property
    def sales(self) -> list[Sale]:
        return [event.sale for event in self.events if hasattr(event, "sale")]


def cart(*lines: tuple[str, str, int, int], customer: str = "c-maria") -> Cart:
    """A cart of (line id, sku, pieces, unit price)."""
    return Cart("cart-1", customer, 7, "EUR", tuple(CartLine(*line) for line in lines))


def check_prices(basket: Basket) -> None:
    """Nobody has a price that is somebody's, by the offers above, and no piece is in the basket twice."""
    for line in basket.lines:
        assert basket.lease is not None or line.source is not PriceSource.ONLINE, line
        assert basket.customer is not None or (line.source is not PriceSource.MEMBER and not line.tied), line
        if line.source is PriceSource.BOOK:
            assert line.unit_price_minor == (line.holds or pieces(1)).cost_minor(OFFERS[line.sku].base.amount_minor), line
    serials = [(line.sku, line.serial) for line in basket.lines if line.serial]
    assert len(set(serials)) == len(serials)
    assert all(line.quantity.amount == 1 for line in basket.lines if line.serial)


LEASE = Lease("cart-1", 7, "token", NOON + 900_000)
