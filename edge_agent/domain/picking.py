"""How the lines of an online cart and the goods on the counter meet: the part of ``decide`` about picking.

Whichever comes first, an article that the cart asks for is sold as the cart's line and never beside it.
"""

from __future__ import annotations

from collections.abc import Container
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from edge_agent.domain.basket import Basket, Line, LineState, PriceSource
from edge_agent.domain.cart import Cart, CartLine
from edge_agent.domain.catalogue import SoldBy
from edge_agent.domain.commands import LoadCart, Moment
from edge_agent.domain.errors import NotNow
from edge_agent.domain.events import CartLoaded, Event, LineAdded, LinePicked, LineQuantityChanged
from edge_agent.domain.moments import wall_time
from edge_agent.domain.pricing import priced
from edge_agent.domain.quantity import QUANTITY_PIECES_MAX, Quantity, Unit
from edge_agent.domain.register import Register, evolve
from edge_agent.domain.shift import Operator

_OF_THE_SHELF = (PriceSource.BOOK, PriceSource.MEMBER, PriceSource.ONLINE)
"""Goods at these prices may turn out to be the cart's; a label's or a typed price is for that piece alone."""


def wanted_of(basket: Basket, sku: str) -> Line | None:
    """The first line of the cart that still wants pieces of that article."""
    return next((held for held in basket.to_pick if held.sku == sku), None)


def pick(basket: Basket, line: Line, moment: Moment) -> tuple[Event, ...]:
    """The article in hand fulfils what the cart wants of it instead of doubling it; more than was wanted comes as a line of its own."""
    basket.require_room()
    events: list[Event] = []
    while (wanted := wanted_of(basket, line.sku)) is not None:
        pieces = min(line.quantity.amount, wanted.quantity.amount)
        events.append(_picked(basket, wanted, line, pieces))
        basket = _after(basket, events[-1])
        rest = line.quantity.amount - pieces
        if not rest:
            return tuple(events)
        line = replace(line, id=moment.new_id(), position=basket.positions + 1, quantity=Quantity(rest, Unit.PIECE))
    return (*events, LineAdded(line))


def _picked(basket: Basket, wanted: Line, line: Line, pieces: int) -> LinePicked:
    """``pieces`` of ``line`` join what was picked for ``wanted`` before, where nothing tells them apart."""
    price, source = _price(wanted, line)
    picked = replace(
        line, quantity=Quantity(pieces, Unit.PIECE), cart_line=wanted.cart_line, cart_pieces=wanted.cart_pieces, unit_price_minor=price, source=source
    )
    merged = next((held for held in basket.in_hand if picked.joins(held)), None)
    if merged is not None:
        picked = replace(merged, quantity=Quantity(pieces + merged.quantity.amount, Unit.PIECE))
    return LinePicked(wanted.id, picked, wanted.quantity.amount - pieces)


def put_back(basket: Basket, line: Line, pieces: int, moment: Moment) -> tuple[Event, ...]:
    """``pieces`` of ``line`` leave the counter: what the cart asked for of them is to pick again, and stays online unless it is."""
    carts = [held for held in basket.lines if held.cart_line == line.cart_line]
    here = sum(held.quantity.amount for held in carts)
    wanted = min(pieces, (line.cart_pieces or here) - here + pieces)
    if not line.cart_line or wanted <= 0:
        return ()
    waiting = next((held for held in carts if held.state is LineState.TO_PICK), None)
    if waiting is not None:
        return (LineQuantityChanged(waiting.id, Quantity(waiting.quantity.amount + wanted, Unit.PIECE)),)
    again = replace(
        line, id=moment.new_id(), position=basket.positions + 1, quantity=Quantity(wanted, Unit.PIECE), state=LineState.TO_PICK, discounts=(),
        batch="", expiry="", serial="",
    )  # fmt: skip
    return (LineAdded(again),)


def require_cart_here(state: Register, cart: str, timezone: str) -> None:
    """Refuse to load a cart that a basket set aside at this register holds: it would be sold twice. Raises NotNow (reason ``cart_aside``, with the
    basket's label ``cart_aside_named``)."""
    aside = (held for held in (*state.suspended, *state.parked) if held.lease is not None and held.lease.cart == cart)
    held = next(aside, None)
    if held is None:
        return
    when, hint = f"{wall_time(held.set_aside_ms, ZoneInfo(timezone)):%H:%M}", "Bring that basket back (F7), and sell the cart or release it there."
    if held.label:
        raise NotNow(f"The online cart is in the suspended basket “{held.label}” ({when}).", hint=hint, reason="cart_aside_named", name=held.label, at=when)
    raise NotNow(f"The online cart is in the basket suspended at {when}.", hint=hint, reason="cart_aside", at=when)


