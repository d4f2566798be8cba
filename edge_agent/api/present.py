"""The register as a snapshot: a pure reading of the core's state into the API's views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, cast

from msgspec.structs import replace

from edge_agent.api.present_carts import articles_of, cart_view
from edge_agent.domain.basket import Basket, Discount, Line, Totals
from edge_agent.domain.cash import cash_due_minor, quick_amounts
from edge_agent.domain.catalogue import SoldBy
from edge_agent.domain.customer import Customer, IdentifierKind
from edge_agent.domain.errors import EdgeError
from edge_agent.domain.quantity import Quantity, Unit
from edge_agent.domain.sale import Sale
from edge_agent.domain.tender import OPEN, AttemptState, Tender, TenderKind
from edge_agent.formats import Formats
from edge_agent.ports import Notice
from edge_agent.service.asking import change_of
from edge_agent.service.checking import in_market
from edge_agent.service.core import Core
from edge_agent.service.desk import Desk
from edge_agent.service.paying import available
from edge_agent.service.printing import print_state
from edge_agent.views import (
    Amount,
    AsideView,
    AttemptView,
    BasketView,
    ComingView,
    CustomerView,
    DeviceView,
    DiscountView,
    LineView,
    LinkView,
    NoticeView,
    OpeningView,
    PaymentView,
    PriceView,
    QuestionView,
    RepriceView,
    SaleView,
    ShiftView,
    Snapshot,
    TalkView,
    TenderView,
)


class Presenter:
    """Makes snapshots; one per view number, cached. A line's picture is kept for as long as the line is the same value."""

    def __init__(self, core: Core, formats: Formats, devices: Callable[[], Sequence[DeviceView]], standing: Callable[[], Sequence[Notice]] = tuple) -> None:
        self._core = core
        self._formats = formats
        self._devices = devices
        self._standing = standing
        self._cached: Snapshot | None = None
        self._drawn: dict[str, tuple[Line, LineView]] = {}

    def amount(self, minor: int) -> Amount:
        """An amount with its text."""
        return Amount(minor, self._formats.amount(minor))

    def snapshot(self) -> Snapshot:
        """The register now: the picture of its view, with the time at which it is asked for, and without a notice whose time is over."""
        if self._cached is None or self._cached.view != self._core.view:
            self._cached = self._snapshot()
        now, notice = self._core.ports.clock.now_ms(), self._cached.notice
        return replace(self._cached, at_ms=now, notice=notice if notice is not None and now < notice.until_ms else self._stands())

    def _stands(self) -> NoticeView | None:
        """What stands until somebody saw to it, when there is nothing else to say; the oldest first."""
        return next((notice_view(notice) for notice in self._standing()), None)

    def _snapshot(self) -> Snapshot:
        core, state, desk, shop = self._core, self._core.state, self._core.desk, self._core.shop
        basket = state.basket
        totals = basket.totals(shop.market) if basket else None
        return Snapshot(
            boot=core.boot,
            view=core.view,
            at_ms=core.ports.clock.now_ms(),
            phase=self._phase(),
            store=shop.store_name,
            register=shop.register,
            country=shop.market.country,
            currency=shop.market.currency,
            timezone=shop.market.timezone,
            link=link_view(desk, core.ports.clock.now_ms()),
            devices=list(self._devices()),
            shift=self._shift(),
            opening=self._opening(),
            basket=self._basket(basket, totals) if basket and totals else None,
            customer=self._customer(desk.customer) if desk.customer else None,
            payment=self._payment(basket, totals) if basket and totals else None,
            suspended=[self._aside(held, "suspended") for held in state.suspended],
            parked=[self._aside(held, "parked") for held in state.parked],
            last_sale=self.sale(desk.last_sale) if desk.last_sale else None,
            notice=notice_view(desk.notice) if desk.notice else None,
            question=self._question(),
            price_check=self._price_check(),
            repriced=RepriceView(*(self.amount(minor) for minor in desk.repriced)) if desk.repriced else None,
            next_quantity=Quantity.parse(desk.next_quantity).shown(self._formats.decimal) if desk.next_quantity else "",
            next_is_check=desk.next_is_check,
            stopped=error_view(desk.stopped, core.ports.clock.now_ms()) if desk.stopped else None,
            digits=shop.market.digits,
            decimal=self._formats.decimal,
            group=self._formats.group,
            tender_kinds=[method.kind.value for method in core.ports.methods],
        )

    def _phase(self) -> Literal["closed", "ready", "selling", "paying", "stopped"]:
        state = self._core.state
        if self._core.desk.stopped is not None:
            return "stopped"
        if state.shift is None:
            return "closed"
        if state.basket is None:
            return "ready"
        return "paying" if state.basket.open_attempt else "selling"

    def _opening(self) -> OpeningView | None:
        opening = self._core.desk.opening
        return OpeningView(opening.badge, opening.operator.name) if opening is not None else None

    def _shift(self) -> ShiftView | None:
        shift, operator = self._core.state.shift, self._core.state.operator
        if shift is None or operator is None:
            return None
        return ShiftView(shift.business_day, shift.opened_ms, operator.name, operator.id, sorted(operator.rights), self._core.state.shift_sales)

    # --- the basket ----------------------------------------------------------------------------------------------------------

    def _basket(self, basket: Basket, totals: Totals) -> BasketView:
        lost = basket.lease.lost if basket.lease else None
        return BasketView(
            id=basket.id,
            lines=self._lines(basket),
            articles=articles_of(basket.in_hand),
            to_pick=articles_of(basket.to_pick),
            discounts=self._discounts(basket.discounts, totals.basket_discounts_minor),
            subtotal=self.amount(totals.lines_minor),
            tax=self.amount(totals.tax_minor),
            tax_included=self._core.shop.market.price_includes_tax,
            total=self.amount(totals.total_minor),
            changed=basket.changed,
            locked=basket.open_attempt is not None,
            cart=basket.lease.cart if basket.lease else "",
            cart_lost=cast("Literal['']", lost.why if lost else ""),
            cart_holder=lost.holder if lost else "",
        )

    def _lines(self, basket: Basket) -> list[LineView]:
        before = self._drawn
        self._drawn = {line.id: before[line.id] if line.id in before and before[line.id][0] is line else (line, self._line(line)) for line in basket.lines}
        return [view for _, view in self._drawn.values()]

    def _line(self, line: Line) -> LineView:
        weighed = line.quantity.unit is Unit.GRAM
        many = weighed or line.quantity.amount != 1
        return LineView(
            id=line.id,
            position=line.position,
            name=line.name,
            variant=line.variant,
            sku=line.sku,
            quantity=line.quantity.shown(decimal=self._formats.decimal) if many else "",
            unit_price=self.amount(line.unit_price_minor),
            base_price=self.amount(line.base_price_minor),
            amount=self.amount(line.amount_minor),
            gross=self.amount(line.gross_minor),
            state=line.state.value,
            source=line.source.value,
            pieces=0 if weighed else line.quantity.amount,
            discounts=self._discounts(line.discounts, line.discounts_minor),
            batch=line.batch,
            expiry=line.expiry,
            serial=line.serial,
            from_cart=bool(line.cart_line),
            label=line.holds.shown(decimal=self._formats.decimal) if line.holds else "",
        )

    def _discounts(self, discounts: Sequence[Discount], taken: Sequence[int]) -> list[DiscountView]:
        return [
            DiscountView(discount.id, discount.reason, self.amount(-off), self._formats.percent(discount.percent_milli) if discount.percent_milli else "")
            for discount, off in zip(discounts, taken, strict=True)
        ]

    def _aside(self, basket: Basket, kind: Literal["suspended", "parked"]) -> AsideView:
        customer = self._core.ports.people.customer(basket.customer.id) if basket.customer else None
        attempt = basket.open_attempt
        return AsideView(
            id=basket.id,
            label=basket.label,
            articles=articles_of(basket.in_hand),
            total=self.amount(basket.totals(self._core.shop.market).total_minor),
            at_ms=basket.set_aside_ms,
            kind="unpaid" if kind == "parked" and attempt is None else kind,
            customer=customer.name if customer else "",
            attempt=attempt.state.value if attempt else "",
            review_ms=self._core.desk.review_at_ms.get(attempt.id, 0) if attempt else 0,
            paid=self.amount(basket.settled_minor) if basket.settled_minor else None,
            cart=basket.lease.cart if basket.lease else "",
            to_pick=articles_of(basket.to_pick),
        )

    # --- money ---------------------------------------------------------------------------------------------------------------

    def _payment(self, basket: Basket, totals: Totals) -> PaymentView:
        market, paid = self._core.shop.market, basket.settled_minor
        rest = totals.total_minor - paid
        return PaymentView(
            rest=self.amount(rest),
            paid=self.amount(paid),
            cash_due=self.amount(cash_due_minor(rest, market)),
            quick=[self.amount(minor) for minor in quick_amounts(rest, market)],
            tenders=[self._tender(tender) for tender in basket.tenders],
            methods=available(list(self._core.ports.methods)),
            attempt=self._attempt(basket),
        )

    def _tender(self, tender: Tender) -> TenderView:
        last = tender.attempts[-1] if tender.attempts else None
        undone = [attempt.approved_minor for attempt in tender.attempts if attempt.state is AttemptState.VOIDED]
        state: Literal["settled", "open", "failed", "voided"] = "failed"
        if tender.open_attempt:
            state = "open"
        elif tender.settled_minor:
            state = "settled"
        elif undone:
            state = "voided"
        approved = tender.approved_attempt
        detail = f"{approved.result.brand} **** {approved.result.last_four}".strip() if approved and approved.result.last_four else ""
        kind: Literal["cash", "card"] = "cash" if tender.kind is TenderKind.CASH else "card"
        minor = tender.settled_minor or (sum(undone) if undone else tender.amount_minor)
        return TenderView(tender.id, kind, state, self.amount(minor), detail, last.reason if last else "")

    def _attempt(self, basket: Basket) -> AttemptView | None:
        attempt = basket.open_attempt
        if attempt is None:
            return None
        unclear = attempt.state in (AttemptState.UNKNOWN, AttemptState.NEEDS_REVIEW)
        return AttemptView(
            id=attempt.id,
            tender=attempt.tender,
            kind=attempt.kind.value,
            state=attempt.state.value,
            step=self._core.desk.steps.get(attempt.id, ""),
            terminal=attempt.terminal,
            amount=self.amount(attempt.amount_minor),
            since_ms=attempt.started_ms,
            can_cancel=not unclear and attempt.state is not AttemptState.ABORTING and attempt.state in OPEN,
            can_park=unclear,
            reason=attempt.reason,
            review_ms=self._core.desk.review_at_ms.get(attempt.id, 0),
            reported=in_market(attempt.reported, self._core.shop.market, self._formats.amount) if attempt.reported is not None else "",
        )

    def sale(self, sale: Sale) -> SaleView:
        """A completed sale for a list."""
        customer = self._core.ports.people.customer(sale.customer) if sale.customer else None
        return SaleView(
            id=sale.id,
            receipt=sale.receipt,
            at_ms=sale.completed_ms,
            total=self.amount(sale.totals.total_minor),
            paid=self.amount(sale.totals.total_minor + sale.rounding_minor),
            change=self.amount(sale.change_minor),
            articles=articles_of(sale.lines),
            tenders=[tender.kind.value for tender in sale.tenders if tender.settled_minor or tender.kind is TenderKind.CASH],
            customer=customer.name if customer else "",
            print_state=cast("Literal['none']", print_state(self._core, sale.id)),
            past=self._core.state.last_sale is None or self._core.state.last_sale.past or sale.id != self._core.state.last_sale.id,
            left_online=articles_of(sale.left_online) if sale.rest_is_online else 0,
        )

    # --- the customer --------------------------------------------------------------------------------------------------------

    def _customer(self, customer: Customer) -> CustomerView:
        kinds = {identifier.kind for identifier in customer.identifiers}
        return CustomerView(
            id=customer.id,
            name=customer.name,
            tier=customer.tier,
            points=customer.points,
            visits=customer.visits,
            last_visit_ms=customer.last_visit_ms,
            language=customer.language,
            sizes=list(customer.sizes),
            birthday=customer.birthday,
            has_email=IdentifierKind.EMAIL in kinds,
            has_phone=IdentifierKind.PHONE in kinds,
            goes_with=list(customer.goes_with),
            as_of_ms=customer.as_of_ms,
            fresh=self._core.desk.customer_fresh,
            unanswered=self._core.desk.unanswered,
            private_notes=len(customer.notes),
            talk=TalkView(customer.talk.channel, customer.talk.at_ms, customer.talk.text, customer.talk.promised) if customer.talk else None,
            cart=cart_view(self._core, self.amount, customer.id),
        )

    # --- the rest ------------------------------------------------------------------------------------------------------------

    def _question(self) -> QuestionView | None:
        question = self._core.desk.question
        if question is None:
            return None
        change = change_of(self._core, question)
        total = RepriceView(self.amount(change.before_minor), self.amount(change.after_minor)) if change else None
        return QuestionView(question.id, question.key, question.shown, list(question.answers), question.text, total, change.leaves_pieces if change else 0)

    def _price_check(self) -> PriceView | None:
        check = self._core.desk.price_check
        if check is None:
            return None
        member = self.amount(check.member_minor) if check.member_minor is not None else None
        label = self.amount(check.label_minor) if check.label_minor is not None else None
        quantity = check.label.shown(decimal=self._formats.decimal) if check.label is not None else ""
        base = self.amount(check.base_minor)
        return PriceView(check.sku, check.name, check.variant, base, "kg" if check.by_weight else "piece", member, check.code, label, quantity)


def per(sold_by: SoldBy) -> Literal["piece", "kg"]:
    """What a price is for."""
    return "kg" if sold_by is SoldBy.KILOGRAM else "piece"


def notice_view(notice: Notice) -> NoticeView:
    """A notice for the screen."""
    return NoticeView(notice.key, cast("Literal['info']", notice.level), notice.text, notice.hint, dict(notice.shown), notice.at_ms, notice.until_ms)


def error_view(error: EdgeError, at_ms: int) -> NoticeView:
    """An expected failure for the screen."""
    return NoticeView(error.key, "bad", error.message, error.hint, error.args_shown, at_ms)


def link_view(desk: Desk, now_ms: int) -> LinkView:
    """How the register stands with central."""
    report, coming = desk.link, [ComingView(one.feed, one.rows, one.rows_total) for one in desk.coming.values()]
    if report is None:
        return LinkView("alone", now_ms, 0, coming=coming)
    waiting, reason, detail, hint = report.waiting, report.reason, report.detail, report.hint
    return LinkView(report.link.value, report.since_ms, waiting, reason, detail, hint, report.quarantined, report.withheld, coming)
