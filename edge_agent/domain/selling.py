"""How goods, discounts, customers and carts get into a basket: the part of ``decide`` about lines."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec.structs import replace

from edge_agent.domain.basket import (
    DISCOUNTS_MAX,
    LINE_DISCOUNTS_MAX,
    REASON_CHARS_MAX,
    REMOVED_MAX,
    AttachedCustomer,
    Basket,
    Discount,
    Line,
    LineState,
    PriceSource,
    all_in_hand,
)  # fmt: skip
from edge_agent.domain.card_data import masked_text
from edge_agent.domain.catalogue import Offer, SoldBy
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
    RemoveDiscount,
    RemoveLine,
)  # fmt: skip
from edge_agent.domain.errors import NotAllowed, NotNow, OutOfBounds
from edge_agent.domain.events import (
    BasketDiscounted,
    CartReleased,
    CustomerAttached,
    CustomerDetached,
    CustomerForgotten,
    DiscountRemoved,
    Event,
    LineAdded,
    LineDiscounted,
    LineQuantityChanged,
    LineRemoved,
    LinesRepriced,
)  # fmt: skip
from edge_agent.domain.gtin import gtin_code, is_gtin
from edge_agent.domain.money import AMOUNT_MINOR_MAX
from edge_agent.domain.picking import load_cart, pick, put_back, require_cart_here, wanted_of
from edge_agent.domain.pricing import labelled, offered, priced, repriced
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
        case ChangeQuantity():
            return _change_quantity(state.operator, basket, command, moment)
        case RemoveLine(line_id):
            return _remove(state.operator, basket, line_id, moment)
        case DiscountLine(line_id, cut):
            line = _line(basket, line_id)
            if line.state is LineState.TO_PICK:
                raise NotNow("That line is not in hand yet.", hint="Scan the article first.", reason="to_pick")
            if sum(len(held.discounts) for held in basket.lines) >= LINE_DISCOUNTS_MAX:
                raise _too_many_discounts(LINE_DISCOUNTS_MAX)
            return (LineDiscounted(line_id, _discount(state.operator, cut, len(line.discounts), line.amount_minor, moment)),)
        case DiscountBasket(cut):
            totals = basket.totals(moment.market)
            left = totals.lines_minor - sum(totals.basket_discounts_minor)
            discount = _discount(state.operator, cut, len(basket.discounts), left, moment)
            whole = replace(basket, lines=all_in_hand(basket.lines)).totals(moment.market)
            granted = discount.off(whole.lines_minor - sum(whole.basket_discounts_minor)) if discount.percent_milli else None
            return (BasketDiscounted(replace(discount, upto=basket.positions if basket.in_hand else 0, granted_minor=granted)),)
        case RemoveDiscount(discount):
            return (_discount_removed(state.operator, basket, discount, moment),)
        case AttachCustomer():
            return _attach(state.operator, basket, command, moment)
        case DetachCustomer(offers):
            return _detach(state.operator, basket, offers, moment)
        case LoadCart(cart):
            require_cart_here(state, cart.id, moment.market.timezone)
            return load_cart(state.operator, basket, command, moment)
        case ReleaseCart(offers):
            if basket.lease is None:
                raise NotNow("No online cart is loaded.", hint="Load one with F5.", reason="no_cart")
            return _with_prices(state.operator, basket, (CartReleased(basket.lease.cart),), offers, moment)
        case _:
            raise AssertionError(f"not about lines: {command}")


def refuse_overpaid(after: Basket, moment: Moment, customer: str = "") -> None:
    """Refuse a change that would leave less to pay than was paid already, or an amount beyond what a sale may have. ``after`` is the basket with the
    change, ``customer`` who would come by it."""
    totals = after.totals(moment.market)
    if totals.total_minor < after.settled_minor and customer:
        hint = "Give that back first, or complete the sale without them."
        raise NotNow(f"{customer} was not put on this sale: part of it is paid already.", hint=hint, reason="customer_part_paid", customer=customer)
    if totals.total_minor < after.settled_minor:
        raise NotNow("More than that is paid already.", hint="Give money back first.", reason="part_paid")
    gross = [line.gross_minor for line in after.lines if line.discounts or line.state is LineState.TO_PICK]
    if max(totals.lines_minor, totals.total_minor, *gross) > AMOUNT_MINOR_MAX:
        raise OutOfBounds("That sale would be too large.", hint="Check the quantity.", reason="amount")


def refuse_more_off(operator: Operator, basket: Basket, after: Basket, moment: Moment) -> None:
    """Refuse goods on which a discount of the whole basket would take off more than was granted, unless by who may give it."""
    if operator.may(RIGHT_DISCOUNT) or all(discount.granted_minor is None for discount in basket.discounts):
        return
    taken = zip(after.discounts, after.totals(moment.market).basket_discounts_minor, basket.totals(moment.market).basket_discounts_minor, strict=True)
    if any(discount.granted_minor is not None and now > max(before, discount.granted_minor) for discount, now, before in taken):
        hint = "Sell it in a basket of its own, or ask a colleague who may to sign in."
        raise NotAllowed(f"{operator.name} may not sell more under the basket's discount.", hint=hint, reason="more_discounted")


def changed(basket: Basket, events: tuple[Event, ...]) -> Basket:
    """The basket after ``events``."""
    state = Register(basket=basket)
    for event in events:
        if type(event).__name__ != "BasketOpened":
            state = evolve(state, event)
    assert state.basket is not None
    return state.basket


def _line(basket: Basket, line_id: str) -> Line:
    line = basket.line(line_id)
    if line is None:
        raise NotNow("That line is not in the basket any more.", hint="Choose a line and try again.", reason="line_gone")
    return line


def _fitting(article_sold_by: SoldBy, quantity: Quantity) -> None:
    if (article_sold_by is SoldBy.KILOGRAM) != (quantity.unit is Unit.GRAM):
        by_weight = article_sold_by is SoldBy.KILOGRAM
        raise OutOfBounds(
            "Sold by weight." if by_weight else "Sold by the piece.",
            hint="Type the weight first, such as 0.412 kg." if by_weight else "Type a whole number.",
            reason="needs_weight" if by_weight else "needs_pieces",
        )


def _add_article(operator: Operator, basket: Basket, command: AddArticle, moment: Moment) -> tuple[Event, ...]:
    article, quantity = command.article, command.quantity
    if command.price_minor is None:
        _fitting(article.sold_by, quantity)
    line = priced(article, command.offer, quantity, id=moment.new_id(), position=basket.positions + 1, operator=operator.id)
    line = replace(line, gtin=command.gtin or line.gtin, batch=command.batch, expiry=command.expiry, serial=command.serial)
    if line.serial:
        _one_of_a_kind(basket, line, command.labels)
    if command.price_minor is not None:
        line = _by_label(operator, line, command, command.price_minor)
    if quantity.unit is Unit.PIECE and command.price_minor is None and wanted_of(basket, article.sku) is not None:
        return pick(basket, line, moment)
    return _joined(basket, line)


def _joined(basket: Basket, line: Line) -> tuple[Event, ...]:
    """More of a line that is there already, where nothing tells them apart; else a line of its own."""
    alike = next((held for held in basket.lines if line.joins(held)), None)
    if alike is not None and alike.quantity.amount + line.quantity.amount <= QUANTITY_PIECES_MAX:
        return (LineQuantityChanged(alike.id, Quantity(alike.quantity.amount + line.quantity.amount, Unit.PIECE)),)
    basket.require_room()
    return (LineAdded(line),)


def _one_of_a_kind(basket: Basket, line: Line, labels: int) -> None:
    """A serial number is one piece of its article (GS1 General Specifications, AI 21), and one piece is sold once."""
    _refuse_several(line.serial, line.quantity)
    _refuse_several(line.serial, Quantity(labels, Unit.PIECE))
    if any((held.gtin, held.sku, held.serial) == (line.gtin, line.sku, line.serial) for held in basket.lines):
        raise NotNow("The piece with this serial number is in the basket already.", hint="Scan the next one.", reason="serial_twice")


def _refuse_several(serial: str, quantity: Quantity) -> None:
    if serial and quantity.unit is Unit.PIECE and quantity.amount != 1:
        hint = "Scan each one, without a number before *."
        raise OutOfBounds("An article with a serial number is sold one by one.", hint=hint, reason="serial")


def _by_label(operator: Operator, line: Line, command: AddArticle, price_minor: int) -> Line:
    """The line at the price that its code carries. Typed, that is a typed price, and takes the right for one; below the book's price for the same goods
    it is a discount, takes the right for that, and keeps the book's price beside it. (The scale's own labels are the shop's.)"""
    if command.keyed and not operator.may(RIGHT_DEPARTMENT):
        raise _no_typed_price(operator)
    sold, below = labelled(line, price_minor, command.labels, own=not command.gtin)
    if below and not operator.may(RIGHT_DISCOUNT):
        hint = "Find it with F4 to sell it at its own price, or ask a colleague who may to sign in."
        raise NotAllowed("The label is below this article's price.", hint=hint, reason="label_price")
    return replace(sold, granted=(*((RIGHT_DEPARTMENT,) if command.keyed else ()), *((RIGHT_DISCOUNT,) if below else ())))


