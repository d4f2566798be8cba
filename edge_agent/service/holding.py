"""Online carts in baskets stay held at central for as long as their baskets live here; and one that is lost is told of before anybody pays."""

from __future__ import annotations

import asyncio

import structlog
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.basket import Basket
from edge_agent.domain.cart import GONE, RUN_OUT, TAKEN, Cart, Lease, Lost
from edge_agent.domain.errors import CentralConflict, CentralError, StorageError
from edge_agent.ports import Notice
from edge_agent.service.central_carts import CentralCarts
from edge_agent.service.core import Core

LOOK_SECONDS = 30.0
"""How often it is looked whether a lease is to be prolonged, and how soon a question that central did not answer is put again."""
PROLONG_SECONDS = 300.0
"""How long after central's last word on a lease it is asked again: a third of a lease, so that two questions may be lost."""
ASIDE_HELD_MS = 12 * 3_600_000
"""A basket that nobody brought back for so long does not keep its customer out of their own cart: its lease runs out, and is looked at when it comes back."""
_TOLD = {
    GONE: ("notice.cart_gone", "The online cart is not open online any more: ask whether it was ordered."),
    TAKEN: ("notice.cart_taken", "Register {holder} holds the online cart now: ask who sells it."),
    RUN_OUT: ("notice.cart_run_out", "Central does not answer, and the online cart is not held any more: ask whether it was ordered."),
}
HINT = "The goods here can be sold at the price shown. F5 releases the cart."

log = structlog.get_logger(__name__)