def load_cart(operator: Operator, basket: Basket, command: LoadCart, moment: Moment) -> tuple[Event, ...]:
    """The cart's lines come in to pick; what lies on the counter already fulfils them at once."""
    if basket.lease is not None:
        raise NotNow("An online cart is loaded already.", hint="Release it first (F5).", reason="cart_loaded")
    basket.require_room(len(command.cart.lines))
    events: list[Event] = [CartLoaded(command.lease)]
    for asked in command.cart.lines:
        line = _to_pick(operator, basket, command, asked, moment)
        if line is not None:
            events.append(LineAdded(line))
            basket = _after(basket, events[-1])
            met, basket = _met(basket, line, moment)
            events += met
    return tuple(events)


def _to_pick(operator: Operator, basket: Basket, command: LoadCart, asked: CartLine, moment: Moment) -> Line | None:
    """A line of the cart at what it costs here, or online where that is less; None for what this shop does not sell by the piece."""
    if asked.sku not in command.known or asked.pieces <= 0:
        return None
    article, offer = command.known[asked.sku]
    if article.sold_by is SoldBy.KILOGRAM:
        return None
    quantity = Quantity(min(asked.pieces, QUANTITY_PIECES_MAX), Unit.PIECE)
    line = priced(article, offer, quantity, id=moment.new_id(), position=basket.positions + 1, operator=operator.id)
    line = replace(line, state=LineState.TO_PICK, cart_line=asked.line, cart_pieces=asked.pieces)
    if command.cart.currency == moment.market.currency and asked.unit_price_minor < line.unit_price_minor:
        line = replace(line, unit_price_minor=asked.unit_price_minor, source=PriceSource.ONLINE)
    return line


def asks_the_same(basket: Basket, cart: Cart, known: Container[str], currency: str) -> bool:
    """Whether the cart, of which the skus ``known`` are sold here, asks for what the basket has and wants of it, and promises no other price.

    Then it was not changed, whatever its version: that is another also once central knows what was sold of it here before its rest was loaded.
    """
    here = [line for line in basket.lines if line.cart_line]
    asked = {line.cart_line: (line.sku, line.cart_pieces) for line in here}
    if asked != {line.line: (line.sku, line.pieces) for line in cart.lines if line.sku in known and line.pieces > 0}:
        return False
    promised = {line.line: line.unit_price_minor for line in cart.lines} if cart.currency == currency else {}
    return all(_keeps(line, promised[line.cart_line]) for line in here if line.cart_line in promised)


def _keeps(line: Line, promised_minor: int) -> bool:
    """Whether the line costs what it would with that price promised online."""
    return promised_minor == line.unit_price_minor or (promised_minor > line.unit_price_minor and line.source is not PriceSource.ONLINE)


def _met(basket: Basket, wanted: Line, moment: Moment) -> tuple[list[Event], Basket]:
    """What fulfils ``wanted`` of the goods in hand, line by line, until it is whole or nothing is left that could; and the basket then."""
    events: list[Event] = []
    left = wanted.quantity.amount
    for held in basket.in_hand:
        if left and held.sku == wanted.sku and _may_be_the_carts(held):
            pieces = min(left, held.quantity.amount)
            left -= pieces
            done = _fulfilled(basket, wanted, held, pieces, left, moment)
            events += done
            for event in done:
                basket = _after(basket, event)
    return events, basket


def _may_be_the_carts(held: Line) -> bool:
    return held.quantity.unit is Unit.PIECE and held.holds is None and held.source in _OF_THE_SHELF and not held.cart_line


def _fulfilled(basket: Basket, wanted: Line, held: Line, pieces: int, left: int, moment: Moment) -> list[Event]:
    """``pieces`` of ``held`` are the cart's. More than it asked for stays a line of its own; a discounted line is not torn, and keeps its price."""
    price, source = _price(wanted, held)
    extra = held.quantity.amount - pieces
    carts = replace(held, cart_line=wanted.cart_line, cart_pieces=wanted.cart_pieces)
    if extra and held.discounts:
        return [LinePicked(wanted.id, carts, left)]
    carts = replace(carts, unit_price_minor=price, source=source)
    if not extra:
        return [LinePicked(wanted.id, carts, left)]
    picked = replace(carts, id=moment.new_id(), position=basket.positions + 1, quantity=Quantity(pieces, Unit.PIECE))
    return [LineQuantityChanged(held.id, Quantity(extra, Unit.PIECE)), LinePicked(wanted.id, picked, left)]


def _price(wanted: Line, line: Line) -> tuple[int, PriceSource]:
    """What a piece of ``line`` costs once it is the cart's: what was promised online, where that is less."""
    if wanted.source is PriceSource.ONLINE and wanted.unit_price_minor < line.unit_price_minor:
        return wanted.unit_price_minor, PriceSource.ONLINE
    return line.unit_price_minor, line.source


def _after(basket: Basket, event: Event) -> Basket:
    after = evolve(Register(basket=basket), event).basket
    assert after is not None
    return after