def _no_typed_price(operator: Operator) -> NotAllowed:
    return NotAllowed(f"{operator.name} may not type a price.", hint="Ask a colleague who may to sign in.", reason="sale_department")


def _add_department(operator: Operator, basket: Basket, command: AddDepartment, moment: Moment) -> tuple[Event, ...]:
    if not operator.may(RIGHT_DEPARTMENT):
        raise _no_typed_price(operator)
    if command.price_minor <= 0:
        raise OutOfBounds("A price is needed.", hint="Type the price.", reason="amount")
    _fitting(SoldBy.PIECE, command.quantity)
    basket.require_room()
    gtin = gtin_code(command.code).gtin if command.code.isascii() and command.code.isdigit() and is_gtin(command.code) else ""
    line = Line(
        id=moment.new_id(), position=basket.positions + 1, sku="", name=masked_text(command.name) or command.department, department=command.department,
        tax_class=command.tax_class, quantity=command.quantity, unit_price_minor=command.price_minor, base_price_minor=command.price_minor,
        source=PriceSource.KEYED, gtin=gtin, operator=operator.id, granted=(RIGHT_DEPARTMENT,),
    )  # fmt: skip
    return (LineAdded(line),)


def _change_quantity(operator: Operator, basket: Basket, command: ChangeQuantity, moment: Moment) -> tuple[Event, ...]:
    line, quantity = _line(basket, command.line), command.quantity
    if line.state is LineState.TO_PICK:
        raise NotNow("That line is not in hand yet.", hint="Scan the article first.", reason="to_pick")
    _refuse_several(line.serial, quantity)
    _fitting(line.sold_by, quantity)
    more = quantity.amount - line.quantity.amount
    if line.cart_line and more > 0:
        return _more_picked(operator, basket, line, more, command.offer, moment)
    if more > 0:
        _granted_again(operator, line)
    again = put_back(basket, line, -more, moment)
    if any(isinstance(event, LineAdded) for event in again):
        basket.require_room()
    return (*again, LineQuantityChanged(line.id, quantity))


