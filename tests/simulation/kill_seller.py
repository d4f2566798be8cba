"""The seller of the kills: knows what was acknowledged and what was not, and after each kill believes only the screen.

What was acknowledged has to be there again. A command whose answer did not come is repeated under its id, and has one effect. A scan has no
id: the screen says whether it came, and the seller scans again if not.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter as Count
from collections.abc import Callable
from random import Random

from drivers.simulators._card_plan import Plan
from drivers.simulators.tags import Type2Tag
from edge_agent import views as v
from edge_agent.client import ApiProblem, ServiceUnreachable
from edge_agent.demo.stock import Goods
from edge_agent.demo.waiting import NotSeen
from tests.simulation.kill_held import Held, Pending, held
from tests.simulation.kill_rig import START_SECONDS_MAX, Counter

STEP_SECONDS_MAX = 12.0
SETTLED_SECONDS_MAX = 30.0
ASK_WHY_SECONDS = 2.0
OPEN_ATTEMPT = ("intent", "sent", "in_progress", "aborting", "unknown")
REFUSED_NOW = ("terminal_unsettled", "terminal_absent", "no_card_method")


class Violated(AssertionError):
    """A promise was broken; the message says which."""


class Dead(Exception):
    """The service is gone: look what is left when it is back."""


class Seller:
    """Sells until the service is gone (Dead), and goes on where the screen says. Raises Violated."""

    def __init__(self, counter: Counter, seed: int) -> None:
        self.counter = counter
        self.dice = Random(seed)
        self.held = Held()
        self.pending: Pending | None = None
        self.paying = False
        self.sold: dict[str, int] = {}
        self.seen_printed: set[str] = set()
        self.unprinted: set[str] = set()
        self.aside: dict[str, int] = {}
        self.voided: set[str] = set()
        self.repeated = 0
        self.repeated_before = 0
        self.likes = self.tapped = ""

    @property
    def now(self) -> v.Snapshot:
        return self.counter.screen.now

    # --- acting ----------------------------------------------------------------------------------------------------------------

    async def sell(self) -> None:
        """One act after the other, for ever. Raises Dead."""
        while True:
            await self.act()

    async def act(self) -> None:
        """One act that fits the screen."""
        self._look_at_paper()
        if self.paying or self._attempt() in OPEN_ATTEMPT:
            await self.settle()
        elif self.held.basket and self.held.lines and (self.dice.random() < 0.3 or len(self.held.lines) > 8 or self.likes in ("terminal", "print")):
            await self.pay()
        elif not self.held.basket and self.dice.random() < 0.3 and (failed := [one for one in self.now.parked if one.attempt not in OPEN_ATTEMPT]):
            await self.recall(failed[0].id)
        else:
            await self.dice.choices([self.enter, self.scan, self.add, self.department, self.discount, self.tap], [4, 4, 2, 2, 1, 1])[0]()

    async def enter(self) -> None:
        goods = self._goods()
        await self.command(f"{goods.sku} typed", v.Enter(goods.gtin), self._one_more(goods.sku, 1))

    async def add(self) -> None:
        goods, pieces = self._goods(), self.dice.randint(1, 3)
        await self.command(f"{pieces} {goods.sku} found", v.AddArticle(goods.sku, str(pieces)), self._one_more(goods.sku, pieces))

    async def department(self) -> None:
        name = self.dice.choice(sorted(self.counter.stock.departments))
        await self.command(f"{name} by price", v.AddDepartment(name, self.dice.randint(1, 9999)), self._one_more(name, 1))

    async def discount(self) -> None:
        before = self.held
        if not before.lines:
            return await self.enter()
        if before.discounts >= 3:
            return await self.pay()
        done = self._same_but(lambda now: now.discounts == before.discounts + 1 and now.pieces == before.pieces)
        return await self.command("a discount", v.DiscountBasket("Last piece", percent_milli=5000), done)

    async def scan(self) -> None:
        if self._device("scanner") != "ready":
            return await self.enter()
        goods = self._goods()
        self.pending = Pending(f"{goods.sku} scanned", self._one_more(goods.sku, 1))
        self.counter.world.scanner.scan(goods.gtin)
        return await self._acknowledged(self.pending)

    async def tap(self) -> None:
        # who takes their tag away and brings it back within the reader's hold time never took it away
        people = [person for person in self.counter.stock.people.values() if person.uid and person.tier and person.id != self.tapped]
        if self._device("nfc") != "ready" or self.held.customer or not self.held.lines:
            return await self.scan()
        person, before = self.dice.choice(people), self.held
        self.tapped = person.id
        done = self._same_but(lambda now: now.customer == person.id and now.pieces == before.pieces)
        self.pending = Pending(f"{person.id} tapped", done)
        self.counter.world.reader.put_tag(Type2Tag(bytes.fromhex(person.uid), None))
        try:
            await self._acknowledged(self.pending)
        finally:
            self.counter.world.reader.remove_tag()
        return None

    async def pay(self) -> None:
        total = self.held.total
        by_card = (self.likes == "terminal" or self.dice.random() < 0.4) and self.likes != "print"
        payment = self.now.payment
        if total == 0 or (by_card and (payment is None or "card" not in payment.methods)):
            by_card = False
        if by_card:
            plans = [Plan(), Plan(answer="drop"), Plan(decline="insufficient_funds"), Plan(slow=0.15), Plan(take_up=-1)]
            plan = self.dice.choices(plans, [6, 1, 1, 3, 1])[0]
            self.counter.world.terminal._plans.clear()  # what an earlier kill left over
            self.counter.world.terminal.plan(plan)
            before = self.held
            begun = self._same_but(lambda now: True)
            self.paying = True
            try:
                await self.command("card asked", v.PayCard(), lambda snapshot: self._gone(snapshot) or begun(snapshot))
            except ApiProblem as refused:
                self.paying = False
                if not refused.problem.key.endswith(REFUSED_NOW):
                    raise Violated(f"the card is refused with {refused.problem.key}: {refused}") from refused
            self.held = before
            return
        await self.cash()

    async def cash(self) -> None:
        basket, total = self.held.basket, self.held.total
        await self.command(f"{total} in cash", v.PayCash(), self._gone)
        self.sold[basket] = total
        await self._require_sale(basket, total)

    async def settle(self) -> None:
        """See a card payment to its end: completed, ended without money, or parked while the terminal is asked."""
        basket = self.held
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLED_SECONDS_MAX
        park = self.dice.random() < 0.5
        while loop.time() < deadline:
            now = self.now
            if self._gone(now):
                await self._left(basket)
                return
            attempt = now.payment.attempt if now.payment is not None else None
            if attempt is None or attempt.state not in OPEN_ATTEMPT:
                self.paying = False
                self._see(now)
                return
            if attempt.state == "unknown" and attempt.can_park and park:
                with contextlib.suppress(ApiProblem):  # it was settled meanwhile
                    await self.command("parked", v.Park("card"), self._gone)
                self.held = basket
                continue
            await self._news()
        raise Violated(f"a card payment of {basket.total} did not settle within {SETTLED_SECONDS_MAX:g} s: {now.payment}")

    async def recall(self, basket: str) -> None:
        await self.command("recalled", v.Recall(basket), lambda snapshot: snapshot.basket is not None and snapshot.basket.id == basket)
        total = self.aside.pop(basket, None)
        if total != self.held.total:
            raise Violated(f"basket {basket} was parked with {total}, and comes back with {self.held.total}")

    async def clear(self) -> None:
        """Serve everybody: the open basket is paid, what is parked is settled or paid."""
        self.likes = ""
        while True:
            for basket, total in list(self.aside.items()):
                if all(one.id != basket for one in self.now.parked) and (self.now.basket is None or self.now.basket.id != basket):
                    await self._require_sale(basket, total)
                    del self.aside[basket]
            if self.paying or self._attempt() in OPEN_ATTEMPT:
                await self.settle()
            elif self.held.basket:
                await (self.cash() if self.held.total else self.enter())
            elif not self.aside:
                return
            elif failed := [one for one in self.now.parked if one.attempt not in OPEN_ATTEMPT]:
                await self.recall(failed[0].id)
            else:
                await self._news()

    async def _left(self, basket: Held) -> None:
        """The basket is not on the counter any more: it became a sale, or it is parked."""
        if any(one.id == basket.basket for one in self.now.parked):
            self.aside[basket.basket] = basket.total
        else:
            await self._require_sale(basket.basket, basket.total)
        self.paying = False
        self._see(self.now)

    async def _require_sale(self, basket: str, total: int) -> None:
        try:
            sale = (await self._asked(lambda: self.counter.client.sale(basket))).sale
        except ApiProblem as problem:
            raise Violated(f"basket {basket} of {total} is neither on the counter, nor parked, nor a sale: {problem}") from problem
        if sale.total.minor != total:
            raise Violated(f"basket {basket} of {total} became a sale of {sale.total.minor}")
        self.sold[basket] = total

    # --- commands and news -------------------------------------------------------------------------------------------------------

    async def command(self, what: str, command: v.AnyCommand, done: Callable[[v.Snapshot], bool]) -> None:
        """Give a command under an id of its own, and see its effect. Raises Dead (it stays pending), ApiProblem, Violated."""
        self.pending = Pending(what, done, command, self.counter.new_id())
        await self._give(self.pending)

    async def _give(self, pending: Pending) -> None:
        assert pending.command is not None
        self.counter.command_id = pending.id
        try:
            answer = await self._asked(lambda: self.counter.screen.send(pending.command))  # type: ignore[arg-type]
        except ApiProblem:
            self.pending = None
            raise
        if not pending.done(answer) and not pending.done(self.now):
            raise Violated(f"{pending.what}: expected one effect on {self.held}, got {held(answer)}")
        self.pending = None
        self._see(self.now)

    async def _acknowledged(self, pending: Pending) -> None:
        """Wait until the screen shows what a device did."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + STEP_SECONDS_MAX
        while not pending.done(self.now):
            if loop.time() > deadline:
                raise Violated(f"waited {STEP_SECONDS_MAX:g} s for: {pending.what}; expected it on {self.held}, got {held(self.now)}, {self.now.notice}")
            await self._news()
        self.pending = None
        self._see(self.now)

    async def _asked(self, question: Callable[[], object]) -> object:
        try:
            return await question()  # type: ignore[misc]
        except ServiceUnreachable as error:
            await asyncio.wait_for(self.counter.service.dead.wait(), STEP_SECONDS_MAX)
            raise Dead from error

    async def _news(self) -> None:
        """A moment. Raises Dead."""
        if self.counter.service.dead.is_set():
            raise Dead
        await asyncio.sleep(0.01)

    # --- after a kill ------------------------------------------------------------------------------------------------------------

    async def come_back(self, boot: str) -> None:
        """The service was started again after ``boot``: look what is there, and go on with it. Raises Dead, Violated."""
        await self.up(boot)
        pending = self.pending
        if pending is None:
            if self.paying:
                self._require(lambda now: self._gone(now) or held(now).lines == self.held.lines, "the basket that is being paid")
            else:
                self._require(lambda now: held(now) == self.held, "the basket as it was acknowledged")
        elif pending.command is not None:
            self._require(lambda now: pending.done(now) or held(now) == self.held or self.paying, f"the basket before or after: {pending.what}")
            await self._repeat(pending)
        else:
            await self._until_device("scanner")
            if pending.done(self.now):
                self._see(self.now)
            else:
                self._require(lambda now: held(now) == self.held, f"the basket before or after: {pending.what}")
            self.pending = None

    async def _repeat(self, pending: Pending) -> None:
        self.repeated += 1
        self.repeated_before += pending.done(self.now)
        before = self.held
        assert pending.command is not None
        try:
            await self._give(pending)
        except ApiProblem as refused:
            if isinstance(pending.command, v.PayCard | v.Park):
                return  # the terminal is not there yet, or it was settled meanwhile: ``settle`` sees what became of it
            raise Violated(f"{pending.what}, repeated under its id, is refused: {refused.problem.key} {refused}") from refused
        match pending.command:
            case v.PayCash():
                self.sold[before.basket] = before.total
                await self._require_sale(before.basket, before.total)
            case v.PayCard() | v.Park():
                self.held = before  # ``settle`` sees what became of it
            case v.Recall(basket=basket):
                self.aside.pop(basket, None)

    async def up(self, boot: str) -> None:
        """Wait until it answers. Raises Dead; ApiProblem when it answers that it cannot sell."""
        service, screen = self.counter.service, self.counter.screen
        loop = asyncio.get_running_loop()
        deadline, ask = loop.time() + START_SECONDS_MAX, loop.time() + ASK_WHY_SECONDS
        while screen.boot == boot or screen.away:
            if service.dead.is_set():
                raise Dead
            if loop.time() > deadline:
                raise NotSeen(f"waited {START_SECONDS_MAX:g} s for the service to answer; see {self.counter.log}")
            if loop.time() > ask:
                ask += ASK_WHY_SECONDS
                with contextlib.suppress(ServiceUnreachable):
                    await self.counter.client.snapshot()
            await asyncio.sleep(0.005)

    def _require(self, right: Callable[[v.Snapshot], bool], what: str) -> None:
        if not right(self.now):
            raise Violated(f"after the kill: expected {what}, {self.held}, got {held(self.now)}")

    async def _until_device(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + STEP_SECONDS_MAX
        while self._device(name) != "ready":
            if loop.time() > deadline:
                raise Violated(f"{name} is {self._device(name)} {STEP_SECONDS_MAX:g} s after the start")
            await self._news()

    # --- looking -----------------------------------------------------------------------------------------------------------------

    def _see(self, snapshot: v.Snapshot) -> None:
        self.held = held(snapshot)

    def _look_at_paper(self) -> None:
        last = self.now.last_sale
        if last is not None and last.print_state == "printed":
            self.seen_printed.add(last.receipt)

    def _gone(self, snapshot: v.Snapshot) -> bool:
        return snapshot.basket is None or snapshot.basket.id != self.held.basket

    def _one_more(self, sku: str, pieces: int) -> Callable[[v.Snapshot], bool]:
        wanted = self.held.pieces + Count({sku: pieces})
        return self._same_but(lambda now: now.pieces == wanted)

    def _same_but(self, changed: Callable[[Held], bool]) -> Callable[[v.Snapshot], bool]:
        """Of the basket that is open (a first line opens one), and only what ``changed`` looks at is different."""
        before = self.held

        def done(snapshot: v.Snapshot) -> bool:
            now = held(snapshot)
            same = now.basket == before.basket if before.basket else bool(now.basket)
            return same and {line[0] for line in before.lines} <= {line[0] for line in now.lines} and changed(now)

        return done

    def _goods(self) -> Goods:
        return self.dice.choice(self.counter.stock.by_piece)

    def _attempt(self) -> str:
        payment = self.now.payment
        return payment.attempt.state if payment is not None and payment.attempt is not None else ""

    def _device(self, name: str) -> str:
        return next((device.state for device in self.now.devices if device.name == name), "")
