"""What central is told: completed business, built from the events of one decision and the state before it.

The shapes are ``sync/contract/schemas``; their words are those of ARTS/OMG POSLog where it has one. Money is integer minor units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from edge_agent.domain.basket import Basket, Discount, Line, RemovedLine, ReturnedCash
from edge_agent.domain.events import AttemptMoved, BasketVoided, Event, ReviewContradicted, ReviewEnded, SaleCompleted, ShiftClosed, ShiftOpened
from edge_agent.domain.register import Register, evolve
from edge_agent.domain.reviewed import Reviewed
from edge_agent.domain.sale import Sale
from edge_agent.domain.tender import OPEN, Attempt, AttemptKind, CardResult, Tender, TenderKind
from edge_agent.ports import FactDraft

SALE_COMPLETED = "retail.sale.completed.v1"
BASKET_VOIDED = "retail.basket.voided.v1"
PAYMENT_SETTLED = "retail.payment.settled.v1"
PAYMENT_CONTRADICTED = "retail.payment.contradicted.v1"
SHIFT_OPENED = "retail.shift.opened.v1"
SHIFT_CLOSED = "retail.shift.closed.v1"
VISIT_RECORDED = "retail.visit.recorded.v1"
REGISTER_STARTED = "retail.register.started.v1"

DESCRIPTION_CHARS_MAX = 120
"""Of longer names the beginning is told; the article's number says the rest."""

Json = dict[str, object]


class Origin(Struct, frozen=True):
    """Which register speaks, in which incarnation."""

    store: str
    register: str
    epoch: str
    currency: str


def facts_of(before: Register, events: Sequence[Event], origin: Origin, now_ms: int, new_id: Callable[[], str]) -> tuple[FactDraft, ...]:
    """The facts that ``events``, decided in state ``before``, make true."""
    drafts: list[FactDraft] = []
    state = before
    for event in events:
        after = evolve(state, event)
        drafts.extend(_facts_of_one(state, after, event, origin, now_ms, new_id))
        state = after
    return tuple(drafts)


def started(state: Register, origin: Origin, now_ms: int, fact_id: str, *, boot: str, version: str, clean_stop: bool) -> FactDraft:
    """The service came up; ``clean_stop`` is how it went down before."""
    data = {"bootId": boot, "version": version, "epoch": origin.epoch, "cleanStop": clean_stop}
    return FactDraft("ops", REGISTER_STARTED, fact_id, boot, now_ms, {**_common(state, origin, now_ms), **data})


def _facts_of_one(before: Register, after: Register, event: Event, origin: Origin, now_ms: int, new_id: Callable[[], str]) -> list[FactDraft]:
    def draft(stream: str, type: str, subject: str, data: Json, state: Register = before) -> FactDraft:
        return FactDraft(stream, type, new_id(), subject, now_ms, {**_common(state, origin, now_ms), **data})

    match event:
        case SaleCompleted(sale):
            facts = [draft("trade", SALE_COMPLETED, sale.id, sale_data(sale))]
            if sale.customer:
                visit: Json = {"operatorId": sale.operator, "customerId": sale.customer, "identifiedBy": sale.identified_by, "saleId": sale.id}
                facts.append(draft("people", VISIT_RECORDED, sale.id, visit))
            return facts
        case BasketVoided():
            assert before.basket is not None
            return [draft("trade", BASKET_VOIDED, event.basket, _voided(event, before.basket, origin))]
        case AttemptMoved(attempt, cause):
            settled = _settled_outside(before, attempt)
            if settled is None:
                return []
            data: Json = _settled(attempt, settled, cause)
            if attempt.operator and before.decided(attempt.id) is None:  # the terminal's word about what somebody began, who may have gone since
                data["operatorId"] = attempt.operator
            return [draft("trade", PAYMENT_SETTLED, attempt.id, data)]
        case ReviewContradicted(found):
            return [draft("trade", PAYMENT_CONTRADICTED, found.id, _contradicted(after.decided(found.id), ""))]
        case ReviewEnded(attempt=name, why="handled", note=note):
            return [draft("trade", PAYMENT_CONTRADICTED, name, _contradicted(before.decided(name), note))]
        case ShiftOpened(shift):
            data = {"floatMinor": shift.float_minor, "currencyCode": origin.currency}
            return [draft("trade", SHIFT_OPENED, shift.id, data, after)]
        case ShiftClosed(shift=shift_id):
            data = {"sales": event.sales, "expectedCashMinor": event.expected_cash_minor, "currencyCode": origin.currency}
            return [draft("trade", SHIFT_CLOSED, shift_id, data)]
        case _:
            return []


