"""How goods, discounts, customers and carts get into a basket: the part of ``decide`` about lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from edge_agent.domain.basket import (
    DISCOUNTS_MAX,
    LINE_DISCOUNTS_MAX,
    LINES_MAX,
    REASON_CHARS_MAX,
    REMOVED_MAX,
    AttachedCustomer,
    Basket,
    Discount,
    Line,
    LineState,
    PriceSource,
)  # fmt: skip
from edge_agent.domain.card_data import masked_text
from edge_agent.domain.catalogue import Article, Offer, SoldBy
from edge_agent.domain.commands import (
    AddArticle,
    AddDepartment,
    AttachCustomer,
    ChangeQuantity,
    Command,
    Cut,
    DetachCustomer,
    DiscountBasket,
    DiscountLine,
    LoadCart,
    Moment,
    ReleaseCart,
    RemoveLine,
)  # fmt: skip
from edge_agent.domain.errors import NotAllowed, NotNow, OutOfBounds
from edge_agent.domain.events import (
    BasketDiscounted,
    CartLoaded,
    CartReleased,
    CustomerAttached,
    CustomerDetached,
    Event,
    LineAdded,
    LineDiscounted,
    LinePicked,
    LineQuantityChanged,
    LineRemoved,
    LinesRepriced,
    Reprice,
)  # fmt: skip
from edge_agent.domain.gtin import gtin_code, is_gtin
from edge_agent.domain.money import AMOUNT_MINOR_MAX
from edge_agent.domain.quantity import QUANTITY_PIECES_MAX, Quantity, Unit
from edge_agent.domain.register import Register, evolve
from edge_agent.domain.shift import RIGHT_DEPARTMENT, RIGHT_DISCOUNT, Operator


def sell(state: Register, basket: Basket, command: Command, moment: Moment) -> tuple[Event, ...]:
    """The events of a command about lines, discounts, the customer or the cart, in an unlocked basket."""
    assert state.operator is not None
    match command:
        case AddArticle():
            return _add_article(state.operator, basket, command, moment)
        case AddDepartment():
            return _add_department(state.operator, basket, command, moment)
        case ChangeQuantity(line_id, quantity):
            return _change_quantity(basket, line_id, quantity)
        case RemoveLine(line_id):
            _line(basket, line_id)
            if len(basket.removed) >= REMOVED_MAX:
                raise OutOfBounds(f"{REMOVED_MAX} lines were taken out already.", hint="Void the basket and begin again.", reason="removed", limit=REMOVED_MAX)
            return (LineRemoved(line_id, moment.now_ms, state.operator.id),)
        case DiscountLine(line_id, cut):
            line = _line(basket, line_id)
            if line.state is LineState.TO_PICK:
                raise NotNow("That line is not in hand yet.", hint="Scan the article first.", reason="to_pick")
            if sum(len(held.discounts) for held in basket.lines) >= LINE_DISCOUNTS_MAX:
                raise _too_many_discounts(LINE_DISCOUNTS_MAX)
            return (LineDiscounted(line_id, _discount(state.operator, cut, len(line.discounts), moment)),)
        case DiscountBasket(cut):
            return (BasketDiscounted(_discount(state.operator, cut, len(basket.discounts), moment)),)
        case AttachCustomer():
            return _attach(basket, command, moment)
        case DetachCustomer(offers):
            return _detach(basket, offers, moment)
        case LoadCart():
            return _load_cart(state.operator, basket, command, moment)
        case ReleaseCart():
            if basket.lease is None:
                raise NotNow("No online cart is loaded.", hint="Load one with F5.", reason="no_cart")
            return (CartReleased(basket.lease.cart),)
        case _:
            raise AssertionError(f"not about lines: {command}")


def refuse_overpaid(basket: Basket, events: tuple[Event, ...], moment: Moment) -> None:
    """Refuse a change that would leave less to pay than was paid already, or an amount beyond what a sale may have."""
    state = Register(basket=basket)
    for event in events:
        if type(event).__name__ != "BasketOpened":
            state = evolve(state, event)
    assert state.basket is not None
    totals = state.basket.totals(moment.market)
    if totals.total_minor < state.basket.settled_minor:
        raise NotNow("More than that is paid already.", hint="Give money back first.", reason="part_paid")
    gross = [line.gross_minor for line in state.basket.lines if line.discounts or line.state is LineState.TO_PICK]
    if max(totals.lines_minor, totals.total_minor, *gross) > AMOUNT_MINOR_MAX:
        raise OutOfBounds("That sale would be too large.", hint="Check the quantity.", reason="amount")


def _line(basket: Basket, line_id: str) -> Line:
    line = basket.line(line_id)
    if line is None:
        raise NotNow("That line is not in the basket any more.", hint="Choose a line and try again.", reason="line_gone")
    return line


def _room(basket: Basket, lines: int = 1) -> None:
    if len(basket.lines) + lines > LINES_MAX:
        raise OutOfBounds(f"A basket holds at most {LINES_MAX} lines.", hint="Take payment and begin another.", reason="lines", limit=LINES_MAX)


def _fitting(article_sold_by: SoldBy, quantity: Quantity) -> None:
    if (article_sold_by is SoldBy.KILOGRAM) != (quantity.unit is Unit.GRAM):
        by_weight = article_sold_by is SoldBy.KILOGRAM
        raise OutOfBounds(
            "Sold by weight." if by_weight else "Sold by the piece.",
            hint="Type the weight first, such as 0.412 kg." if by_weight else "Type a whole number.",
            reason="needs_weight" if by_weight else "needs_pieces",
        )


def priced(article: Article, offer: Offer, quantity: Quantity, *, id: str, position: int, operator: str) -> Line:
    """A line of an article at its offer."""
    price = offer.applied
    return Line(
        id=id, position=position, sku=article.sku, name=article.name, department=article.department, tax_class=article.tax_class, quantity=quantity,
        unit_price_minor=price.amount_minor, base_price_minor=offer.base.amount_minor, source=PriceSource.MEMBER if price is offer.member else PriceSource.BOOK,
        sold_by=article.sold_by, variant=article.variant, gtin=article.gtins[0] if article.gtins else "", book=price.book, version=price.version,
        operator=operator,
    )  # fmt: skip


def _add_article(operator: Operator, basket: Basket, command: AddArticle, moment: Moment) -> tuple[Event, ...]:
    article, quantity = command.article, command.quantity
    if command.price_minor is None:
        _fitting(article.sold_by, quantity)
    line = priced(article, command.offer, quantity, id=moment.new_id(), position=basket.positions + 1, operator=operator.id)
    line = replace(line, gtin=command.gtin or line.gtin, batch=command.batch, expiry=command.expiry, serial=command.serial)
    if command.price_minor is not None:
        line = replace(line, unit_price_minor=command.price_minor, base_price_minor=command.price_minor, source=PriceSource.CODE, sold_by=SoldBy.PIECE)
    wanted = next((held for held in basket.lines if held.state is LineState.TO_PICK and held.sku == article.sku), None)
    if wanted is not None and quantity.unit is Unit.PIECE and command.price_minor is None:
        return _pick(basket, wanted, line, moment)
    alike = next((held for held in basket.lines if held.mergeable and held.sku == article.sku and _same_price(held, line)), None)
    if alike is not None and line.mergeable and alike.quantity.amount + quantity.amount <= QUANTITY_PIECES_MAX:
        return (LineQuantityChanged(alike.id, Quantity(alike.quantity.amount + quantity.amount, Unit.PIECE)),)
    _room(basket)
    return (LineAdded(line),)


def _same_price(held: Line, line: Line) -> bool:
    return (held.unit_price_minor, held.source, held.gtin) == (line.unit_price_minor, line.source, line.gtin)


def _pick(basket: Basket, wanted: Line, line: Line, moment: Moment) -> tuple[Event, ...]:
    """The article in hand fulfils a line of the cart instead of doubling it; more than was wanted comes as a line of its own."""
    pieces = min(line.quantity.amount, wanted.quantity.amount)
    left = wanted.quantity.amount - pieces
    promised = wanted.unit_price_minor if wanted.source is PriceSource.ONLINE and wanted.unit_price_minor < line.unit_price_minor else None
    before = next((held for held in basket.in_hand if held.cart_line == wanted.cart_line), None)
    merged = before if before is not None and not (before.discounts or line.serial or line.batch) else None
    picked = replace(
        merged or line,
        quantity=Quantity(pieces + (merged.quantity.amount if merged else 0), Unit.PIECE),
        cart_line=wanted.cart_line,
        unit_price_minor=line.unit_price_minor if promised is None else promised,
        source=line.source if promised is None else PriceSource.ONLINE,
    )
    extra = line.quantity.amount - pieces
    _room(basket, 1 + (1 if extra else 0))
    events: tuple[Event, ...] = (LinePicked(wanted.id, picked, left),)
    if extra:
        events += (LineAdded(replace(line, id=moment.new_id(), position=max(basket.positions, picked.position) + 1, quantity=Quantity(extra, Unit.PIECE))),)
    return events


def _add_department(operator: Operator, basket: Basket, command: AddDepartment, moment: Moment) -> tuple[Event, ...]:
    if not operator.may(RIGHT_DEPARTMENT):
        raise NotAllowed(f"{operator.name} may not type a price.", hint="Ask a colleague who may to sign in.", reason="sale_department")
    if command.price_minor <= 0:
        raise OutOfBounds("A price is needed.", hint="Type the price.", reason="amount")
    _fitting(SoldBy.PIECE, command.quantity)
    _room(basket)
    gtin = gtin_code(command.code).gtin if command.code.isascii() and command.code.isdigit() and is_gtin(command.code) else ""
    line = Line(
        id=moment.new_id(), position=basket.positions + 1, sku="", name=masked_text(command.name) or command.department, department=command.department,
        tax_class=command.tax_class, quantity=command.quantity, unit_price_minor=command.price_minor, base_price_minor=command.price_minor,
        source=PriceSource.KEYED, gtin=gtin, operator=operator.id,
    )  # fmt: skip
    return (LineAdded(line),)


def _change_quantity(basket: Basket, line_id: str, quantity: Quantity) -> tuple[Event, ...]:
    line = _line(basket, line_id)
    if line.state is LineState.TO_PICK:
        raise NotNow("That line is not in hand yet.", hint="Scan the article first.", reason="to_pick")
    if line.serial and quantity.amount != 1:
        raise OutOfBounds("An article with a serial number is sold one by one.", hint="Scan the next one.", reason="serial")
    _fitting(line.sold_by, quantity)
    return (LineQuantityChanged(line_id, quantity),)


def _discount(operator: Operator, cut: Cut, already: int, moment: Moment) -> Discount:
    if not operator.may(RIGHT_DISCOUNT):
        raise NotAllowed(f"{operator.name} may not give discounts.", hint="Ask a colleague who may to sign in.", reason="sale_discount")
    if already >= DISCOUNTS_MAX:
        raise _too_many_discounts(DISCOUNTS_MAX)
    reason = masked_text(" ".join(cut.reason.split()))[:REASON_CHARS_MAX]
    if not reason:
        raise OutOfBounds("A discount needs a reason.", hint="Type why.", reason="reason")
    if (cut.percent_milli is None) == (cut.amount_minor is None):
        raise OutOfBounds("A discount is a share or an amount.", hint="Give one of the two.", reason="discount")
    if not (cut.percent_milli or cut.amount_minor):
        raise OutOfBounds("That takes nothing off.", hint="Type a share or an amount.", reason="discount")
    return Discount(moment.new_id(), reason, operator.id, cut.percent_milli or 0, cut.amount_minor or 0)


def _too_many_discounts(limit: int) -> OutOfBounds:
    return OutOfBounds(f"At most {limit} discounts.", hint="Take payment, or void.", reason="discounts", limit=limit)


def _attach(basket: Basket, command: AttachCustomer, moment: Moment) -> tuple[Event, ...]:
    customer = command.customer
    released: tuple[Event, ...] = ()
    if basket.lease is not None and basket.customer is not None and basket.customer.id != customer.id:
        released = (CartReleased(basket.lease.cart),)  # the cart is the first customer's, and stays theirs
        after = evolve(Register(basket=basket), released[0]).basket
        assert after is not None
        basket = after
    attached = CustomerAttached(AttachedCustomer(customer.id, customer.tier, customer.points, command.identified_by, customer.name))
    if basket.customer is not None and basket.customer.id == customer.id:
        return ()
    return (*released, attached, *_reprice(basket, command.offers, moment))


def _detach(basket: Basket, offers: Mapping[str, Offer], moment: Moment) -> tuple[Event, ...]:
    if basket.customer is None:
        raise NotNow("No customer is on this basket.", hint="Scan their card, or find them with F3.", reason="no_customer")
    return (CustomerDetached(basket.customer.id), *_reprice(basket, offers, moment))


def _reprice(basket: Basket, offers: Mapping[str, Offer], moment: Moment) -> tuple[Event, ...]:
    changes = tuple(
        Reprice(
            line.id,
            offers[line.sku].applied.amount_minor,
            offers[line.sku].base.amount_minor,
            PriceSource.MEMBER if offers[line.sku].applied is offers[line.sku].member else PriceSource.BOOK,
            offers[line.sku].applied.book,
            offers[line.sku].applied.version,
        )
        for line in basket.lines
        if line.sku in offers and line.source in (PriceSource.BOOK, PriceSource.MEMBER) and line.unit_price_minor != offers[line.sku].applied.amount_minor
    )
    if not changes:
        return ()
    before = basket.totals(moment.market).total_minor
    after = evolve(Register(basket=basket), LinesRepriced(changes, 0, 0)).basket
    assert after is not None
    return (LinesRepriced(changes, before, after.totals(moment.market).total_minor),)


def _load_cart(operator: Operator, basket: Basket, command: LoadCart, moment: Moment) -> tuple[Event, ...]:
    if basket.lease is not None:
        raise NotNow("An online cart is loaded already.", hint="Release it first (F5).", reason="cart_loaded")
    _room(basket, len(command.cart.lines))
    lines: list[Event] = []
    for wanted in command.cart.lines:
        if wanted.sku not in command.known or wanted.pieces <= 0:
            continue
        article, offer = command.known[wanted.sku]
        if article.sold_by is SoldBy.KILOGRAM:
            continue
        line = priced(
            article,
            offer,
            Quantity(min(wanted.pieces, QUANTITY_PIECES_MAX), Unit.PIECE),
            id=moment.new_id(),
            position=basket.positions + 1 + len(lines),
            operator=operator.id,
        )
        line = replace(line, state=LineState.TO_PICK, cart_line=wanted.line)
        if command.cart.currency == moment.market.currency and wanted.unit_price_minor < line.unit_price_minor:
            line = replace(line, unit_price_minor=wanted.unit_price_minor, source=PriceSource.ONLINE)
        lines.append(LineAdded(line))
    return (CartLoaded(command.lease), *lines)
