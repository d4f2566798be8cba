"""Who stands here, and what they left in their online cart: known at once from the local copy, better when central answers in time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import structlog
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.basket import Basket
from edge_agent.domain.cart import Cart, Lease
from edge_agent.domain.customer import Customer, Identifier, IdentifierKind
from edge_agent.domain.decide import require_shift, require_unlocked
from edge_agent.domain.errors import CentralError, CodeUnknown, EdgeError, NotNow
from edge_agent.domain.events import CartReleased, Event, LineAdded, LinePicked, LinesRepriced
from edge_agent.domain.picking import require_cart_here
from edge_agent.service.central_carts import CentralCarts
from edge_agent.service.core import Core, refuse_unless
from edge_agent.service.desk import Question
from edge_agent.service.holding import Holding
from edge_agent.service.offers import known_of_cart, offers_of_basket, tier_of_basket
from edge_agent.service.sold_carts import left_of

KEEP, REPLACE = "keep", "replace"
SECOND = "second_customer"

log = structlog.get_logger(__name__)


class Clienteling:
    """The customer of the basket and their online cart."""

    def __init__(self, core: Core, carts: CentralCarts, holding: Holding) -> None:
        self._core = core
        self._carts = carts
        self._holding = holding

    # --- who is it -----------------------------------------------------------------------------------------------------------

    async def identified(self, identifier: Identifier, command_id: str) -> None:
        """A card, tag or pass was shown. The local copy answers first; only when it does not know them is central asked (at most a second).

        A second customer in mid-sale is a question, never a change; an answer that comes when the sale is over is nobody's. Nobody is taken for one of
        several. Raises CodeUnknown (reason ``customer``, ``customers``), RuleError, StorageError.
        """
        gone = self._core.gone
        found, fresh, answered = self._core.ports.people.identify(identifier), False, True
        if not found:
            found, answered = await self._ask_central(identifier)
            fresh = True
        if not found and not answered:
            text = f"This store's copy does not know {identifier.shown}, and central does not answer."
            raise _nobody(text, "customer_offline", identifier)
        if not found:
            raise _nobody(f"No customer is known by {identifier.shown}.", "customer", identifier)
        if len(found) > 1:
            raise _several(identifier)
        await self._attach_or_ask(found[0], fresh, identifier.kind.value, command_id, gone)

    async def chosen(self, customer_id: str, command_id: str) -> None:
        """The associate found them by typing, and chose."""
        gone = self._core.gone
        customer, fresh = await self._by_id(customer_id)
        if customer is None:
            raise CodeUnknown("That customer is not known here any more.", hint="Search again (F3).", reason="customer_gone")
        await self._attach_or_ask(customer, fresh, "search", command_id, gone)

    async def typed(self, text: str) -> Sequence[Customer]:
        """Whom a whole e-mail address, phone, loyalty or customer number stands for, asked of central because the local copy found nobody."""
        for identifier in typed_identifiers(text):
            found, answered = await self._ask_central(identifier)
            if found or not answered:
                return found
        return []

    async def _by_id(self, customer_id: str) -> tuple[Customer | None, bool]:
        """The customer with this id, and whether central was asked because the local copy does not have them."""
        known = self._core.ports.people.customer(customer_id)
        if known is not None:
            return known, False
        found, _ = await self._ask_central(Identifier(IdentifierKind.CUSTOMER, customer_id))
        return (found[0] if found else None), True

    async def _ask_central(self, identifier: Identifier) -> tuple[Sequence[Customer], bool]:
        """Whom central knows by it, and whether central answered at all."""
        if self._core.ports.central is None:
            return [], False
        try:
            return await self._core.ports.central.identify(identifier), True
        except CentralError as error:
            log.info("central did not answer", reason=error.key)
            return [], False

    async def _attach_or_ask(self, customer: Customer, fresh: bool, identified_by: str, command_id: str, gone: int) -> None:
        self._refuse_late(gone)
        basket = self._core.state.basket
        if basket is not None and basket.customer is not None and basket.customer.id != customer.id:
            self._ask_replace(customer, identified_by, basket)
            return
        try:
            await self._attach(customer, fresh, identified_by, command_id, gone, first=True)
        except NotNow as taken:  # by somebody who was shown at the same moment
            basket = self._core.state.basket
            if taken.reason != SECOND or basket is None:
                raise
            self._ask_replace(customer, identified_by, basket)

    def _refuse_late(self, gone: int) -> None:
        refuse_unless(self._core.gone == gone, "That was for the sale before.", "Scan it again if the customer is still here.", "sale_before")

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
            await self._attach(question.about, False, question.identified_by, command_id, self._core.gone)
        if self._core.desk.question is question:
            self._core.desk.question = None
        self._core.changed()

    async def _attach(self, customer: Customer, fresh: bool, identified_by: str, command_id: str, gone: int, *, first: bool = False) -> None:
        """``gone``: as it was when they were asked for. ``first``: only to a basket that is nobody else's when the turn comes, else NotNow (reason SECOND)."""

        def command() -> do.AttachCustomer:
            self._refuse_late(gone)
            erased = customer.id in self._core.desk.erased and self._core.ports.people.customer(customer.id) is None
            refuse_unless(not erased, "This customer was erased.", "Go on without a customer.", "customer_erased")
            basket = self._core.state.basket
            other = basket.customer if basket is not None else None
            free = not first or other is None or other.id == customer.id
            refuse_unless(free, "This basket is another customer's.", "Answer whose it is.", SECOND)
            return do.AttachCustomer(customer, identified_by, offers_of_basket(self._core, customer.tier))

        basket = self._core.state.basket
        events = await self._core.do(command, command_id)
        if basket is not None and any(isinstance(event, CartReleased) for event in events):
            self._carts.given_up(basket.lease)
        desk = self._core.desk
        desk.customer, desk.customer_fresh, desk.unanswered = customer, fresh, False
        desk.cart, desk.cart_fresh = self._core.ports.people.cart_of(customer.id), False
        desk.repriced = _repriced(events)
        self._core.unsay_customer()
        self._core.tell("notice.customer_attached", "good", customer.name, name=customer.name, tier=customer.tier)
        self._carts.background(self._freshen(customer))

    async def detach(self, command_id: str) -> None:
        """The basket is nobody's again; a loaded cart is the customer's again too. Raises NotNow, StorageError."""
        basket = self._core.state.basket
        events = await self._core.do(lambda: do.DetachCustomer(offers_of_basket(self._core, "")), command_id)
        self._core.clear_customer()
        self._core.desk.repriced = _repriced(events)
        if basket is not None and any(isinstance(event, CartReleased) for event in events):
            self._let_go(basket.lease)
        self._core.changed()

    def recalled(self) -> None:
        """A basket came back: its customer does too, and it is looked how their cart stands."""
        self._holding.hurry()
        self._core.show_customer()
        if self._core.desk.customer is not None:
            self._carts.background(self._freshen(self._core.desk.customer))
        self._core.changed()

    # --- newer knowledge, in the background ----------------------------------------------------------------------------------

    def heard(self) -> None:
        """Central published customers or carts, or a feed goes on: when that is about who stands here, or they are shown as the copy has them, they follow."""
        desk, people = self._core.desk, self._core.ports.people
        self._holding.published()
        if desk.customer is None:
            return
        copy, cart = people.customer(desk.customer.id), people.cart_of(desk.customer.id)
        same = copy is None or replace(copy, as_of_ms=0) == replace(desk.customer, as_of_ms=0)
        if not desk.customer_fresh or not same or _edition(cart) != _edition(desk.cart):
            self._carts.background(self._freshen(desk.customer))

    def in_touch(self) -> None:
        """Central is heard again: whoever stands here is looked up anew, for what is shown of them is from before; so are the carts in baskets."""
        self._holding.hurry()
        if self._core.desk.customer is not None:
            self._carts.background(self._freshen(self._core.desk.customer))

    async def _freshen(self, customer: Customer) -> None:
        """Ask central how the customer and the cart stand now; the screen changes a badge, never the prices of the basket."""
        central, desk = self._core.ports.central, self._core.desk
        assert central is not None
        try:
            newer = await central.identify(Identifier(IdentifierKind.CUSTOMER, customer.id))
            cart = await central.cart_of(customer.id)
        except CentralError as error:
            log.info("customer not freshened", reason=error.key)
            self._unanswered(customer.id)
            return
        if desk.customer is None or desk.customer.id != customer.id:
            return
        desk.unanswered = False
        if newer:
            desk.customer, desk.customer_fresh = newer[0], True
        desk.cart, desk.cart_fresh = cart, True
        self._core.changed()

    def _unanswered(self, customer_id: str) -> None:
        """Central was given up for the local copy: what is shown of this customer, if they still stand here, says its age from now on."""
        desk = self._core.desk
        if desk.customer is not None and desk.customer.id == customer_id:
            desk.customer_fresh = desk.cart_fresh = False
            desk.unanswered = True
            self._core.changed()

    # --- the online cart -----------------------------------------------------------------------------------------------------

    async def load(self, cart_id: str, command_id: str) -> None:
        """Bring the attached customer's cart (or the named one) into the basket, to pick: claimed at central, or from the copy when
        central does not answer in time. Raises CentralConflict, CodeUnknown (reason ``cart``, ``cart_code``,
        ``cart_offline``), NotNow (``cart_aside``: a basket set aside here holds it), StorageError."""
        gone = self._core.gone
        require_shift(self._core.state)
        if self._is_here(cart_id):
            return
        cart, fresh = await self._open_cart(cart_id)
        async with self._carts.turn(cart.id):
            if not self._is_here(cart.id):
                await self._load(cart, fresh, command_id, gone)

    def _is_here(self, cart_id: str) -> bool:
        """Whether the open basket has that cart already. Raises NotNow where it may not take it."""
        state = self._core.state
        if state.basket is not None:
            require_unlocked(state.basket)
        if state.basket is not None and state.basket.lease is not None:
            if cart_id == state.basket.lease.cart:
                return True
            raise NotNow("An online cart is loaded already.", hint="Release it first (F5).", reason="cart_loaded")
        require_cart_here(state, cart_id, self._core.shop.market.timezone)
        return False

    async def _open_cart(self, cart_id: str) -> tuple[Cart, bool]:
        """The cart that is to be loaded, without what was sold of it here that it does not know of; and whether it is fresh. Raises CodeUnknown, NotNow."""
        cart, fresh = await self._current_cart(cart_id)
        if cart_id and cart is None and not fresh:
            text, hint = f"This store's copy does not know the online cart {cart_id}, and central does not answer.", "Scan it again when central answers."
            raise CodeUnknown(text, hint=hint, reason="cart_offline", code=cart_id)
        if cart is not None and cart.lines:
            return await asyncio.to_thread(left_of, self._core, cart, fresh=fresh), fresh
        hint = "The customer may have emptied or bought it."
        if cart_id:
            raise CodeUnknown(f"There is no open online cart {cart_id}.", hint=hint, reason="cart_code", code=cart_id)
        raise CodeUnknown("There is no open online cart.", hint=hint, reason="cart")

    async def _load(self, cart: Cart, fresh: bool, command_id: str, gone: int) -> None:
        await self._bring_customer(cart, command_id, gone)
        repriced = self._core.desk.repriced
        before = self._whose()
        totals: list[int] = []
        lease = await self._carts.lease(cart, fresh)

        def command() -> do.LoadCart:
            same = self._whose() == before or (before == ("", "") and self._whose()[1] == "")
            refuse_unless(same and self._core.gone == gone, "The basket is another one by now.", "Load the cart again where it belongs (F5).", "basket_changed")
            totals.append(self._total_minor())
            return do.LoadCart(cart, lease, known_of_cart(self._core, cart))

        try:
            events = await self._core.do(command, command_id)
        except EdgeError:
            self._carts.given_up(lease)
            raise
        self._holding.loaded()
        self._core.desk.cart, self._core.desk.cart_fresh = replace(cart, held_by=self._core.shop.register), fresh
        if totals and totals[0] != self._total_minor():  # goods in hand cost what the cart promised
            repriced = (repriced[0] if repriced else totals[0], self._total_minor())
        self._core.desk.repriced = repriced or self._core.desk.repriced
        if events:
            self._say_loaded(events, cart, offline=not lease.token)

    def _whose(self) -> tuple[str, str]:
        """The open basket and its customer, by id."""
        basket = self._core.state.basket
        return (basket.id if basket else "", basket.customer.id if basket and basket.customer else "")

    def _total_minor(self) -> int:
        basket = self._core.state.basket
        return basket.totals(self._core.shop.market).total_minor if basket else 0

    def _say_loaded(self, events: tuple[Event, ...], cart: Cart, *, offline: bool) -> None:
        """How many pieces of the cart are to be picked; what this shop cannot sell from it stays online, and that is said."""
        came = {event.line.id: event.line.quantity.amount for event in events if isinstance(event, LineAdded)}
        left = came | {event.line: event.left for event in events if isinstance(event, LinePicked)}
        unknown = sum(line.pieces for line in cart.lines) - sum(came.values())
        key = "notice.cart_copy_loaded" if offline else "notice.cart_loaded"
        text = f"The online cart is loaded. Still to pick: {sum(left.values())}."
        if unknown:
            key += "_partly"
            text += f" {unknown} cannot be sold here and stay online."
        self._core.tell(key, "warn" if offline or unknown else "good", text, to_pick=str(sum(left.values())), unknown=str(unknown))

    async def _current_cart(self, cart_id: str) -> tuple[Cart | None, bool]:
        """The cart as central has it now, or as we last heard; and whether it is fresh."""
        customer = self._core.desk.customer
        if not cart_id and customer is None:
            raise NotNow("Whose cart?", hint="Scan the customer's card, or the cart's code.", reason="no_customer")
        cart, fresh = await self._carts.current(cart_id, customer.id if customer else "")
        if not fresh and customer is not None and self._core.ports.central is not None:
            self._unanswered(customer.id)
        return cart, fresh

    async def _bring_customer(self, cart: Cart, command_id: str, gone: int) -> None:
        """A cart's code brings its customer too, when the basket has none; a guest's cart brings nobody, and may be anybody's."""
        basket = self._core.state.basket
        if not cart.customer:
            return
        if basket is not None and basket.customer is not None:
            if basket.customer.id != cart.customer:
                raise NotNow("That cart is another customer's.", hint="Suspend this basket first (F6).", reason="cart_of_another")
            return
        customer, fresh = await self._by_id(cart.customer)
        if customer is not None:
            await self._attach(customer, fresh, IdentifierKind.CART.value, f"{command_id}:customer" if command_id else "", gone, first=True)

    async def release(self, command_id: str) -> None:
        """Let the cart go; what is in hand stays in the basket. Raises NotNow, StorageError."""
        basket = self._core.state.basket
        lease = basket.lease if basket else None
        events = await self._core.do(lambda: do.ReleaseCart(offers_of_basket(self._core, tier_of_basket(self._core))), command_id)
        self._core.desk.repriced = _repriced(events)
        if self._core.desk.cart is not None:
            self._core.desk.cart = replace(self._core.desk.cart, held_by="")
        self._let_go(lease)

    def _let_go(self, lease: Lease | None) -> None:
        self._carts.given_up(lease)
        if lease is not None and lease.lost is not None:
            self._core.tell("notice.cart_let_go", "info", "The online cart is out of this basket.")
        else:
            self._core.tell("notice.cart_released", "info", "The online cart is the customer's again.")