def _granted_again(operator: Operator, line: Line) -> None:
    """What took a right for so many pieces takes it for more of them."""
    if not all(operator.may(right) for right in (*line.granted, *((RIGHT_DISCOUNT,) if line.discounts else ()))):
        hint = "Scan the others at their own price, or ask a colleague who may to sign in."
        raise NotAllowed(f"{operator.name} may not sell more at this price.", hint=hint, reason="more_granted")


def _more_picked(operator: Operator, basket: Basket, line: Line, more: int, offer: Offer | None, moment: Moment) -> tuple[Event, ...]:
    """As if so many more pieces had been scanned: the cart's as far as it wants them, and beyond that at their own price."""
    own = offered(line, offer)
    extra = replace(
        line, id=moment.new_id(), position=basket.positions + 1, quantity=Quantity(more, Unit.PIECE), discounts=(), cart_line="", cart_pieces=0,
        operator=operator.id, unit_price_minor=own.unit_price_minor, base_price_minor=own.base_price_minor, source=own.source, book=own.book,
        version=own.version,
    )  # fmt: skip
    return pick(basket, extra, moment) if wanted_of(basket, line.sku) is not None else _joined(basket, extra)


def _remove(operator: Operator, basket: Basket, line_id: str, moment: Moment) -> tuple[Event, ...]:
    line = _line(basket, line_id)
    if len(basket.removed) >= REMOVED_MAX:
        raise OutOfBounds(f"{REMOVED_MAX} lines were taken out already.", hint="Void the basket and begin again.", reason="removed", limit=REMOVED_MAX)
    gone = LineRemoved(line_id, moment.now_ms, operator.id)
    if line.state is LineState.TO_PICK:
        return (gone,)
    events = (*put_back(basket, line, line.quantity.amount, moment), gone)
    return (*events, *_discounts_gone(operator, changed(basket, events), moment))


def _discounts_gone(operator: Operator, basket: Basket, moment: Moment) -> list[Event]:
    """The basket's discounts none of whose goods are in hand any more: they are not for what comes after."""
    first = min((line.position for line in basket.in_hand), default=None)
    gone = [discount for discount in basket.discounts if first is None or 0 < discount.upto < first]
    return [DiscountRemoved("", discount.id, moment.now_ms, operator.id) for discount in gone]


def _require_discounts(operator: Operator) -> None:
    if not operator.may(RIGHT_DISCOUNT):
        raise NotAllowed(f"{operator.name} may not give discounts.", hint="Ask a colleague who may to sign in.", reason="sale_discount")


