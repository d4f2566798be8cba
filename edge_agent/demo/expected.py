"""The expected books: baskets and sales as the bytes that were sent should have made them, reckoned without the domain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from edge_agent.demo.sums import Rules, cut, spread, taxed, weighed


class Cut(Struct, frozen=True):
    """A discount: thousandths of a per cent, or else an amount."""

    reason: str
    percent_milli: int = 0
    amount_minor: int = 0


class Line(Struct, frozen=True):
    """One line. ``quantity`` counts pieces, or grams when ``by_weight``; ``source`` is book, member, online, code or keyed."""

    sku: str
    name: str
    tax_class: str
    quantity: int
    price_minor: int
    source: str
    by_weight: bool = False
    gtin: str = ""
    batch: str = ""
    cart_line: str = ""
    to_pick: bool = False
    cuts: tuple[Cut, ...] = ()

    @property
    def gross(self) -> int:
        """Before discounts."""
        return weighed(self.price_minor, self.quantity) if self.by_weight else self.price_minor * self.quantity

    @property
    def amount(self) -> int:
        """After the line's own discounts, each from what the ones before left."""
        left = self.gross
        for one in self.cuts:
            left -= cut(left, one.percent_milli, one.amount_minor)
        return left

    @property
    def joins(self) -> bool:
        """Whether another piece of the same article at the same price may raise its quantity."""
        return not (self.to_pick or self.by_weight or self.batch or self.cuts or self.cart_line)


class Paid(Struct, frozen=True):
    """One settled tender."""

    kind: str
    settled: int
    given: int
    change: int = 0


class SoldLine(Struct, frozen=True):
    """One line of a completed sale, as any of the three books has it."""

    sku: str
    quantity: int
    unit: str
    price_minor: int
    source: str
    amount: int
    share: int
    tax_class: str


class Sold(Struct, frozen=True):
    """One completed sale, as any of the three books has it. Taxes are (class, base, tax), sorted."""

    id: str
    lines: tuple[SoldLine, ...]
    total: int
    tax: int
    taxes: tuple[tuple[str, int, int], ...]
    tenders: tuple[Paid, ...]
    customer: str = ""
    off: int = 0