def _repriced(events: tuple[Event, ...]) -> tuple[int, int] | None:
    """The totals before and after what ``events`` changed in prices, to be shown; None where they come to the same."""
    totals = next(((event.before_minor, event.after_minor) for event in events if isinstance(event, LinesRepriced)), None)
    return totals if totals is not None and totals[0] != totals[1] else None


def _nobody(text: str, reason: str, identifier: Identifier) -> CodeUnknown:
    hint = "F3 finds them by name; the sale can go on without."
    return CodeUnknown(text, hint=hint, reason=reason, kind=identifier.kind.value, code=identifier.shown)


def _several(identifier: Identifier) -> CodeUnknown:
    hint = "F3 finds them by name; choose who stands here."
    return CodeUnknown(f"Several customers are known by {identifier.shown}.", hint=hint, reason="customers", kind=identifier.kind.value, code=identifier.shown)


def _edition(cart: Cart | None) -> tuple[str, int] | None:
    """Which version of which cart; who holds it is another matter."""
    return (cart.id, cart.version) if cart else None


def typed_identifiers(text: str) -> list[Identifier]:
    """What a whole identifier that somebody typed may stand for, the likeliest first; nothing for anything else (a name, the beginning of a number).

    >>> [one.value for one in typed_identifiers(" Maria@Example.com ")], [one.value for one in typed_identifiers("+49 30 1234567")]
    (['maria@example.com'], ['+49301234567'])
    >>> [one.kind.value for one in typed_identifiers("LOY1234567")], typed_identifiers("maria fer")
    (['loyalty', 'customer'], [])
    >>> [(one.kind.value, one.value) for one in typed_identifiers("0170 1234567")]
    [('phone', '01701234567')]
    """
    plain = text.strip()
    if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", plain):
        return [Identifier(IdentifierKind.EMAIL, plain.lower())]
    found = [Identifier(IdentifierKind.LOYALTY, plain.upper())] if re.fullmatch(r"[A-Za-z]{2,5}[0-9]{6,16}", plain) else []
    if re.fullmatch(r"\+?[0-9 ()/.-]{7,24}", plain):
        found.append(Identifier(IdentifierKind.PHONE, re.sub(r"[^0-9+]", "", plain)))
    if re.fullmatch(r"(?=.*[0-9])[A-Za-z0-9._-]{4,64}", plain):
        found.append(Identifier(IdentifierKind.CUSTOMER, plain))
    return found
