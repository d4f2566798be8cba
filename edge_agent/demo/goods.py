"""Goods over the counter: scanned, typed, weighed, changed, reduced, and refused."""

from __future__ import annotations

from msgspec.structs import replace

from edge_agent import views as v
from edge_agent.demo.clerk import Clerk
from edge_agent.demo.expected import Cut, Line
from edge_agent.demo.stock import Goods, price_label, spoilt, weight_label

GS1_DATA_MATRIX = "]d2"
"""The AIM identifier of a DataMatrix with GS1 data in it."""
UNKNOWN_GTIN = "2900000000001"
"""A right check digit, a prefix that shops use for themselves, and no article."""


class Shelves:
    """What the clerk does with goods; every method waits for its effect and raises NotSeen."""

    def __init__(self, clerk: Clerk) -> None:
        self._clerk = clerk

    async def scan(self, goods: Goods, *, aim: bool = False) -> None:
        """One piece under the scanner, with the symbology's identifier in front where the scanner is set up so."""
        self.came(goods, 1)
        self._clerk.world.scanner.scan(goods.gtin, aim=_aim(goods) if aim else "")
        await self._clerk.shown(f"{goods.sku} scanned")

    async def scan_batch(self, goods: Goods, batch: str) -> None:
        """One piece with a GS1 DataMatrix that carries its batch."""
        self._clerk.basket.pick(replace(self._line(goods, 1), batch=batch))
        self._clerk.world.scanner.scan(f"01{goods.gtin14}10{batch}", aim=GS1_DATA_MATRIX)
        await self._clerk.shown(f"{goods.sku} of batch {batch} scanned")

    async def scan_many(self, goods: Goods, pieces: int) -> None:
        """The quantity first, then one scan."""
        await self._clerk.screen.send(v.NextQuantity(str(pieces)))
        self.came(goods, pieces)
        self._clerk.world.scanner.scan(goods.gtin)
        await self._clerk.shown(f"{pieces} of {goods.sku} scanned at once")

    async def type_code(self, goods: Goods, pieces: int = 1) -> None:
        """The number typed by hand, as ``3*4006...`` for several."""
        self.came(goods, pieces)
        await self._clerk.screen.send(v.Enter(f"{pieces}*{goods.gtin}" if pieces > 1 else goods.gtin))
        await self._clerk.shown(f"{goods.sku} typed")

    async def find(self, goods: Goods, pieces: int) -> None:
        """Found by its number on the article, then sold."""
        found = await self._clerk.screen.client.articles(goods.gtin)
        assert any(row.sku == goods.sku for row in found.rows), f"{goods.sku} is not found by {goods.gtin}"
        self.came(goods, pieces)
        await self._clerk.screen.send(v.AddArticle(goods.sku, str(pieces)))
        await self._clerk.shown(f"{goods.sku} found by typing")

    async def weigh(self, goods: Goods, grams: int) -> None:
        """A scale's label with a weight."""
        self._clerk.basket.add(replace(self._line(goods, grams), by_weight=True))
        self._clerk.world.scanner.scan(weight_label(goods, grams))
        await self._clerk.shown(f"{grams} g of {goods.sku} scanned")

    async def price_tag(self, goods: Goods, price_minor: int) -> None:
        """A scale's label with a price."""
        self._clerk.basket.add(replace(self._line(goods, 1), price_minor=price_minor, source="code"))
        self._clerk.world.scanner.scan(price_label(goods, price_minor))
        await self._clerk.shown(f"{goods.sku} scanned with a price")

    async def by_department(self, department: str, price_minor: int, pieces: int) -> None:
        """Something without a code, by department and price."""
        tax_class = self._clerk.stock.departments[department]
        self._clerk.basket.add(Line("", department, tax_class, pieces, price_minor, "keyed"))
        await self._clerk.screen.send(v.AddDepartment(department, price_minor, str(pieces)))
        await self._clerk.shown(f"{department} typed by price")

    async def change_quantity(self, at: int, pieces: int) -> None:
        """The line at ``at`` is so many."""
        self._clerk.basket.change(at, replace(self._clerk.basket.lines[at], quantity=pieces))
        await self._clerk.screen.send(v.SetQuantity(self._clerk.line_id(at), str(pieces)))
        await self._clerk.shown(f"line {at} changed to {pieces}")

    async def remove(self, at: int) -> None:
        """The line at ``at`` goes."""
        line = self._clerk.line_id(at)
        del self._clerk.basket.lines[at]
        await self._clerk.screen.send(v.RemoveLine(line))
        await self._clerk.shown(f"line {at} removed")

    async def reduce(self, at: int, cut: Cut) -> None:
        """Money off the line at ``at``."""
        line = self._clerk.basket.lines[at]
        self._clerk.basket.change(at, replace(line, cuts=(*line.cuts, cut)))
        await self._clerk.screen.send(v.DiscountLine(self._clerk.line_id(at), cut.reason, cut.percent_milli or None, cut.amount_minor or None))
        await self._clerk.shown(f"line {at} reduced")

    async def reduce_all(self, cut: Cut) -> None:
        """Money off the basket."""
        self._clerk.basket.cuts.append(cut)
        await self._clerk.screen.send(v.DiscountBasket(cut.reason, cut.percent_milli or None, cut.amount_minor or None))
        await self._clerk.shown("the basket reduced")

    async def how_much(self, goods: Goods) -> None:
        """The price without selling it."""
        clerk = self._clerk
        await clerk.screen.send(v.NextIsCheck())
        price, source = clerk.stock.price(goods.sku, clerk.basket.tier)
        base = clerk.stock.price(goods.sku, "")[0]
        clerk.world.scanner.scan(goods.gtin)

        def told(snapshot: v.Snapshot) -> bool:
            check = snapshot.price_check
            member = check.member_price.minor if check and check.member_price else None
            return check is not None and (check.sku, check.price.minor, member) == (goods.sku, base, price if source == "member" else None)

        await clerk.screen.until(f"the price of {goods.sku}, {base} or {price} for a member", told)
        if clerk.basket.lines:
            await clerk.shown(f"nothing sold by asking for the price of {goods.sku}")

    # --- what must change nothing ----------------------------------------------------------------------------------------------

    async def scan_spoilt(self, goods: Goods) -> None:
        """A wrong check digit."""
        await self._clerk.refused("a wrong check digit", "code_invalid.check_digit", lambda: self._clerk.world.scanner.scan(spoilt(goods.gtin)))

    async def scan_unknown(self) -> None:
        """An article that nobody here has."""
        await self._clerk.refused("an unknown article", "code_unknown.article", lambda: self._clerk.world.scanner.scan(UNKNOWN_GTIN))

    async def scan_nonsense(self) -> None:
        """Text that no rule answers to."""
        await self._clerk.refused("a text nobody knows", "code_unknown.scanned", lambda: self._clerk.world.scanner.scan("what is this", aim="]Q1"))

    async def noise(self) -> None:
        """A plug that scrapes: bytes that are no code; the scanner's line says so until the next good scan."""
        self._clerk.world.scanner.noise()
        await self._clerk.screen.until_device("scanner", "degraded")
        await self._clerk.shown("nothing sold by noise")

    def came(self, goods: Goods, pieces: int) -> None:
        """Expect so many pieces of it."""
        self._clerk.basket.pick(self._line(goods, pieces))

    def _line(self, goods: Goods, quantity: int) -> Line:
        price, source = self._clerk.stock.price(goods.sku, self._clerk.basket.tier)
        return Line(goods.sku, goods.name, goods.tax_class, quantity, price, source, gtin=goods.gtin14)


def _aim(goods: Goods) -> str:
    return "]E4" if len(goods.gtin) == 8 else "]E0"
