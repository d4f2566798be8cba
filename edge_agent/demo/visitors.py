"""People at the counter: cards, tags, passes and online carts."""

from __future__ import annotations

from drivers.simulators.tags import BankCard, Phone, Tag, Type2Tag, Type4Tag, text_message, uri_message
from edge_agent import views as v
from edge_agent.clock import Random
from edge_agent.demo.clerk import Clerk
from edge_agent.demo.expected import Line
from edge_agent.demo.stock import OnlineCart, Person
from edge_agent.demo.waiting import NotSeen

AWAY_SECONDS_MAX = 5.0
LOYALTY_LINK = "https://shop.example/l/"
CART_LINK = "https://shop.example/cart/"


class Visitors:
    """What customers do, and what the clerk does with them; every method waits for its effect and raises NotSeen."""

    def __init__(self, clerk: Clerk, random: Random) -> None:
        self._clerk = clerk
        self._random = random

    async def show_card(self, person: Person) -> None:
        """The loyalty card under the scanner."""
        self._arrived(person)
        self._clerk.world.scanner.scan(person.loyalty, aim="]C0")
        await self._clerk.shown(f"{person.id}'s card scanned")

    async def tap(self, person: Person, how: str) -> None:
        """A tag on the reader, taken away again once the counter has seen it. ``how``: uid, text or pass."""
        self._arrived(person)
        self._clerk.world.reader.put_tag(self.tag(person, how))
        await self._clerk.shown(f"{person.id} tapped by {how}")
        self.take_away()

    async def find(self, person: Person) -> None:
        """Found by their loyalty number, then chosen."""
        found = await self._clerk.screen.client.customers(person.loyalty)
        assert any(row.id == person.id for row in found.rows), f"{person.id} is not found by {person.loyalty}"
        self._arrived(person)
        await self._clerk.screen.send(v.AttachCustomer(person.id))
        await self._clerk.shown(f"{person.id} found by typing")

    async def another_taps(self, person: Person, *, theirs: bool) -> None:
        """A second customer's card in mid-sale asks; the clerk says whose basket it is."""
        clerk = self._clerk
        before = clerk.screen.now.question
        clerk.world.scanner.scan(person.loyalty)
        seen = await clerk.screen.until(f"asked whether it is {person.id}'s", lambda snapshot: snapshot.question is not None and snapshot.question != before)
        await clerk.shown("nothing changed by asking")
        if theirs:
            self._arrived(person)
        assert seen.question is not None
        await clerk.screen.send(v.Answer(seen.question.id, "replace" if theirs else "keep"))
        await clerk.shown(f"answered whether it is {person.id}'s")

    async def leave(self) -> None:
        """The basket is nobody's again."""
        basket = self._clerk.basket
        basket.customer = basket.tier = ""
        basket.reprice(self._clerk.stock.price)
        await self._clerk.screen.send(v.DetachCustomer())
        await self._clerk.shown("the customer detached")

    async def tap_bank_card(self) -> None:
        """A payment card on the shop's reader: refused, and nothing of it is read."""
        await self._refused_tap(BankCard(bytes.fromhex("5d3c2b1a")), "a bank card", "code_invalid.bank_card")

    async def tap_phone(self) -> None:
        """A phone without a pass: its number is another one each time."""
        await self._refused_tap(Phone(self._random), "a phone without a pass", "code_invalid.random_uid")

    async def show_cart(self, cart: OnlineCart, *, link: bool) -> None:
        """The cart's code under the scanner, plain or as the link in a QR code: its lines come to be picked."""
        self._expect_cart(cart)
        self._clerk.world.scanner.scan(CART_LINK + cart.id if link else cart.id, aim="]Q1")
        await self._clerk.shown(f"cart {cart.id} shown")

    async def load_cart(self, cart: OnlineCart) -> None:
        """The attached customer's cart, by key."""
        self._expect_cart(cart)
        await self._clerk.screen.send(v.LoadCart())
        await self._clerk.shown(f"cart {cart.id} loaded")

    def take_away(self) -> None:
        """Take the tag away and wait until the reader has seen that. Raises NotSeen."""
        field = self._clerk.world.reader.field
        self._clerk.world.reader.remove_tag()
        empty = field.empty_looks
        if not field.wait(lambda now: now.empty_looks > empty, AWAY_SECONDS_MAX):
            raise NotSeen(f"waited {AWAY_SECONDS_MAX:g} s for the reader to look at its empty field")

    def tag(self, person: Person, how: str) -> Tag:
        """What ``person`` carries."""
        match how:
            case "uid":
                return Type2Tag(bytes.fromhex(person.uid), None)
            case "text":
                return Type4Tag(bytes.fromhex(person.uid), text_message(person.loyalty))
            case _:
                return Phone(self._random, uri_message(LOYALTY_LINK + person.loyalty), wallet=True)

    async def _refused_tap(self, tag: Tag, what: str, key: str) -> None:
        await self._clerk.refused(what, key, lambda: self._clerk.world.reader.put_tag(tag))
        self.take_away()

    def _arrived(self, person: Person) -> None:
        basket = self._clerk.basket
        basket.customer, basket.tier = person.id, person.tier
        basket.reprice(self._clerk.stock.price)

    def _expect_cart(self, cart: OnlineCart) -> None:
        stock, basket = self._clerk.stock, self._clerk.basket
        if not basket.customer:
            self._arrived(stock.people[cart.customer])
        basket.cart, basket.cart_lines = cart.id, tuple(line.line for line in cart.lines)
        for wanted in cart.lines:
            goods = stock.goods.get(wanted.sku)
            if goods is None or goods.by_weight:
                continue
            price, source = stock.price(wanted.sku, basket.tier)
            if wanted.price_minor < price:
                price, source = wanted.price_minor, "online"
            line = Line(goods.sku, goods.name, goods.tax_class, wanted.pieces, price, source, gtin=goods.gtin14, cart_line=wanted.line, to_pick=True)
            basket.lines.append(line)
