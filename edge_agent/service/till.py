"""The register as one thing: the use cases side by side, what happens after a sale, and the start and end of the service's life."""

from __future__ import annotations

import asyncio

import structlog

from edge_agent.domain import commands as do
from edge_agent.domain.commands import Command, Cut
from edge_agent.domain.errors import OutOfBounds, StorageError
from edge_agent.domain.events import DiscountRemoved, Event, SaleCompleted, SaleParked
from edge_agent.domain.quantity import Quantity, Unit
from edge_agent.domain.reading import Reading
from edge_agent.domain.sale_receipt import Letterhead
from edge_agent.ports import FactDraft, Notice
from edge_agent.service.central_carts import CentralCarts
from edge_agent.service.clienteling import Clienteling
from edge_agent.service.core import Core
from edge_agent.service.counter import Counter
from edge_agent.service.day import Day
from edge_agent.service.facts import started
from edge_agent.service.holding import Holding
from edge_agent.service.paying import Paying
from edge_agent.service.printing import Printing

DEPARTMENT_NAME_CHARS_MAX = 60

log = structlog.get_logger(__name__)


class Till:
    """Everything one register can do."""

    def __init__(self, core: Core, head: Letterhead) -> None:
        self.core = core
        self.day = Day(core)
        self.carts = CentralCarts(core)
        self.holding = Holding(core, self.carts)
        self.clienteling = Clienteling(core, self.carts, self.holding)
        self.counter = Counter(core, self.clienteling, self.day)
        self.paying = Paying(core, head.amount)
        self.printing = Printing(core, head)
        core.on_events = self._happened
        core.on_resumed = self._resumed
        self._unsaid: FactDraft | None = None
        self._saying: asyncio.Task[None] | None = None

    # --- life ----------------------------------------------------------------------------------------------------------------

    async def start(self, version: str, *, clean_stop: bool) -> None:
        """Say that the service came up, and take up again whatever payment was under way.

        On a disk that refuses the service comes up all the same, stopped, and says so; the fact follows when the disk can be written.
        """
        core = self.core
        now = core.ports.clock.now_ms()
        self._unsaid = started(core.state, core.origin, now, core.ports.new_id(), boot=core.boot, version=version, clean_stop=clean_stop)
        await self._say_started()
        self.paying.recover()
        self.clienteling.recalled()
        await self.printing.recover()

    async def _say_started(self) -> None:
        fact = self._unsaid
        if fact is not None:
            try:
                await self.core.report(fact)
            except StorageError:
                return  # selling is stopped now, and whoever looks is told; it comes again when the journal is back
            self._unsaid = None

    def _resumed(self) -> None:
        """The journal is back: say what is left to say, and take up attempts that turned out to have been written after all."""
        self._saying = asyncio.get_running_loop().create_task(self._say_started(), name="say-started")
        self.paying.recover()
        self.holding.hurry()

    async def close(self) -> None:
        """End the tasks; what they were about goes on after the next start."""
        self.core.on_resumed = lambda: None
        self.core.let_go()
        await self.paying.close()
        await self.carts.close()
        await self.printing.close()
        await self.core.close()

    async def scanned(self, reading: Reading) -> None:
        """A device read something. Never raises: a bug in what one reading leads to does not end the reading of the next."""
        try:
            await self.counter.scanned(reading)
        except Exception:
            log.exception("a reading was given up by a bug", device=reading.device)
            self.core.tell("notice.bug", "bad", "That could not be dealt with.", "Scan it again; if it stays, type it, and report it.")
            self.core.refused(reading.source)

    def _happened(self, events: tuple[Event, ...]) -> None:
        self.paying.checking.happened(events)
        for event in events:
            if isinstance(event, SaleCompleted):
                self.printing.completed(event.sale)
                self.carts.sold(event.sale)

    def standing(self) -> tuple[Notice, ...]:
        """What stands on the screen until it is seen to: of the sale at hand first, then the oldest."""
        return (*self.holding.standing(), *self.paying.checking.standing())

    # --- lines and baskets ---------------------------------------------------------------------------------------------------

    async def run(self, command: Command, command_id: str) -> tuple[Event, ...]:
        """A command that needs nothing looked up."""
        return await self.core.do(command, command_id)

    async def department(self, department: str, price_minor: int, quantity: str, name: str, code: str, command_id: str) -> None:
        """Sell by department and price. Raises OutOfBounds for a department that the shop does not have."""
        known = dict(self.departments())
        if department not in known:
            raise OutOfBounds(f"No department is called {department!r}.", hint="Choose one from the list.", reason="department")
        wanted = Quantity.parse(quantity) if quantity else Quantity(1, Unit.PIECE)
        shown = " ".join(name.split())[:DEPARTMENT_NAME_CHARS_MAX]
        await self.run(do.AddDepartment(department, known[department], shown, price_minor, wanted, code), command_id)

    def departments(self) -> tuple[tuple[str, str], ...]:
        """The departments of the catalogue with the tax class most of their articles have."""
        return tuple(self.core.ports.catalogue.departments())

    async def discount(self, line: str | None, cut: Cut, command_id: str) -> None:
        """Money off a line, or off the basket when ``line`` is None."""
        await self.run(do.DiscountBasket(cut) if line is None else do.DiscountLine(line, cut), command_id)

    async def remove(self, line: str, command_id: str) -> None:
        """Take a line out; a discount of the basket that goes with the last of its goods is told of."""
        events = await self.run(do.RemoveLine(line), command_id)
        if any(isinstance(event, DiscountRemoved) for event in events):
            self.core.tell("notice.basket_discount_gone", "warn", "The basket's discount went with the last of its goods.", "Give it again if it is meant.")

    async def void(self, reason: str, command_id: str) -> None:
        """Give the basket up."""
        lease = self.core.state.basket.lease if self.core.state.basket else None
        await self.run(do.VoidBasket(reason), command_id)
        self.core.clear_customer()
        self.carts.given_up(lease)
        self.core.tell("notice.voided", "info", "The basket is void.")

    async def set_aside(self, command: do.Suspend | do.Park, command_id: str, basket: str = "") -> None:
        """Suspend or park the basket (``basket``, when it is named: see ``Core.do``)."""
        events = await self.core.do(command, command_id, basket=basket)
        if not events:
            return
        self.core.clear_customer()
        parked = events[-1]
        if not isinstance(parked, SaleParked):
            self.core.tell("notice.suspended", "info", "The basket is suspended.", "F7 brings it back.")
        elif any(held.id == parked.basket and held.open_attempt is None for held in self.core.state.parked):
            self.core.tell("notice.parked_part_paid", "warn", "The sale is parked with what is paid of it.", "F7 brings it back.")
        else:
            self.core.tell("notice.parked", "info", "The sale is parked while its card payment is clarified.", "F7 brings it back.")

    async def recall(self, basket: str, command_id: str) -> None:
        """Bring a basket back, with its customer."""
        await self.run(do.Recall(basket), command_id)
        self.clienteling.recalled()
