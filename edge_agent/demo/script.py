"""What happens at the counter on the scripted day: one kind of customer after the other, each with dice of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from drivers.simulators._card_plan import Plan
from edge_agent import views as v
from edge_agent.demo.clerk import Clerk
from edge_agent.demo.dice import Dice
from edge_agent.demo.expected import Cut
from edge_agent.demo.goods import Shelves
from edge_agent.demo.purse import Purse
from edge_agent.demo.stock import Goods, OnlineCart, Person
from edge_agent.demo.visitors import Visitors

NOTE_MINOR = 5000
REASONS = ("Damaged box", "Last piece", "Colleague", "Price match")


@dataclass(slots=True)
class Script:
    """The day's customers. ``seed`` names the dice; every method serves whole customers and raises NotSeen."""

    clerk: Clerk
    shelves: Shelves
    visitors: Visitors
    purse: Purse
    seed: int
    carts: list[OnlineCart] = field(init=False)
    _members: list[Person] = field(init=False)

    def __post_init__(self) -> None:
        owners = [cart.customer for cart in self.clerk.stock.carts]
        plain = [cart for cart in self.clerk.stock.carts if owners.count(cart.customer) == 1 and self._pickable(cart)]
        self.carts = sorted(plain, key=lambda cart: Dice(self.seed, f"cart {cart.id}").below(1 << 32))
        people = self.clerk.stock.people.values()
        self._members = [person for person in people if person.tier and person.loyalty and person.uid and person.id not in owners]

    async def customer(self, number: int) -> None:
        """The customer with that number: each kind comes round in turn."""
        kinds = self.kinds()
        await kinds[number % len(kinds)](Dice(self.seed, f"customer {number}"))

    def kinds(self) -> list[Callable[[Dice], Awaitable[None]]]:
        """Every kind of customer that there is."""
        return [
            self.plain, self.by_card, self.weighed, self.reduced, self.reduced_whole, self.with_cart, self.suspended, self.nothing, self.split, self.declined,
            self.by_tag, self.misread, self.typed, self.asks_price, self.short_of_credit, self.changes_mind, self.by_pass, self.whole_cart, self.batches,
            self.wrong_card, self.two_people, self.stopped, self.found, self.departments,
        ]  # fmt: skip

    # --- kinds of customers ----------------------------------------------------------------------------------------------------

    async def plain(self, dice: Dice) -> None:
        """Scans, and pays."""
        await self.some_goods(dice, 1, 6)
        await self.pay(dice)

    async def by_card(self, dice: Dice) -> None:
        """Shows the loyalty card in the middle: what lies there already gets its member prices."""
        await self.some_goods(dice, 1, 3)
        await self.visitors.show_card(self.member(dice))
        await self.some_goods(dice, 1, 3)
        await self.pay(dice)

    async def weighed(self, dice: Dice) -> None:
        """Weighed goods by weight and by price."""
        for _ in range(dice.between(1, 3)):
            await self.shelves.weigh(dice.pick(self.clerk.stock.by_weight), dice.between(20, 2500))
        await self.shelves.price_tag(dice.pick(self.clerk.stock.by_weight), dice.between(99, 4999))
        await self.some_goods(dice, 0, 2)
        await self.pay(dice)

    async def reduced(self, dice: Dice) -> None:
        """Money off lines: a share, an amount, and both one after the other."""
        await self.some_goods(dice, 2, 4)
        await self.shelves.reduce(0, self.share(dice))
        last = len(self.clerk.basket.lines) - 1
        await self.shelves.reduce(last, Cut("Worn", amount_minor=dice.between(1, 99)))
        await self.shelves.reduce(last, self.share(dice))
        await self.some_goods(dice, 1, 1)
        await self.pay(dice)

    async def reduced_whole(self, dice: Dice) -> None:
        """Money off the whole basket, twice, and goods after it."""
        await self.some_goods(dice, 2, 5)
        await self.shelves.reduce_all(self.share(dice))
        await self.some_goods(dice, 1, 2)
        await self.shelves.reduce_all(Cut("Anniversary", amount_minor=dice.between(1, 300)))
        await self.pay(dice)

    async def with_cart(self, dice: Dice) -> None:
        """Shows the code of an online cart; a part of it is picked, something else comes along."""
        cart = self.cart()
        if cart is None:
            await self.by_card(dice)
            return
        await self.visitors.show_cart(cart, link=dice.chance(50))
        wanted = [line for line in self.clerk.basket.lines if line.to_pick]
        for line in wanted[: dice.between(1, len(wanted))]:
            await self.shelves.scan(self.clerk.stock.goods[line.sku])
        await self.some_goods(dice, 0, 2)
        await self.pay(dice)

    async def whole_cart(self, dice: Dice) -> None:
        """Taps, has the cart loaded, and takes all of it and one piece more."""
        cart = self.cart()
        if cart is None:
            await self.by_tag(dice)
            return
        person = self.clerk.stock.people[cart.customer]
        await (self.visitors.tap(person, "text") if person.uid else self.visitors.show_card(person))
        await self.visitors.load_cart(cart)
        wanted = [line for line in self.clerk.basket.lines if line.to_pick]
        for at, line in enumerate(wanted):
            await self.shelves.scan_many(self.clerk.stock.goods[line.sku], line.quantity + (at == 0))
        await self.pay(dice)

    async def suspended(self, dice: Dice) -> None:
        """Forgot something: the next customer is served meanwhile."""
        await self.some_goods(dice, 1, 3)
        mine = self.clerk.basket
        await self.clerk.screen.send(v.Suspend("the blue coat"))
        await self.clerk.screen.until("the basket set aside", lambda snapshot: any(aside.id == mine.id for aside in snapshot.suspended))
        self.clerk.next_customer()
        await self.plain(dice)
        await self.clerk.screen.send(v.Recall(mine.id))
        self.clerk.basket = mine
        await self.clerk.shown("the basket brought back")
        await self.some_goods(dice, 1, 2)
        await self.pay(dice)

    async def nothing(self, dice: Dice) -> None:
        """Leaves without anything."""
        await self.some_goods(dice, 1, 4)
        await self.purse.void("Customer left")

    async def split(self, dice: Dice) -> None:
        """A note, and the rest by card."""
        await self.some_goods(dice, 2, 4)
        rest = self.clerk.basket.rest
        await self.purse.cash(dice.between(1, rest - 1))
        await self.purse.card()

    async def declined(self, dice: Dice) -> None:
        """The card is declined; another one is not, or there is cash."""
        await self.some_goods(dice, 1, 3)
        await self.purse.card_refused(Plan(decline="insufficient_funds"))
        await (self.purse.card(plan=Plan(answer="twice")) if dice.chance(50) else self.purse.cash())

    async def by_tag(self, dice: Dice) -> None:
        """Holds a tag with a fixed number to the reader before anything else."""
        await self.visitors.tap(self.member(dice), "uid")
        await self.some_goods(dice, 1, 4)
        await self.pay(dice)

    async def by_pass(self, dice: Dice) -> None:
        """Holds a phone with a pass to the reader; somebody else's card does not take the basket away."""
        mine = self.member(dice)
        await self.some_goods(dice, 1, 2)
        await self.visitors.tap(mine, "pass")
        await self.visitors.another_taps(self.member(dice, but=mine), theirs=False)
        await self.pay(dice)

    async def misread(self, dice: Dice) -> None:
        """Everything that can be read wrong is, in mid-sale."""
        await self.some_goods(dice, 1, 2)
        await self.shelves.scan_spoilt(dice.pick(self.clerk.stock.by_piece))
        await self.shelves.scan_unknown()
        await self.shelves.noise()
        await self.some_goods(dice, 1, 1)
        await self.shelves.scan_nonsense()
        await self.pay(dice)

    async def typed(self, dice: Dice) -> None:
        """Numbers by hand, quantities before and after, a line taken out."""
        goods = self.clerk.stock.by_piece
        await self.shelves.type_code(dice.pick(goods))
        await self.shelves.type_code(dice.pick(goods), dice.between(2, 4))
        await self.shelves.scan_many(dice.pick(goods), dice.between(2, 9))
        await self.shelves.change_quantity(0, dice.between(2, 5))
        await self.shelves.remove(1)
        await self.pay(dice)

    async def asks_price(self, dice: Dice) -> None:
        """Asks what something costs, and takes something else."""
        await self.some_goods(dice, 1, 2)
        await self.shelves.how_much(dice.pick(self.clerk.stock.by_piece))
        await self.some_goods(dice, 1, 1)
        await self.pay(dice)

    async def short_of_credit(self, dice: Dice) -> None:
        """The card has only so much; the rest is cash."""
        await self.some_goods(dice, 1, 3)
        await self.purse.card_for_less(dice.between(1, self.clerk.basket.rest - 1))
        await self.pay_cash(dice)

    async def changes_mind(self, dice: Dice) -> None:
        """Pays a part by card and a part in cash, has both given back, and pays in cash after all."""
        await self.some_goods(dice, 2, 3)
        part = self.clerk.basket.rest // 3
        await self.purse.card(part)
        await self.purse.cash(part)
        await self.purse.give_back(1)
        await self.purse.give_back(0)
        await self.pay_cash(dice)

    async def batches(self, dice: Dice) -> None:
        """Two-dimensional codes that carry a batch."""
        goods = dice.pick(self.clerk.stock.by_piece)
        for batch in ("A1", "A1", "B2"):
            await self.shelves.scan_batch(goods, batch)
        await self.shelves.scan(goods)
        await self.pay(dice)

    async def wrong_card(self, dice: Dice) -> None:
        """Holds a bank card, and then a phone, to the shop's reader."""
        await self.some_goods(dice, 1, 2)
        await self.visitors.tap_bank_card()
        await self.visitors.tap_phone()
        await self.pay(dice)

    async def two_people(self, dice: Dice) -> None:
        """The basket turns out to be the friend's, and in the end nobody's."""
        first = self.member(dice)
        await self.visitors.find(first)
        await self.some_goods(dice, 2, 3)
        await self.visitors.another_taps(self.member(dice, but=first), theirs=True)
        await self.visitors.leave()
        await self.pay(dice)

    async def stopped(self, dice: Dice) -> None:
        """The customer presses the red key, the clerk stops the terminal, and then it works."""
        await self.some_goods(dice, 1, 3)
        await self.purse.card_refused(Plan(cancel=True))
        await self.purse.card_stopped()
        await self.purse.card()

    async def found(self, dice: Dice) -> None:
        """An article whose label is gone is found by typing; the customer wants a copy of the receipt."""
        await self.shelves.find(dice.pick(self.clerk.stock.by_piece), dice.between(1, 3))
        await self.some_goods(dice, 0, 2)
        await self.pay(dice)
        sale = self.clerk.screen.now.last_sale
        assert sale is not None
        await self.purse.copy(sale.id, sale.receipt)

    async def departments(self, dice: Dice) -> None:
        """Things without any code, by department and price."""
        for _ in range(dice.between(1, 3)):
            await self.shelves.by_department(dice.pick(sorted(self.clerk.stock.departments)), dice.between(50, 19_999), dice.between(1, 3))
        await self.some_goods(dice, 0, 2)
        await self.pay(dice)

    # --- what customers have in common -----------------------------------------------------------------------------------------

    async def some_goods(self, dice: Dice, low: int, high: int) -> None:
        """From ``low`` to ``high`` scans, some of them of the same article again."""
        goods: Goods | None = None
        for _ in range(dice.between(low, high)):
            if goods is None or not dice.chance(25):
                goods = dice.pick(self.clerk.stock.by_piece)
            await self.shelves.scan(goods, aim=dice.chance(50))

    async def pay(self, dice: Dice) -> None:
        """In cash or by card."""
        await (self.pay_cash(dice) if dice.chance(55) else self.purse.card())

    async def pay_cash(self, dice: Dice) -> None:
        """Exactly, by saying so or to the cent, or with a note more than enough."""
        rest = self.clerk.basket.rest
        await self.purse.cash(dice.pick((None, rest, -(-rest // NOTE_MINOR) * NOTE_MINOR)))

    def member(self, dice: Dice, but: Person | None = None) -> Person:
        """A customer with a tier, a card and a tag, who has no cart open."""
        return dice.pick([person for person in self._members if person is not but])

    def share(self, dice: Dice) -> Cut:
        """A share off, in thousandths of a per cent."""
        return Cut(dice.pick(REASONS), percent_milli=dice.pick((5_000, 10_000, 12_500, 33_333)))

    def cart(self) -> OnlineCart | None:
        """An online cart that nobody has fetched yet."""
        return self.carts.pop() if self.carts else None

    def _pickable(self, cart: OnlineCart) -> bool:
        """Whether every line of it can be scanned here."""
        goods = self.clerk.stock.goods
        return bool(cart.lines) and all(line.sku in goods and not goods[line.sku].by_weight for line in cart.lines)
