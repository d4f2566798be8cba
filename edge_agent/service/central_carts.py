"""What central is asked about online carts: how one stands, to hold it for this register, to let it go, that it was sold."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from weakref import WeakValueDictionary

import structlog
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.cart import Cart, Lease, who_holds
from edge_agent.domain.errors import CentralConflict, CentralError, CentralUnreachable, StorageError
from edge_agent.domain.sale import Sale
from edge_agent.service.core import Core
from edge_agent.service.facts import SALE_COMPLETED

LEASE_OFFLINE_MS = 15 * 60_000

log = structlog.get_logger(__name__)


class CentralCarts:
    """Online carts at central, or as the local copy has them while it does not answer. What nobody waits for is done in the background."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def holder(self) -> str:
        """How central calls this register where it says who holds a cart."""
        return f"{self._core.shop.store}/{self._core.shop.register}"

    def turn(self, cart: str) -> asyncio.Lock:
        """Whoever claims a cart and puts it somewhere does so alone: a key that was pressed twice finds the first one's work done."""
        lock = self._turns.get(cart)
        if lock is None:
            lock = self._turns[cart] = asyncio.Lock()
        return lock

    def background(self, work: Coroutine[object, object, None]) -> None:
        """Do this beside everything else; nothing without a central."""
        if self._core.ports.central is None:
            work.close()
            return
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def current(self, cart_id: str, customer_id: str) -> tuple[Cart | None, bool]:
        """The named cart, or the customer's, as central has it now, or as we last heard; and whether it is fresh."""
        people, central = self._core.ports.people, self._core.ports.central
        if central is not None:
            try:
                return await (central.cart(cart_id) if cart_id else central.cart_of(customer_id)), True
            except CentralError as error:
                log.info("cart not read from central", reason=error.key)
        return (people.cart(cart_id) if cart_id else people.cart_of(customer_id)), False

    async def lease(self, cart: Cart, fresh: bool) -> Lease:
        """Hold the cart for this register; without an answer a while of our own. Call it in the cart's turn.

        Raises CentralConflict, which says who holds it, and StorageError.
        """
        now = self._core.ports.clock.now_ms()
        copy = Lease(cart.id, cart.version, "", now + LEASE_OFFLINE_MS)
        if self._core.ports.central is None or not fresh:
            return copy
        try:
            return await self.claim(cart)
        except CentralConflict as conflict:
            raise who_holds(conflict, now, self._core.shop.market.timezone) from None
        except CentralUnreachable as error:
            log.info("claim not answered", reason=error.key)
            return replace(copy, claim=self._claims(cart.id)[-1].claim)
        except CentralError as error:
            log.info("cart not claimed", reason=error.key)
            return copy

    def _claims(self, cart: str) -> list[Lease]:
        """What central may hold of that cart for this register, and no basket here uses."""
        return [held for held in self._core.state.claims if held.cart == cart]

    async def claim(self, cart: Cart) -> Lease:
        """Central's lease. A claim is on disk before it is sent, and one that is there, unanswered or not ended yet, is sent again before another is
        made: whatever became of it, it never keeps this register out. Call it in the cart's turn. Raises CentralError, StorageError."""
        assert self._core.ports.central is not None
        for begun in reversed(self._claims(cart.id)):
            try:
                lease = await self._core.ports.central.claim(cart.id, begun.version, begun.claim)
                return replace(lease, version=cart.version, claim=begun.claim)
            except CentralUnreachable:
                raise
            except CentralError:
                await self._ended(begun)
        now, claim = self._core.ports.clock.now_ms(), self._core.ports.new_id()
        begun = Lease(cart.id, cart.version, "", now + LEASE_OFFLINE_MS, claim)
        if not await self._core.note(do.BeginClaim(begun)):
            assert self._core.desk.stopped is not None
            raise self._core.desk.stopped.again()
        try:
            return replace(await self._core.ports.central.claim(cart.id, cart.version, claim), claim=claim)
        except CentralUnreachable:
            raise
        except CentralError:
            await self._ended(begun)
            raise

    async def _answer(self, lease: Lease) -> Lease:
        """``lease`` with its token, also where central's answer to the claim never came. Raises CentralError."""
        assert self._core.ports.central is not None
        if lease.token or not lease.claim:
            return lease
        return replace(await self._core.ports.central.claim(lease.cart, lease.version, lease.claim), claim=lease.claim)

    async def _ended(self, lease: Lease) -> None:
        with suppress(StorageError):  # selling has stopped then, and whoever looks is told; a claim too many is ended once more
            await self._core.note(do.EndClaim(lease.claim))

    def given_up(self, lease: Lease | None) -> None:
        """A claimed cart is not going to be sold here: its basket was voided, or could not take it."""
        if lease is not None:
            self.background(self._let_go(lease))

    def settle(self) -> None:
        """Central may be reached now: end what it holds for this register and no basket here uses."""
        for lease in self._core.state.claims:
            self.background(self._let_go(lease))

    async def _let_go(self, lease: Lease) -> None:
        """End it at central, unless a basket has taken it up meanwhile, or central has not heard of a sale of that cart: until then nobody may order what
        was sold. What cannot be ended now stays in the journal, to be tried again."""
        assert self._core.ports.central is not None
        async with self.turn(lease.cart):
            if lease.claim and all(held.claim != lease.claim for held in self._core.state.claims):
                return
            try:
                if await asyncio.to_thread(self._core.ports.journal.unsent, "trade", SALE_COMPLETED, lease.cart):
                    return
                known = await self._answer(lease)
                if known.token:
                    await self._core.ports.central.release(known)
            except StorageError:
                return  # selling has stopped, and it was said
            except CentralUnreachable as error:
                log.info("lease not released yet", reason=error.key)
                return
            except CentralError as error:
                log.info("lease left to expire", reason=error.key)
            await self._ended(lease)

    def sold(self, sale: Sale) -> None:
        """A sale with a cart was completed: tell central sooner than the fact does. Part of a line only the fact can tell, and until then nobody may buy it."""
        if sale.lease is not None and not sale.cart_pieces_sold_in_part:
            self.background(self._complete(sale.lease, sale.id, sale.cart_pieces_sold))

    async def _complete(self, lease: Lease, sale: str, sold: Mapping[str, int]) -> None:
        assert self._core.ports.central is not None
        async with self.turn(lease.cart):
            try:
                known = await self._answer(lease)
                if known.token:
                    await self._core.ports.central.complete(known, sale, sold)
            except CentralUnreachable as error:
                log.info("cart completion left to the fact", reason=error.key)
                return
            except CentralError as error:
                log.info("cart completion left to the fact", reason=error.key)
            await self._ended(lease)

    async def close(self) -> None:
        """Let what is in the background go."""
        for task in self._tasks:
            task.cancel()