@dataclass(slots=True)
class Basket:
    """One basket of the script; the register's id for it is ``id``, once it has one."""

    rules: Rules
    id: str = ""
    lines: list[Line] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    paid: list[Paid] = field(default_factory=list)
    customer: str = ""
    tier: str = ""
    cart: str = ""
    cart_lines: tuple[str, ...] = ()

    # --- what it comes to ------------------------------------------------------------------------------------------------------

    @property
    def in_hand(self) -> list[Line]:
        """What will be sold."""
        return [line for line in self.lines if not line.to_pick]

    @property
    def off(self) -> int:
        """What the basket's own discounts take off."""
        whole = sum(line.amount for line in self.in_hand)
        left = whole
        for one in self.cuts:
            left -= cut(left, one.percent_milli, one.amount_minor)
        return whole - left

    @property
    def shares(self) -> list[int]:
        """Each line in hand after its part of them."""
        return spread(self.off, [line.amount for line in self.in_hand])

    @property
    def taxes(self) -> dict[str, tuple[int, int]]:
        """Base and tax by class."""
        return taxed(self.rules, [(line.tax_class, share) for line, share in zip(self.in_hand, self.shares, strict=True)])

    @property
    def tax(self) -> int:
        """All tax."""
        return sum(tax for _, tax in self.taxes.values())

    @property
    def total(self) -> int:
        """What the customer pays."""
        return sum(self.shares) + (0 if self.rules.included else self.tax)

    @property
    def rest(self) -> int:
        """What is still to be paid."""
        return self.total - sum(tender.settled for tender in self.paid)

    # --- what is done to it ----------------------------------------------------------------------------------------------------

    def add(self, line: Line) -> None:
        """Goods came in: onto a line of the same article, price, source and number where one may be joined, else as a line of its own."""
        for at, held in enumerate(self.lines):
            same = (held.sku, held.price_minor, held.source, held.gtin) == (line.sku, line.price_minor, line.source, line.gtin)
            if line.sku and held.joins and line.joins and same:
                self.lines[at] = replace(held, quantity=held.quantity + line.quantity)
                return
        self.lines.append(line)

    def pick(self, line: Line) -> None:
        """Goods came in: they fulfil a line of the online cart where one waits for them; what is beyond it comes as any other."""
        wanted = next((held for held in self.lines if held.to_pick and held.sku == line.sku), None)
        if wanted is None or line.by_weight or line.source == "code":
            self.add(line)
            return
        pieces = min(line.quantity, wanted.quantity)
        before = next((held for held in self.in_hand if held.cart_line == wanted.cart_line and not (held.cuts or line.batch)), None)
        promised = wanted.source == "online" and wanted.price_minor < line.price_minor
        picked = replace(
            before or line,
            quantity=pieces + (before.quantity if before else 0),
            cart_line=wanted.cart_line,
            price_minor=wanted.price_minor if promised else line.price_minor,
            source="online" if promised else line.source,
        )
        left = wanted.quantity - pieces
        kept = [replace(held, quantity=left) if held is wanted else held for held in self.lines if held is not before and (held is not wanted or left)]
        self.lines = [*kept, picked]
        if line.quantity > pieces:
            self.lines.append(replace(line, quantity=line.quantity - pieces))

    def change(self, at: int, line: Line) -> None:
        """Another line in the place of one."""
        self.lines[at] = line

    def reprice(self, price_of: Callable[[str, str], tuple[int, str]]) -> None:
        """The customer came or went: lines priced by the book, or for a member, get the price that ``price_of(sku, tier)`` says now."""
        for at, line in enumerate(self.lines):
            if line.sku and line.source in ("book", "member"):
                price, source = price_of(line.sku, self.tier)
                if price != line.price_minor:
                    self.lines[at] = replace(line, price_minor=price, source=source)

    def pay(self, kind: str, given: int) -> Paid:
        """Money came: cash may be more than the rest, which is change."""
        settled = min(given, self.rest)
        tender = Paid(kind, settled, given, given - settled)
        self.paid.append(tender)
        return tender

    def left_online(self) -> tuple[str, ...]:
        """The lines of its online cart that stay there: a line goes only when all of it was taken."""
        waiting = {line.cart_line for line in self.lines if line.to_pick}
        taken = {line.cart_line for line in self.in_hand} - waiting
        return tuple(sorted(set(self.cart_lines) - taken))

    def sold(self) -> Sold:
        """The sale that it became."""
        rows = tuple(
            SoldLine(line.sku, line.quantity, "g" if line.by_weight else "piece", line.price_minor, line.source, line.amount, share, line.tax_class)
            for line, share in zip(self.in_hand, self.shares, strict=True)
        )
        taxes = tuple(sorted((tax_class, base, tax) for tax_class, (base, tax) in self.taxes.items()))
        return Sold(self.id, rows, self.total, self.tax, taxes, tuple(self.paid), self.customer, self.off)


@dataclass(slots=True)
class Books:
    """Everything that the day should have come to."""

    rules: Rules
    float_minor: int
    sold: list[Sold] = field(default_factory=list)
    voided: list[tuple[str, int]] = field(default_factory=list)
    carts_left: dict[str, tuple[str, ...]] = field(default_factory=dict)
    charged: int = 0
    given_back: int = 0
    copies: int = 0

    def sell(self, basket: Basket) -> None:
        """``basket`` was paid."""
        self.sold.append(basket.sold())
        if basket.cart:
            self.carts_left[basket.cart] = basket.left_online()

    @property
    def cash(self) -> int:
        """What the drawer should hold."""
        return self.float_minor + sum(tender.given - tender.change for sale in self.sold for tender in sale.tenders if tender.kind == "cash")
