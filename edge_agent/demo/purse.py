"""Money over the counter: cash with change, cards that say yes, no, less or nothing, and what is given back."""

from __future__ import annotations

from collections.abc import Callable

from drivers.simulators._card_plan import Plan
from edge_agent import views as v
from edge_agent.demo.clerk import Clerk
from edge_agent.demo.expected import Basket
from edge_agent.demo.waiting import WAIT_SECONDS_MAX

SETTLED_SECONDS_MAX = 30.0
"""The terminal is asked after two seconds, and then every five."""


class Purse:
    """What the clerk does with money; every method waits for its effect and raises NotSeen."""

    def __init__(self, clerk: Clerk) -> None:
        self._clerk = clerk
        self.prints = "printed"
        """What a receipt's state ends in, as long as nobody takes the paper out."""

    async def cash(self, given: int | None = None) -> None:
        """Cash on the counter; without an amount, exactly what is due."""
        self._clerk.basket.pay("cash", self._clerk.basket.rest if given is None else given)
        await self._clerk.screen.send(v.PayCash(given))
        await self._paid("cash")

    async def card(self, amount: int | None = None, plan: Plan | None = None) -> None:
        """The card, which is approved for all of ``amount``; without one, for all that is due."""
        await self.card_ready()
        wanted = self._clerk.basket.rest if amount is None else amount
        self.charge(wanted)
        self._clerk.world.terminal.plan(plan or Plan())
        await self._clerk.screen.send(v.PayCard(amount))
        await self._paid("card")

    async def card_for_less(self, booked: int) -> None:
        """The card is asked for everything and has only so much."""
        await self.card_ready()
        self.charge(booked)
        self._clerk.world.terminal.plan(Plan(booked=booked))
        await self._clerk.screen.send(v.PayCard())
        await self._paid("card")

    async def card_refused(self, plan: Plan) -> None:
        """The card is asked, and no money moves."""
        await self.card_ready()
        self._clerk.world.terminal.plan(plan)
        await self._without_money(v.PayCard())

    async def card_stopped(self) -> None:
        """The clerk stops it while the terminal waits for the card."""
        await self.card_ready()
        terminal = self._clerk.world.terminal
        terminal.plan(Plan(hold="present_card"))
        await self._clerk.screen.send(v.PayCard())
        await self._clerk.screen.until("the terminal waiting for the card", lambda snapshot: _step(snapshot) == "present_card")
        await self._without_money(v.CancelPayment())

    async def card_lost(self, label: str) -> Basket:
        """The card is charged, the answer gets lost, and the sale is parked while the terminal is asked; it waits for ``settled``."""
        await self.card_ready()
        basket = self._clerk.basket
        self.charge(basket.rest)
        self._clerk.world.terminal.plan(Plan(answer="drop"))
        await self._clerk.screen.send(v.PayCard())
        await self._clerk.screen.until("a payment of which nothing is known", lambda snapshot: _attempt_state(snapshot) == "unknown")
        await self._clerk.screen.send(v.Park(label))
        await self._clerk.screen.until("the sale parked", lambda snapshot: snapshot.basket is None and any(aside.id == basket.id for aside in snapshot.parked))
        self._clerk.next_customer()
        return basket

    async def settled(self, basket: Basket) -> None:
        """A sale whose payment was unclear, parked or open, completes by itself once the terminal's books were asked."""

        def gone(snapshot: v.Snapshot) -> bool:
            return all(aside.id != basket.id for aside in snapshot.parked) and (snapshot.basket is None or snapshot.basket.id != basket.id)

        await self._clerk.screen.until(f"the unclear payment of {basket.total} settled by asking", gone, SETTLED_SECONDS_MAX)
        await self.recorded(basket)

    async def give_back(self, at: int) -> None:
        """The tender at ``at`` of those that settled is undone: cash handed back, or the card voided at the terminal."""
        basket, payment = self._clerk.basket, self._clerk.screen.now.payment
        assert payment is not None
        tender = [held for held in payment.tenders if held.state == "settled"][at]
        paid = basket.paid.pop(at)
        if paid.kind == "card":
            self._clerk.books.charged -= paid.settled
            self._clerk.books.given_back += 1
        await self._clerk.screen.send(v.ReturnTender(tender.id))
        await self._clerk.screen.until("the money given back", lambda snapshot: _rest(snapshot) == basket.rest and _attempt_state(snapshot) == "")
        await self._clerk.shown("the money given back")

    async def void(self, reason: str) -> None:
        """The customer leaves without anything."""
        basket = self._clerk.basket
        await self._clerk.screen.send(v.VoidBasket(reason))
        await self._clerk.screen.until("the basket given up", lambda snapshot: snapshot.basket is None)
        self._clerk.books.voided.append((basket.id, basket.total))
        self._clerk.next_customer()

    async def copy(self, sale: str, code: str) -> None:
        """A copy of a past receipt."""
        copies = self._clerk.paper.copies[code]
        await self._clerk.screen.send(v.Reprint(sale))
        self._clerk.books.copies += 1
        await self._clerk.screen.until("a copy printed", lambda snapshot: self._looked(lambda: self._clerk.paper.copies[code] == copies + 1))

    async def recorded(self, basket: Basket) -> v.SaleView:
        """The completed sale as the register has it, printed. Raises NotSeen, ApiProblem."""
        clerk = self._clerk
        sale = (await clerk.screen.client.sale(basket.id)).sale
        assert (sale.total.minor, sale.change.minor) == (basket.total, sum(paid.change for paid in basket.paid)), (sale, basket)
        clerk.books.sell(basket)
        await self.on_paper(sale.receipt)
        return sale

    async def on_paper(self, code: str) -> None:
        """The receipt came out of the printer."""
        await self._clerk.screen.until(f"receipt {code} on paper", lambda snapshot: self._looked(lambda: self._clerk.paper.originals[code] == 1))

    def charge(self, amount: int) -> None:
        """The card will have been charged with so much."""
        self._clerk.basket.pay("card", amount)
        self._clerk.books.charged += amount

    async def card_ready(self) -> None:
        """Wait until the register offers cards (its terminal may have been away)."""
        await self._clerk.screen.until("cards taken", lambda snapshot: snapshot.payment is not None and "card" in snapshot.payment.methods, SETTLED_SECONDS_MAX)

    async def _paid(self, what: str) -> None:
        basket = self._clerk.basket
        if basket.rest:
            await self._clerk.screen.until(f"part of it paid by {what}", lambda snapshot: _rest(snapshot) == basket.rest and _attempt_state(snapshot) == "")
            await self._clerk.shown(f"part of it paid by {what}")
            return
        seen = await self._clerk.screen.until(
            f"sale {basket.id} of {basket.total} completed by {what}",
            lambda snapshot: snapshot.basket is None and snapshot.last_sale is not None and snapshot.last_sale.id == basket.id,
        )
        assert seen.last_sale is not None
        change = sum(paid.change for paid in basket.paid)
        await self._clerk.screen.until(
            f"{basket.total} with change {change}, receipt {self.prints}",
            lambda snapshot: (
                snapshot.last_sale is not None
                and (snapshot.last_sale.total.minor, snapshot.last_sale.change.minor, snapshot.last_sale.print_state) == (basket.total, change, self.prints)
            ),
            WAIT_SECONDS_MAX,
        )
        self._clerk.books.sell(basket)
        self._clerk.paper.look()
        self._clerk.next_customer()

    async def _without_money(self, command: v.PayCard | v.CancelPayment) -> None:
        failed = _failed(self._clerk.screen.now)
        await self._clerk.screen.send(command)
        await self._clerk.screen.until("the payment ended without money", lambda snapshot: _attempt_state(snapshot) == "" and _failed(snapshot) > failed)
        await self._clerk.shown("the payment ended without money")

    def _looked(self, condition: Callable[[], bool]) -> bool:
        self._clerk.paper.look()
        return condition()


def _rest(snapshot: v.Snapshot) -> int | None:
    return snapshot.payment.rest.minor if snapshot.payment is not None else None


def _attempt_state(snapshot: v.Snapshot) -> str:
    return snapshot.payment.attempt.state if snapshot.payment is not None and snapshot.payment.attempt is not None else ""


def _step(snapshot: v.Snapshot) -> str:
    return snapshot.payment.attempt.step if snapshot.payment is not None and snapshot.payment.attempt is not None else ""


def _failed(snapshot: v.Snapshot) -> int:
    return sum(tender.state == "failed" for tender in snapshot.payment.tenders) if snapshot.payment is not None else 0
