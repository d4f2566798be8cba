"""Who stands here, and what they left in their online cart: known at once from the local copy, better when central answers in time."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import structlog

from edge_agent.domain import commands as do
from edge_agent.domain.basket import Basket
from edge_agent.domain.cart import Cart, Lease
from edge_agent.domain.catalogue import Article, Offer, offer
from edge_agent.domain.customer import Customer, Identifier, IdentifierKind
from edge_agent.domain.decide import require_shift, require_unlocked
from edge_agent.domain.errors import CentralConflict, CentralError, CodeUnknown, EdgeError, NotNow
from edge_agent.domain.events import CartReleased, LineAdded, LinesRepriced
from edge_agent.service.core import Core, Question, refuse_unless

LEASE_OFFLINE_MS = 15 * 60_000
KEEP, REPLACE = "keep", "replace"
SECOND = "second_customer"

log = structlog.get_logger(__name__)


class Clienteling:
    """The customer of the basket and their online cart."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._tasks: set[asyncio.Task[None]] = set()

    # --- who is it -----------------------------------------------------------------------------------------------------------

    async def identified(self, identifier: Identifier, command_id: str) -> None:
        """A card, tag or pass was shown. The local copy answers first; only when it does not know them is central asked (at most a second).

        A second customer in mid-sale is a question, never a change. Raises CodeUnknown (reason ``customer``), RuleError, StorageError.
        """
        customer, fresh, answered = self._core.ports.people.identify(identifier), False, True
        if customer is None:
            customer, answered = await self._ask_central(identifier)
            fresh = True
        if customer is None and not answered:
            text = "This store's copy does not know that card, and central does not answer."
            raise CodeUnknown(text, hint="F3 finds them by name; the sale can go on without.", reason="customer_offline", kind=identifier.kind.value)
        if customer is None:
            text = "No customer answers to that card."
            raise CodeUnknown(text, hint="F3 finds them by name; the sale can go on without.", reason="customer", kind=identifier.kind.value)
        await self._attach_or_ask(customer, fresh, identifier.kind.value, command_id)

    async def chosen(self, customer_id: str, command_id: str) -> None:
        """The associate found them by typing, and chose."""
        customer, fresh = self._core.ports.people.customer(customer_id), False
        if customer is None:
            customer, fresh = (await self._ask_central(Identifier(IdentifierKind.CUSTOMER, customer_id)))[0], True
        if customer is None:
            raise CodeUnknown("That customer is not known here any more.", hint="Search again (F3).", reason="customer_gone")
        await self._attach_or_ask(customer, fresh, "search", command_id)

    async def typed(self, text: str) -> Customer | None:
        """Whom a whole e-mail address, phone number or loyalty number stands for, asked of central because the local copy found nobody."""
        identifier = typed_identifier(text)
        return (await self._ask_central(identifier))[0] if identifier is not None else None

    async def _ask_central(self, identifier: Identifier) -> tuple[Customer | None, bool]:
        """Whom central knows by it, and whether central answered at all."""
        if self._core.ports.central is None:
            return None, False
        try:
            return await self._core.ports.central.identify(identifier), True
        except CentralError as error:
            log.info("central did not answer", reason=error.key)
            return None, False

    async def _attach_or_ask(self, customer: Customer, fresh: bool, identified_by: str, command_id: str) -> None:
        basket = self._core.state.basket
        if basket is not None and basket.customer is not None and basket.customer.id != customer.id:
            self._ask_replace(customer, identified_by, basket)
            return
        try:
            await self._attach(customer, fresh, identified_by, command_id, first=True)
        except NotNow as taken:  # by somebody who was shown at the same moment
            basket = self._core.state.basket
            if taken.reason != SECOND or basket is None:
                raise
            self._ask_replace(customer, identified_by, basket)

    def _ask_replace(self, customer: Customer, identified_by: str, basket: Basket) -> None:
        require_unlocked(basket)
        current = self._core.desk.customer.name if self._core.desk.customer else ""
        self._core.desk.question = Question(
            id=self._core.ports.new_id(),
            key="question.replace_customer",
            shown={"new": customer.name, "current": current},
            answers=(REPLACE, KEEP),
            text=f"The basket is {current or 'another customer'}'s. Is it {customer.name}'s now?",
            about=customer,
            identified_by=identified_by,
        )
        self._core.changed()

    async def answered(self, question_id: str, answer: str, command_id: str) -> None:
        """The associate decided. Raises NotNow when that question is not open any more."""
        question = self._core.desk.question
        if question is None or question.id != question_id:
            raise NotNow("That question is not open any more.", hint="Look at the screen again.", reason="no_question")
        if answer not in question.answers:
            raise NotNow("That is not one of the answers.", hint="Choose one that is shown.", reason="no_answer")
        if answer == REPLACE and question.about is not None:
            await self._attach(question.about, False, question.identified_by, command_id)
        if self._core.desk.question is question:
            self._core.desk.question = None
        self._core.changed()

    async def _attach(self, customer: Customer, fresh: bool, identified_by: str, command_id: str, *, first: bool = False) -> None:
        """``first``: only to a basket that is nobody else's when the turn comes, else NotNow (reason SECOND)."""

        def command() -> do.AttachCustomer:
            basket = self._core.state.basket
            other = basket.customer if basket is not None else None
            free = not first or other is None or other.id == customer.id
            refuse_unless(free, "This basket is another customer's.", "Answer whose it is.", SECOND)
            return do.AttachCustomer(customer, identified_by, self._offers(customer.tier))

        basket = self._core.state.basket
        events = await self._core.do(command, command_id)
        if basket is not None and any(isinstance(event, CartReleased) for event in events):
            self.given_up(basket.lease)
        desk = self._core.desk
        desk.customer, desk.customer_fresh = customer, fresh
        desk.cart, desk.cart_fresh = self._core.ports.people.cart_of(customer.id), False
        repriced = next((event for event in events if isinstance(event, LinesRepriced)), None)
        desk.repriced = (repriced.before_minor, repriced.after_minor) if repriced else None
        self._core.tell("notice.customer_attached", "good", customer.name, name=customer.name, tier=customer.tier)
        self._background(self._freshen(customer))

    async def detach(self, command_id: str) -> None:
        """The basket is nobody's again; a loaded cart is released first."""
        basket = self._core.state.basket
        if basket is not None and basket.lease is not None and basket.customer is not None:
            await self.release("")
        await self._core.do(lambda: do.DetachCustomer(self._offers("")), command_id)
        self._core.clear_customer()
        self._core.changed()

    def recalled(self) -> None:
        """A basket came back: its customer does too."""
        self._core.show_customer()
        if self._core.desk.customer is not None:
            self._background(self._freshen(self._core.desk.customer))
        self._core.changed()

    # --- newer knowledge, in the background ----------------------------------------------------------------------------------

    def _background(self, work: asyncio.Future[None] | object) -> None:
        if self._core.ports.central is None:
            if asyncio.iscoroutine(work):
                work.close()
            return
        assert asyncio.iscoroutine(work)
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _freshen(self, customer: Customer) -> None:
        """Ask central how the customer and the cart stand now; the screen changes a badge, never the prices of the basket."""
        central, desk = self._core.ports.central, self._core.desk
        assert central is not None
        try:
            newer = await central.identify(Identifier(IdentifierKind.CUSTOMER, customer.id))
            cart = await central.cart_of(customer.id)
        except CentralError as error:
            log.info("customer not freshened", reason=error.key)
            return
        if desk.customer is None or desk.customer.id != customer.id:
            return
        if newer is not None:
            desk.customer, desk.customer_fresh = newer, True
        desk.cart, desk.cart_fresh = cart, True
        self._core.changed()

    # --- the online cart -----------------------------------------------------------------------------------------------------

    async def load(self, cart_id: str, command_id: str) -> None:
        """Bring the attached customer's cart (or the named one) into the basket, to pick: claimed at central, or from the copy when
        central does not answer in time. Raises CentralConflict, CodeUnknown (reason ``cart``), NotNow, StorageError."""
        require_shift(self._core.state)
        basket = self._core.state.basket
        if basket is not None:
            require_unlocked(basket)
        if basket is not None and basket.lease is not None:
            if cart_id and cart_id == basket.lease.cart:
                return
            raise NotNow("An online cart is loaded already.", hint="Release it first (F5).", reason="cart_loaded")
        cart, fresh = await self._current_cart(cart_id)
        if cart is None or not cart.lines:
            raise CodeUnknown("There is no open online cart.", hint="The customer may have emptied or bought it.", reason="cart")
        await self._bring_customer(cart, command_id)
        repriced = self._core.desk.repriced
        before = self._whose()
        lease = await self._lease(cart, fresh)
        if lease.token and lease.version != cart.version:
            cart = await self._read_again(cart)

        def command() -> do.LoadCart:
            same = self._whose() == before or (before == ("", "") and self._whose()[1] == "")
            refuse_unless(same, "The basket is another one by now.", "Load the cart again where it belongs (F5).", "basket_changed")
            return do.LoadCart(cart, lease, self._known(cart))

        try:
            events = await self._core.do(command, command_id)
        except EdgeError:
            self.given_up(lease)
            raise
        self._core.desk.cart, self._core.desk.cart_fresh = replace(cart, held_by=self._core.shop.register), fresh
        self._core.desk.repriced = repriced or self._core.desk.repriced
        self._say_loaded(sum(isinstance(event, LineAdded) for event in events), len(cart.lines), offline=not lease.token)

    def _whose(self) -> tuple[str, str]:
        """The open basket and its customer, by id."""
        basket = self._core.state.basket
        return (basket.id if basket else "", basket.customer.id if basket and basket.customer else "")

    def _say_loaded(self, came: int, lines: int, *, offline: bool) -> None:
        """How much of the cart came in; what this shop cannot sell from it stays online, and that is said."""
        key = "notice.cart_copy_loaded" if offline else "notice.cart_loaded"
        text = f"{came} lines from the online cart: scan them as they are picked."
        if came < lines:
            key += "_partly"
            text += f" {lines - came} cannot be sold here and stay online."
        self._core.tell(key, "warn" if offline or came < lines else "good", text, lines=str(came), unknown=str(lines - came))

    async def _current_cart(self, cart_id: str) -> tuple[Cart | None, bool]:
        """The cart as central has it now, or as we last heard; and whether it is fresh."""
        people, central, customer = self._core.ports.people, self._core.ports.central, self._core.desk.customer
        if not cart_id and customer is None:
            raise NotNow("Whose cart?", hint="Scan the customer's card, or the cart's code.", reason="no_customer")
        if central is not None:
            try:
                found = await central.cart(cart_id) if cart_id else await central.cart_of(customer.id if customer else "")
            except CentralError as error:
                log.info("cart not read from central", reason=error.key)
            else:
                return found, True
        return (people.cart(cart_id) if cart_id else people.cart_of(customer.id if customer else "")), False

    async def _bring_customer(self, cart: Cart, command_id: str) -> None:
        """A cart's code brings its customer too, when the basket has none."""
        basket = self._core.state.basket
        if basket is not None and basket.customer is not None:
            if basket.customer.id != cart.customer:
                raise NotNow("That cart is another customer's.", hint="Suspend this basket first (F6).", reason="cart_of_another")
            return
        customer, fresh = self._core.ports.people.customer(cart.customer), False
        if customer is None:
            customer, fresh = (await self._ask_central(Identifier(IdentifierKind.CUSTOMER, cart.customer)))[0], True
        if customer is not None:
            await self._attach(customer, fresh, IdentifierKind.CART.value, f"{command_id}:customer" if command_id else "", first=True)

    async def _lease(self, cart: Cart, fresh: bool) -> Lease:
        central, now = self._core.ports.central, self._core.ports.clock.now_ms()
        copy = Lease(cart.id, cart.version, "", now + LEASE_OFFLINE_MS)
        if central is None or not fresh:
            return copy
        try:
            return await central.claim(cart.id, cart.version, self._core.ports.new_id())
        except CentralConflict:
            raise
        except CentralError as error:
            log.info("cart not claimed", reason=error.key)
            return copy

    async def _read_again(self, cart: Cart) -> Cart:
        assert self._core.ports.central is not None
        try:
            return await self._core.ports.central.cart(cart.id) or cart
        except CentralError:
            return cart

    async def release(self, command_id: str) -> None:
        """Let the cart go; what is in hand stays in the basket. Raises NotNow, StorageError."""
        basket = self._core.state.basket
        lease = basket.lease if basket else None
        await self._core.do(do.ReleaseCart(), command_id)
        if self._core.desk.cart is not None:
            self._core.desk.cart = replace(self._core.desk.cart, held_by="")
        if lease is not None and lease.token:
            self._background(self._release(lease))
        self._core.tell("notice.cart_released", "info", "The online cart is the customer's again.")

    async def _release(self, lease: Lease) -> None:
        assert self._core.ports.central is not None
        try:
            await self._core.ports.central.release(lease)
        except CentralError as error:
            log.info("lease left to expire", reason=error.key)

    def given_up(self, lease: Lease | None) -> None:
        """A claimed cart is not going to be sold here: its basket was voided, or could not take it."""
        if lease is not None and lease.token:
            self._background(self._release(lease))

    def sold(self, lease: Lease | None, sale: str, lines: list[str]) -> None:
        """A sale with cart lines was completed: tell central sooner than the fact does."""
        if lease is not None and lease.token:
            self._background(self._complete(lease, sale, lines))

    async def _complete(self, lease: Lease, sale: str, lines: list[str]) -> None:
        assert self._core.ports.central is not None
        try:
            await self._core.ports.central.complete(lease, sale, lines)
        except CentralError as error:
            log.info("cart completion left to the fact", reason=error.key)

    def _known(self, cart: Cart) -> dict[str, tuple[Article, Offer]]:
        known: dict[str, tuple[Article, Offer]] = {}
        for line in cart.lines:
            article = self._core.ports.catalogue.by_sku(line.sku)
            found = self._offer(line.sku, self._tier())
            if article is not None and found is not None:
                known[line.sku] = (article, found)
        return known

    def _tier(self) -> str:
        basket = self._core.state.basket
        return basket.customer.tier if basket and basket.customer else ""

    def _offers(self, tier: str) -> dict[str, Offer]:
        basket = self._core.state.basket
        found = {line.sku: self._offer(line.sku, tier) for line in basket.lines if line.sku} if basket else {}
        return {sku: one for sku, one in found.items() if one is not None}

    def _offer(self, sku: str, tier: str) -> Offer | None:
        rows = [price for price in self._core.ports.catalogue.prices(sku) if price.currency == self._core.shop.market.currency]
        return offer(rows, self._core.ports.clock.now_ms(), tier)

    async def close(self) -> None:
        """Let background look-ups go."""
        for task in self._tasks:
            task.cancel()


def typed_identifier(text: str) -> Identifier | None:
    """What a whole identifier that somebody typed stands for; None for anything else (a name, the beginning of a number).

    >>> typed_identifier(" Maria@Example.com ").value, typed_identifier("+49 30 1234567").value, typed_identifier("maria fer")
    ('maria@example.com', '+49301234567', None)
    """
    plain = text.strip()
    if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", plain):
        return Identifier(IdentifierKind.EMAIL, plain.lower())
    if re.fullmatch(r"\+[0-9 ()/.-]{7,24}", plain):
        return Identifier(IdentifierKind.PHONE, "+" + re.sub(r"[^0-9]", "", plain))
    if re.fullmatch(r"[A-Za-z]{2,5}[0-9]{6,16}", plain):
        return Identifier(IdentifierKind.LOYALTY, plain.upper())
    return None