def _discount_removed(operator: Operator, basket: Basket, discount_id: str, moment: Moment) -> DiscountRemoved:
    _require_discounts(operator)
    for line_id, discounts in (("", basket.discounts), *((line.id, line.discounts) for line in basket.lines)):
        if any(discount.id == discount_id for discount in discounts):
            return DiscountRemoved(line_id, discount_id, moment.now_ms, operator.id)
    raise NotNow("That discount is not in the basket any more.", hint="Look at the basket.", reason="discount_gone")


def _discount(operator: Operator, cut: Cut, already: int, left_minor: int, moment: Moment) -> Discount:
    """The discount that ``cut`` asks for, on goods of which ``left_minor`` is still to pay."""
    _require_discounts(operator)
    if already >= DISCOUNTS_MAX:
        raise _too_many_discounts(DISCOUNTS_MAX)
    reason = masked_text(" ".join(cut.reason.split()))[:REASON_CHARS_MAX]
    if not reason:
        raise OutOfBounds("A discount needs a reason.", hint="Type why.", reason="reason")
    if (cut.percent_milli is None) == (cut.amount_minor is None):
        raise OutOfBounds("A discount is a share or an amount.", hint="Give one of the two.", reason="discount")
    if not (cut.percent_milli or cut.amount_minor):
        raise OutOfBounds("That takes nothing off.", hint="Type a share or an amount.", reason="discount")
    if (cut.amount_minor or 0) > left_minor:
        raise OutOfBounds("The discount is larger than the amount.", hint="Type a smaller amount.", reason="discount_too_large", most_minor=left_minor)
    return Discount(moment.new_id(), reason, operator.id, cut.percent_milli or 0, cut.amount_minor or 0)


def _too_many_discounts(limit: int) -> OutOfBounds:
    return OutOfBounds(f"At most {limit} discounts.", hint="Take payment, or void.", reason="discounts", limit=limit)


def _attach(operator: Operator, basket: Basket, command: AttachCustomer, moment: Moment) -> tuple[Event, ...]:
    customer = command.customer
    if basket.customer is not None and basket.customer.id == customer.id:
        return ()
    attached = CustomerAttached(AttachedCustomer(customer.id, customer.tier, customer.points, command.identified_by, customer.name))
    return _with_prices(operator, basket, (*_cart_let_go(basket), attached), command.offers, moment)


def _detach(operator: Operator, basket: Basket, offers: Mapping[str, Offer], moment: Moment) -> tuple[Event, ...]:
    if basket.customer is None:
        raise NotNow("No customer is on this basket.", hint="Scan their card, or find them with F3.", reason="no_customer")
    return _with_prices(operator, basket, (*_cart_let_go(basket), CustomerDetached(basket.customer.id)), offers, moment)


def forget(state: Register, customers: Collection[str], moment: Moment) -> tuple[Event, ...]:
    """No basket here is one of ``customers``' any more. The open one loses their prices and their cart, as when they are detached at the counter.

    One with a payment or set aside costs what was said: nobody is asked for more behind their back, least of all after money was taken.
    """
    events: list[Event] = []
    for basket in state.baskets:
        if basket.customer is None or basket.customer.id not in customers:
            continue
        detached = basket is state.basket and not basket.tenders
        events += _forgotten_here(state.operator, basket, moment) if detached else (CustomerForgotten(basket.id),)
    return tuple(events)


def _forgotten_here(operator: Operator | None, basket: Basket, moment: Moment) -> tuple[Event, ...]:
    assert operator is not None
    events = _detach(operator, basket, {}, moment)
    try:
        refuse_overpaid(changed(basket, events), moment)
    except OutOfBounds:  # at everybody's price it would be more than a sale may be
        return (CustomerForgotten(basket.id),)
    return events


def _cart_let_go(basket: Basket) -> tuple[Event, ...]:
    """The cart of a customer who goes is theirs, and stays theirs."""
    return (CartReleased(basket.lease.cart),) if basket.lease is not None and basket.customer is not None else ()


def _with_prices(operator: Operator, basket: Basket, events: tuple[Event, ...], offers: Mapping[str, Offer], moment: Moment) -> tuple[Event, ...]:
    """``events``, by which a customer or a cart comes or goes, and what the lines cost then."""
    after = changed(basket, events)
    changes = repriced(basket, after, offers, granted=operator.may(RIGHT_DISCOUNT))
    if not changes:
        return events
    total_minor = changed(after, (LinesRepriced(changes, 0, 0),)).totals(moment.market).total_minor
    return (*events, LinesRepriced(changes, basket.totals(moment.market).total_minor, total_minor))
