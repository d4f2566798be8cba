"""The scripted day's bad luck: plugs, paper, network, terminal and central, each at its hour, while the shop goes on selling."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from msgspec.structs import replace

from drivers.simulators._card_plan import Plan
from edge_agent import views as v
from edge_agent.demo.dice import Dice
from edge_agent.demo.operations import Operations
from edge_agent.demo.power import Power
from edge_agent.demo.processes import CentralProgram
from edge_agent.demo.script import Script
from edge_agent.demo.stock import CartLine

SLOW_SECONDS = 1.3
"""Longer than the second that central is given at the counter."""
Trouble = Callable[[Dice], Awaitable[None]]


@dataclass(slots=True)
class Troubles:
    """Every trouble as a method; those that need a customer serve one. They raise NotSeen; ``faults`` counts what was done."""

    script: Script
    power: Power
    central: CentralProgram
    operations: Operations
    faults: Counter[str]
    _background: asyncio.Task[None] | None = None

    def day(self) -> list[tuple[int, str, Trouble]]:
        """What happens after which share of the day's sales, in per cent."""
        return [
            (2, "the scanner's plug is pulled", self.scanner_pulled),
            (6, "central's answers get lost", self.answers_lost),
            (11, "and arrive again", self.answers_found),
            (15, "the network is cut", self.network_cut),
            (26, "the scanner's plug is pulled in mid-scan", self.scanner_pulled_in_mid_scan),
            (38, "the network is back", self.network_back),
            (40, "kill -9 in mid-sale", self.power.in_mid_sale),
            (44, "a customer changes an online cart", self.cart_edited_online),
            (46, "the NFC reader's plug is pulled", self.reader_pulled),
            (50, "central restarts", self.central_restarts),
            (56, "the printer is out of paper", self.paper_out),
            (60, "kill -9 while the terminal asks the bank, and its answer is lost", self.power.in_card_payment),
            (65, "the terminal's answer is lost", self.payment_unclear),
            (70, "kill -9 of central", self.central_killed),
            (75, "kill -9 a moment after a scan", self.power.in_a_scan),
            (80, "the network is slow", self.network_slow),
            (85, "the terminal never takes a payment up", self.terminal_forgets),
            (90, "kill -9 a moment after cash was taken", self.power.in_paying_cash),
            (95, "the scanner's plug is pulled again", self.scanner_pulled),
        ]

    async def over(self) -> None:
        """Everything works again: the end of the day. Raises NotSeen."""
        self.script.clerk.world.network.lose_answers(False)
        self.script.clerk.world.network.restore()
        await self._central_is_back()

    # --- devices ---------------------------------------------------------------------------------------------------------------

    async def scanner_pulled(self, dice: Dice) -> None:
        """Out and in again in mid-sale; meanwhile numbers are typed."""
        clerk, scanner = self.script.clerk, self.script.clerk.world.scanner
        await self.script.some_goods(dice, 1, 2)
        scanner.unplug()
        self.faults["scanner_unplugs"] += 1
        await clerk.screen.until_device("scanner", "lost", "absent")
        await self.script.shelves.type_code(dice.pick(clerk.stock.by_piece))
        scanner.plug()
        await clerk.screen.until_device("scanner", "ready")
        await self.script.some_goods(dice, 1, 2)
        await self.script.pay(dice)

    async def scanner_pulled_in_mid_scan(self, dice: Dice) -> None:
        """Half a code is no code: nothing is sold by it."""
        clerk, scanner = self.script.clerk, self.script.clerk.world.scanner
        await self.script.some_goods(dice, 1, 2)
        goods = dice.pick(clerk.stock.by_piece)
        scanner.half_frame(goods.gtin)
        scanner.unplug()
        self.faults["scanner_unplugs"] += 1
        await clerk.screen.until_device("scanner", "lost", "absent")
        scanner.plug()
        await clerk.screen.until_device("scanner", "ready")
        await clerk.shown("nothing sold by half a code")
        await self.script.shelves.scan(goods)
        await self.script.pay(dice)

    async def reader_pulled(self, dice: Dice) -> None:
        """Out and in again; the card does meanwhile, and then a tag works again."""
        clerk, reader = self.script.clerk, self.script.clerk.world.reader
        reader.unplug()
        self.faults["reader_unplugs"] += 1
        await clerk.screen.until_device("nfc", "lost", "absent")
        await self.script.by_card(dice)
        reader.plug()
        await clerk.screen.until_device("nfc", "ready")
        await self.script.by_tag(dice)

    async def paper_out(self, dice: Dice) -> None:
        """Two sales without a receipt; both are printed, as originals, once there is paper."""
        clerk, printer = self.script.clerk, self.script.clerk.world.printer
        printer.set(replace(printer.switches, paper_out=True))
        self.script.purse.prints = "not_printed"
        self.faults["paper_outs"] += 1
        for _ in range(2):
            await self.script.plain(dice)
        printer.set(replace(printer.switches, paper_out=False))
        self.script.purse.prints = "printed"
        for sold in clerk.books.sold[-2:]:
            code = (await clerk.screen.client.sale(sold.id)).sale.receipt
            await clerk.screen.send(v.PrintReceipt(sold.id))
            await self.script.purse.on_paper(code)

    # --- payments --------------------------------------------------------------------------------------------------------------

    async def payment_unclear(self, dice: Dice) -> None:
        """Charged, and nobody heard: the sale is parked, the next customer served, and asking settles it."""
        await self.script.some_goods(dice, 1, 3)
        parked = await self.script.purse.card_lost("card unclear")
        await self.script.some_goods(dice, 1, 2)
        await self.script.purse.cash()
        await self.script.purse.settled(parked)
        self.faults["payments_settled_by_asking"] += 1

    async def terminal_forgets(self, dice: Dice) -> None:
        """The request is lost before the terminal has it: once that is certain, no money moved, and the card is asked anew."""
        await self.script.some_goods(dice, 1, 2)
        await self.script.purse.card_refused(Plan(take_up=-1))
        await self.script.purse.card()
        self.faults["payments_settled_by_asking"] += 1

    # --- network and central ---------------------------------------------------------------------------------------------------

    async def answers_lost(self, dice: Dice) -> None:
        """From now on central hears, and is not heard: facts are sent again, and counted once."""
        self.script.clerk.world.network.lose_answers(True)
        await self.script.plain(dice)

    async def answers_found(self, dice: Dice) -> None:
        """Central is heard again."""
        network = self.script.clerk.world.network
        network.lose_answers(False)
        self.faults["answers_lost"] += network.answers_lost
        await self.script.plain(dice)

    async def network_cut(self, dice: Dice) -> None:
        """The cable is out; the shop goes on."""
        self.script.clerk.world.network.cut()
        self.faults["network_cuts"] += 1
        await self.script.plain(dice)
        await self.script.clerk.screen.until("the network known to be away", lambda snapshot: snapshot.link.state == "offline")

    async def network_back(self, dice: Dice) -> None:
        """The cable is in again; what waited is sent while the next customers are served."""
        self.faults["facts_waiting_after_cut"] = await self._waiting()
        self.script.clerk.world.network.restore()
        await self.script.plain(dice)

    async def network_slow(self, dice: Dice) -> None:
        """Answers take longer than a customer should wait: the local copy does."""
        network = self.script.clerk.world.network
        network.delay_seconds = SLOW_SECONDS
        self.faults["network_slow"] += 1
        await self.script.with_cart(dice)
        network.delay_seconds = 0.0

    async def central_restarts(self, dice: Dice) -> None:
        """Stopped and started, while the shop sells."""
        await self._central(self.central.stop)
        await self.script.plain(dice)

    async def central_killed(self, dice: Dice) -> None:
        """Killed and started, while the shop sells."""
        await self._central(self.central.kill)
        await self.script.plain(dice)

    async def cart_edited_online(self, dice: Dice) -> None:
        """The customer takes a line out at home and wants more of another, on the way to the shop."""
        cart = next((cart for cart in reversed(self.script.carts) if len(cart.lines) > 1), None)
        await self._central_is_back()
        if cart is None:
            return
        row = await asyncio.to_thread(self.operations.cart, cart.id)
        assert row is not None, cart.id
        lines = [line | {"pieces": line["pieces"] + 1} for line in row["lines"][1:]]
        await asyncio.to_thread(self.operations.edit_cart, row, lines)
        self.script.carts.remove(cart)
        edited = tuple(CartLine(line["line"], line["sku"], line["pieces"], line["unitPriceMinor"]) for line in lines)
        self.script.carts.append(replace(cart, lines=edited))
        await self.script.with_cart(dice)
        self.faults["carts_edited_online"] += 1

    async def _central(self, end: Callable[[], None]) -> None:
        await self._central_is_back()

        def again() -> None:
            end()
            self.central.serve()

        self.faults["central_restarts"] += 1
        self._background = asyncio.get_running_loop().create_task(asyncio.to_thread(again), name="central")

    async def _central_is_back(self) -> None:
        background, self._background = self._background, None
        if background is not None:
            await background

    async def _waiting(self) -> int:
        return sum(stream.waiting for stream in (await self.script.clerk.screen.client.status()).streams)