def _common(state: Register, origin: Origin, now_ms: int) -> Json:
    return {
        "retailStoreId": origin.store,
        "workstationId": origin.register,
        "businessDayDate": state.shift.business_day if state.shift else "",
        "shiftId": state.shift.id if state.shift else "",
        "operatorId": state.operator.id if state.operator else "",
        "atMs": now_ms,
    }


def _settled_outside(before: Register, attempt: Attempt) -> Basket | None:
    """The basket of an attempt that has just ended and is no plain answer at the counter: a void, or one settled late (by asking, or by a person)."""
    held = before.holding(attempt.id)
    if held is None or attempt.state in OPEN:
        return None
    basket, _, earlier = held
    late = earlier.state.value in ("unknown", "needs_review")
    return basket if late or attempt.kind is AttemptKind.VOID else None


def _settled(attempt: Attempt, basket: Basket, cause: str) -> Json:
    return {"transactionId": basket.id, "cause": cause, "attempt": {**_attempt(attempt), "currencyCode": attempt.currency, "card": _card(attempt)}}


def _contradicted(held: Reviewed | None, note: str) -> Json:
    """A decision of a person's that the terminal contradicts; with a ``note`` once somebody saw to it."""
    assert held is not None
    found = held.found
    assert found is not None, held.attempt.id
    return {
        "transactionId": held.transaction,
        "receiptCode": held.receipt,
        "moneyMoved": held.money_moved,
        "task": "give_back" if held.owed_minor > 0 else "collect" if held.owed_minor < 0 else "clarify",
        "amountMinor": abs(held.owed_minor) or found.amount_minor,
        "attempt": {**_attempt(found), "currencyCode": found.currency, "card": _card(found)},
        "decidedMs": held.at_ms,
        "handled": bool(note),
        "note": note,
    }


def _voided(event: BasketVoided, basket: Basket, origin: Origin) -> Json:
    return {
        "transactionId": event.basket,
        "reason": event.reason,
        "lines": event.lines,
        "amountMinor": event.amount_minor,
        "currencyCode": origin.currency,
        "attempts": _attempts(basket.tenders),
        "removedItems": _removed(basket.removed),
        "returnedCash": _returned(basket.returned),
    }


def sale_data(sale: Sale) -> Json:
    """The data of ``retail.sale.completed.v1``, without what every fact has."""
    totals = sale.totals
    return {
        "transactionId": sale.id,
        "sequenceNumber": sale.number,
        "receiptCode": sale.receipt,
        "businessDayDate": sale.business_day,
        "shiftId": sale.shift,
        "operatorId": sale.operator,
        "countryCode": sale.country,
        "currencyCode": sale.currency,
        "taxIncluded": sale.price_includes_tax,
        "channel": "store",
        "beginMs": sale.opened_ms,
        "endMs": sale.completed_ms,
        "customer": {"customerId": sale.customer, "tier": sale.customer_tier, "identifiedBy": sale.identified_by} if sale.customer else None,
        "cart": _cart(sale),
        "lineItems": [_line(line, share) for line, share in zip(sale.lines, totals.shares_minor, strict=True)],
        "modifiers": _modifiers("basket", sale.discounts, totals.basket_discounts_minor),
        "removedItems": _removed(sale.removed),
        "taxes": [
            {"taxClass": row.tax_class, "rateMilli": row.rate_milli, "label": row.label, "baseMinor": row.base_minor, "taxMinor": row.tax_minor}
            for row in totals.taxes
        ],
        "totals": {
            "linesMinor": totals.lines_minor,
            "modifiersMinor": -sum(totals.basket_discounts_minor),
            "taxMinor": totals.tax_minor,
            "totalMinor": totals.total_minor,
            "roundingMinor": sale.rounding_minor,
            "tenderedMinor": sum(_given(tender) for tender in sale.tenders if tender.settled_minor),
            "changeMinor": sale.change_minor,
        },
        "tenders": [_tender(tender) for tender in sale.tenders if tender.settled_minor],
        "attempts": _attempts(sale.tenders),
        "returnedCash": _returned(sale.returned),
    }


_UNIT = {"piece": "piece", "gram": "g"}


