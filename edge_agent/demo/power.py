"""Power cuts of the scripted day: ``kill -9`` at the worst moments, and the clerk who looks what is left when the light is back."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from copy import deepcopy

from drivers.simulators._card_plan import Plan
from edge_agent import views as v
from edge_agent.client import ApiProblem, ServiceUnreachable
from edge_agent.demo.clerk import shows
from edge_agent.demo.dice import Dice
from edge_agent.demo.processes import READY_SECONDS_MAX, ServiceProgram
from edge_agent.demo.script import Script
from edge_agent.demo.waiting import NotSeen

TERMINAL_SECONDS_MAX = 10.0
RACE_MS_MAX = 12
"""The power goes so long, at most, after a command was given: before, while, or after it is committed."""


class Power:
    """The service's life and deaths. Every method raises NotSeen; ``faults`` counts what was done."""

    def __init__(self, script: Script, service: ServiceProgram, faults: Counter[str]) -> None:
        self._script = script
        self._clerk = script.clerk
        self._service = service
        self._faults = faults
        self.excused: set[str] = set()

    async def on(self) -> None:
        """Start the service, and wait until it answers and its devices are there."""
        screen = self._clerk.screen
        before = screen.boot
        self._service.start()
        await screen.until("the service answering", lambda snapshot: snapshot.boot != before, READY_SECONDS_MAX)
        for device in ("scanner", "nfc", "printer"):
            await screen.until_device(device, "ready", seconds=READY_SECONDS_MAX)

    async def cut(self) -> None:
        """kill -9."""
        await asyncio.to_thread(self._service.kill)
        self._faults["kills"] += 1

    async def in_mid_sale(self, dice: Dice) -> None:
        """With lines, a discount and a customer in the basket: all of it is there again."""
        script = self._script
        await script.some_goods(dice, 2, 4)
        await script.shelves.reduce(0, script.share(dice))
        await script.visitors.show_card(script.member(dice))
        await self.cut()
        await self.on()
        await self._clerk.shown("the basket as it was before the power cut")
        await script.some_goods(dice, 1, 2)
        await script.pay(dice)

    async def in_card_payment(self, dice: Dice) -> None:
        """While the terminal asks the bank; its answer finds nobody. After the start the terminal is asked, and the sale completes."""
        clerk, terminal = self._clerk, self._clerk.world.terminal
        await self._script.some_goods(dice, 1, 3)
        await self._script.purse.card_ready()
        basket = clerk.basket
        self._script.purse.charge(basket.rest)
        terminal.plan(Plan(hold="contacting_bank", answer="drop"))
        await clerk.screen.send(v.PayCard())
        await self._terminal("asking the bank", "contacting_bank")
        await self.cut()
        terminal.release()
        await self._terminal("at nothing", "")
        await self.on()
        await self._script.purse.settled(basket)
        clerk.next_customer()
        self._faults["payments_settled_by_asking"] += 1

    async def in_a_scan(self, dice: Dice) -> None:
        """A moment after the beep: the line is there or not, never half; the clerk looks, and scans again if need be."""
        clerk = self._clerk
        await self._script.some_goods(dice, 1, 2)
        before, goods = deepcopy(clerk.basket), dice.pick(clerk.stock.by_piece)
        price, source = clerk.stock.price(goods.sku, "")
        clerk.world.scanner.scan(goods.gtin)
        await asyncio.sleep(dice.below(RACE_MS_MAX) / 1000)
        await self.cut()
        await self.on()
        await clerk.screen.until("the basket there again", lambda snapshot: snapshot.basket is not None)
        if shows(clerk.screen.now, before):
            clerk.basket = before
            await self._script.shelves.scan(goods)
        else:
            self._script.shelves.came(goods, 1)
            await clerk.shown(f"{goods.sku} at {price} by {source} kept over the power cut")
        await self._script.pay(dice)

    async def in_paying_cash(self, dice: Dice) -> None:
        """A moment after Enter: the sale is completed or it is not; the clerk looks, and takes the money again or prints a copy."""
        clerk = self._clerk
        await self._script.some_goods(dice, 1, 3)
        basket = clerk.basket
        paying = asyncio.get_running_loop().create_task(clerk.screen.client.send(v.PayCash()))
        await asyncio.sleep(dice.below(RACE_MS_MAX) / 1000)
        await self.cut()
        with contextlib.suppress(ServiceUnreachable):
            await paying
        clerk.paper.tear()
        await self.on()
        if clerk.screen.now.basket is not None:
            await clerk.shown("the basket still to be paid after the power cut")
            await self._script.purse.cash()
            return
        try:
            sale = (await clerk.screen.client.sale(basket.id)).sale
        except ApiProblem as problem:
            raise NotSeen(f"neither the basket {basket.id} nor its sale is there after the power cut: {problem}") from problem
        basket.pay("cash", basket.rest)
        clerk.books.sell(basket)
        clerk.next_customer()
        if not clerk.paper.originals[sale.receipt]:
            self.excused.add(sale.receipt)
            await self._script.purse.copy(sale.id, sale.receipt)

    async def _terminal(self, what: str, step: str) -> None:
        terminal = self._clerk.world.terminal
        reached = await asyncio.to_thread(terminal.wait, lambda now: (now.payment.step if now.payment is not None else "") == step, TERMINAL_SECONDS_MAX)
        if not reached:
            raise NotSeen(f"waited {TERMINAL_SECONDS_MAX:g} s for the terminal to be {what}")