class Holding:
    """The leases of the baskets at this register, open and set aside."""

    def __init__(self, core: Core, carts: CentralCarts) -> None:
        self._core = core
        self._carts = carts
        self._heard: dict[str, float] = {}
        """When central last gave its word on the cart of each basket, on the monotonic clock."""
        self._silent = False

    async def run(self) -> None:
        """Look after the leases until cancelled."""
        while True:
            await self.look_after()
            await asyncio.sleep(LOOK_SECONDS)

    async def look_after(self) -> None:
        """Prolong every lease whose time has come, claim again what is not held, and end what no basket uses. Once central does not answer, the others
        are not asked about before the next look."""
        if self._core.ports.central is None:
            return
        self._heard = {basket.id: self._heard[basket.id] for basket in self._core.state.baskets if basket.id in self._heard}
        answers = True
        for basket in self._core.state.baskets:
            if basket.lease is not None and self._is_due(basket):
                answers = await self._look(basket.id, basket.lease.cart, answers)
        if answers:
            self._carts.settle()

    def hurry(self) -> None:
        """Central is heard again, or a basket came back to the counter: every lease is looked at now."""
        self._heard.clear()
        self._carts.background(self.look_after())

    def published(self) -> None:
        """Central published carts: where the copy contradicts what a basket counts on, central is asked at once."""
        due = [basket.id for basket in self._core.state.baskets if basket.lease is not None and self._is_doubtful(basket.lease)]
        for basket in due:
            self._heard.pop(basket, None)
        if due:
            self._carts.background(self.look_after())

    def loaded(self) -> None:
        """A cart came into the open basket: claimed just now, or from the copy, and then to be claimed as soon as central answers."""
        basket = self._core.state.basket
        if basket is not None and basket.lease is not None:
            self._heard.pop(basket.id, None)
            if basket.lease.token:
                self._heard[basket.id] = self._core.ports.clock.monotonic()

    def standing(self) -> tuple[Notice, ...]:
        """What the associate has to know of the open basket's cart before payment, for as long as it is so."""
        basket = self._core.state.basket
        if basket is None or basket.lease is None or basket.lease.lost is None:
            return ()
        lost = basket.lease.lost
        key, text = _TOLD[lost.why]
        shown = {"holder": lost.holder} if lost.holder else {}
        return (Notice(key, "warn", text.format(holder=lost.holder), HINT, shown, lost.at_ms),)

    def _is_due(self, basket: Basket) -> bool:
        if basket.set_aside_ms and self._core.ports.clock.now_ms() - basket.set_aside_ms >= ASIDE_HELD_MS:
            return False
        heard = self._heard.get(basket.id)
        return heard is None or self._core.ports.clock.monotonic() - heard >= PROLONG_SECONDS

    def _is_doubtful(self, lease: Lease) -> bool:
        copy = self._core.ports.people.cart(lease.cart)
        if lease.lost is None or lease.lost.why == RUN_OUT:
            return copy is None or copy.held_by != self._carts.holder
        return copy is not None and copy.held_by in ("", self._carts.holder)

    async def _look(self, basket: str, cart: str, ask: bool) -> bool:
        """Whether central gave its word on the cart of that basket, which is kept."""
        async with self._carts.turn(cart):
            held = next((one.lease for one in self._core.state.baskets if one.id == basket), None)
            if held is None or held.cart != cart:
                return ask
            answered, now = ask, held
            if ask:
                try:
                    now = await self._now(held)
                except CentralError as error:
                    self._log_silence(error)
                    answered = False
                except StorageError:
                    return False  # selling has stopped, and it was said
            if answered:
                self._log_silence(None)
                self._heard[basket] = self._core.ports.clock.monotonic()
            elif held.token and held.lost is None and self._core.desk.at_central(self._core.ports.clock.now_ms()) >= held.until_ms:
                now = self._lost(held, RUN_OUT)
            if now != held:
                await self._keep(basket, held, now)
            return answered

    def _log_silence(self, error: CentralError | None) -> None:
        """Once when central stops answering about leases, and once when it does again."""
        silent, self._silent = self._silent, error is not None
        if error is not None and not silent:
            log.info("leases not looked after", reason=error.key)
        elif error is None and silent:
            log.info("leases looked after again")

    async def _now(self, lease: Lease) -> Lease:
        """``lease`` as central has it: prolonged, or, where it has ended, claimed anew if the cart is free, or lost. The version stays that of the lines in
        the basket. Raises CentralError for no answer, StorageError."""
        assert self._core.ports.central is not None
        if lease.claim and (lease.lost is None or lease.lost.why == RUN_OUT):
            try:
                answer = await self._core.ports.central.claim(lease.cart, lease.version, lease.claim)
                return replace(lease, token=answer.token, until_ms=answer.until_ms, lost=None)
            except CentralConflict as conflict:
                log.info("lease not prolonged", reason=conflict.key)
        cart = await self._core.ports.central.cart(lease.cart)
        return self._lost(lease, GONE) if cart is None or not cart.lines else await self._anew(lease, cart)

    async def _anew(self, lease: Lease, cart: Cart) -> Lease:
        try:
            return replace(await self._carts.claim(cart), version=lease.version)
        except CentralConflict as conflict:
            holder = conflict.args_shown.get("held_by", "")
            if conflict.reason != "held" or holder == self._carts.holder:
                return lease  # it was edited just now, or is ours by a claim that nobody here knows: the next look tells
            return self._lost(lease, TAKEN, holder)

    def _lost(self, lease: Lease, why: str, holder: str = "") -> Lease:
        known = lease.lost
        if known is not None and (known.why, known.holder) == (why, holder):
            return lease
        return replace(lease, lost=Lost(why, self._core.ports.clock.now_ms(), holder))

    async def _keep(self, basket: str, before: Lease, now: Lease) -> None:
        """Write down how the lease stands, and tell what the associate has to know; what was told before and is not so any more goes."""
        try:
            await self._core.note(do.MoveLease(before, now))
        except StorageError:
            return  # selling has stopped, and it was said
        desk = self._core.desk
        if desk.notice is not None and any(desk.notice.key == key for key, _ in _TOLD.values()):
            desk.notice = None
        here = self._core.state.basket
        if now.lost is not None and now.lost != before.lost and here is not None and here.id == basket:
            for notice in self.standing():
                self._core.tell(notice.key, notice.level, notice.text, notice.hint, **notice.shown)
        self._core.changed()