def _line(line: Line, share_minor: int) -> Json:
    return {
        "sequenceNumber": line.position,
        "lineId": line.id,
        "kind": "article" if line.sku else "department",
        "itemId": line.sku,
        "gtin": line.gtin,
        "description": line.name[:DESCRIPTION_CHARS_MAX],
        "variant": line.variant[:DESCRIPTION_CHARS_MAX],
        "department": line.department,
        "quantity": line.quantity.amount,
        "unit": _UNIT[line.quantity.unit.value],
        "soldBy": line.sold_by.value,
        "regularUnitPriceMinor": line.base_price_minor,
        "actualUnitPriceMinor": line.unit_price_minor,
        "priceSource": line.source.value,
        "priceBook": line.book,
        "priceVersion": line.version,
        "grossMinor": line.gross_minor,
        "modifiers": _modifiers("line", line.discounts, line.discounts_minor),
        "extendedAmountMinor": line.amount_minor,
        "shareMinor": share_minor,
        "taxClass": line.tax_class,
        "cartLine": line.cart_line,
        "batch": line.batch,
        "expiry": line.expiry,
        "serial": line.serial,
        "operatorId": line.operator,
        "labelled": {"quantity": line.holds.amount, "unit": _UNIT[line.holds.unit.value]} if line.holds else None,
    }


def _removed(lines: Sequence[RemovedLine]) -> list[Json]:
    return [
        {
            "itemId": gone.sku,
            "description": gone.name[:DESCRIPTION_CHARS_MAX],
            "quantity": gone.quantity.amount,
            "unit": _UNIT[gone.quantity.unit.value],
            "amountMinor": gone.amount_minor,
            "atMs": gone.at_ms,
            "operatorId": gone.operator,
        }
        for gone in lines
    ]


def _returned(cash: Sequence[ReturnedCash]) -> list[Json]:
    return [{"amountMinor": handed.amount_minor, "atMs": handed.at_ms, "operatorId": handed.operator} for handed in cash]


def _modifiers(scope: str, discounts: Sequence[Discount], taken: Sequence[int]) -> list[Json]:
    return [
        {
            "scope": scope,
            "reason": discount.reason,
            "operatorId": discount.operator,
            "percentMilli": discount.percent_milli,
            "amountMinor": -off,
        }
        for discount, off in zip(discounts, taken, strict=True)
    ]


def _cart(sale: Sale) -> Json | None:
    if sale.lease is None:
        return None
    sold = sale.cart_pieces_sold
    return {
        "cartId": sale.lease.cart,
        "version": sale.lease.version,
        "token": sale.lease.token,
        "leaseUntilMs": sale.lease.until_ms,
        "offlineCopy": not sale.lease.token,
        "soldLines": sorted(sale.cart_lines_sold),
        "soldPieces": [{"line": line, "pieces": sold[line]} for line in sorted(sale.cart_lines_sold)],
        "partlySold": [{"line": line, "pieces": sold[line]} for line in sorted(sale.cart_pieces_sold_in_part)],
        "leftLines": sorted(sale.cart_lines_left),
    }


def _tender(tender: Tender) -> Json:
    approved = tender.approved_attempt
    return {
        "tenderId": tender.id,
        "kind": tender.kind.value,
        "settledMinor": tender.settled_minor,
        "givenMinor": _given(tender),
        "changeMinor": tender.change_minor,
        "roundingMinor": tender.rounding_minor,
        "attemptId": approved.id if approved else "",
        "card": _card(approved) if approved else None,
    }


def _given(tender: Tender) -> int:
    """What was handed over: the notes and coins, or what the card was charged."""
    return tender.given_minor if tender.kind is TenderKind.CASH else tender.settled_minor


def _card(attempt: Attempt) -> Json:
    result: CardResult = attempt.result
    return {
        "providerRef": result.provider_ref,
        "approval": result.approval,
        "brand": result.brand,
        "lastFour": result.last_four,
        "entryMode": result.entry_mode,
        "verification": result.verification,
        "merchantAccount": result.merchant_account,
        "terminal": attempt.terminal,
        "wireRef": attempt.wire_ref,
        "offline": attempt.offline,
    }


def _attempts(tenders: Sequence[Tender]) -> list[Json]:
    return [_attempt(attempt) for tender in tenders for attempt in tender.attempts]


def _attempt(attempt: Attempt) -> Json:
    said = attempt.reported
    return {
        "attemptId": attempt.id,
        "tenderId": attempt.tender,
        "kind": attempt.kind.value,
        "state": attempt.state.value,
        "amountMinor": attempt.amount_minor,
        "approvedMinor": attempt.approved_minor,
        "wireRef": attempt.wire_ref,
        "terminal": attempt.terminal,
        "reason": attempt.reason,
        "startedMs": attempt.started_ms,
        **({} if said is None else {"reported": {"amountMinor": said.minor, "currencyCode": said.currency}}),
    }
