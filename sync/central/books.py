"""The books that are made of facts, in the transaction that stores them: sales, lines, tenders, taxes, attempts, voids, shifts, visits, and the online cart."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sync.central import feeds
from sync.central.carts import sold_in_store, sold_of
from sync.central.checks import wrong
from sync.central.intake import Arrival
from sync.central.places import Place, note_withheld, withheld_places
from sync.central.registers import Who
from sync.central.storage import Db
from sync.central.writer import Transaction
from sync.contract.facts import (
    Attempt,
    BasketVoided,
    FactWithheld,
    PaymentSettled,
    SaleCompleted,
    ShiftClosed,
    ShiftOpened,
    VisitRecorded,
)
from sync.contract.messages import Problem


def enter(transaction: Transaction, who: Who, chain: int, facts: Sequence[Arrival]) -> dict[int, Problem]:
    """Enter the facts that are in order; answers the sales that are not, because their id, receipt number or receipt code was used before, by number."""
    db = transaction.db
    numbered = [(fact.number, fact.data) for fact in facts if isinstance(fact.data, SaleCompleted)]
    problems = _used_before(db, chain, numbered) if numbered else {}
    sales = [(number, sale) for number, sale in numbered if number not in problems]
    if sales:
        _enter_sales(db, chain, sales)
        for _, sale in sales:
            if sale.cart is not None:
                sold_in_store(transaction, who.source, sale.transaction_id, sold_of(sale.cart))
    for fact in facts:
        match fact.data:
            case BasketVoided() as void:
                _enter_void(db, chain, void)
            case FactWithheld() as withheld:
                note_withheld(db, who.source, (who.epoch, fact.number), withheld.fact_id)
            case ShiftOpened() | ShiftClosed() as shift:
                _enter_shift(db, who.source, chain, shift)
            case VisitRecorded() as visit:
                _enter_visit(transaction, chain, fact.number, visit)
            case _:
                pass
    _enter_attempts(db, who, chain, [fact for fact in facts if fact.number not in problems])
    return problems


def _used_before(db: Db, chain: int, sales: Sequence[tuple[int, SaleCompleted]]) -> dict[int, Problem]:
    """The sales whose id, or whose receipt number or code within this register's epoch, is not new.

    A new epoch may begin its receipts again; POSLog's own key has the business day for that.
    """
    ids = msgspec.json.encode([sale.transaction_id for _, sale in sales]).decode()
    receipts = msgspec.json.encode([sale.sequence_number for _, sale in sales]).decode()
    codes = msgspec.json.encode([sale.receipt_code for _, sale in sales]).decode()
    known = {found for (found,) in db.execute("SELECT id FROM sale WHERE id IN (SELECT value FROM json_each(?))", (ids,))}
    used_query = "SELECT receipt_number FROM sale WHERE chain = ? AND receipt_number IN (SELECT value FROM json_each(?))"
    used = {found for (found,) in db.execute(used_query, (chain, receipts))}
    printed_query = "SELECT receipt FROM sale WHERE chain = ? AND receipt IN (SELECT value FROM json_each(?))"
    printed = {found for (found,) in db.execute(printed_query, (chain, codes))}
    problems: dict[int, Problem] = {}
    for number, sale in sales:
        if sale.transaction_id in known:
            problems[number] = wrong("sale-twice", f"Sale {sale.transaction_id}.")
        elif sale.sequence_number in used:
            problems[number] = wrong("receipt-twice", f"Receipt number {sale.sequence_number}.")
        elif sale.receipt_code in printed:
            problems[number] = wrong("receipt-repeated", f"Receipt code {sale.receipt_code}.")
        else:
            known.add(sale.transaction_id)
            used.add(sale.sequence_number)
            printed.add(sale.receipt_code)
    return problems


def _enter_sales(db: Db, chain: int, sales: Sequence[tuple[int, SaleCompleted]]) -> None:
    db.executemany(
        "INSERT INTO sale VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                s.transaction_id, chain, number, s.sequence_number, s.receipt_code, s.business_day_date, s.shift_id, s.operator_id,
                s.customer.customer_id if s.customer else "", s.country_code, s.currency_code, s.end_ms, len(s.line_items), s.totals.total_minor,
                s.totals.tax_minor, s.totals.rounding_minor, s.totals.change_minor,
            )
            for number, s in sales
        ],
    )  # fmt: skip
    db.executemany(
        "INSERT INTO sale_line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                s.transaction_id, position, line.item_id, line.description, line.quantity, line.unit, line.actual_unit_price_minor, line.extended_amount_minor,
                line.share_minor, line.tax_class, line.price_source, line.price_version,
            )
            for _, s in sales
            for position, line in enumerate(s.line_items, start=1)
        ],
    )  # fmt: skip
    db.executemany(
        "INSERT INTO sale_tender VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (s.transaction_id, f"{position}:{t.tender_id}", t.kind, t.settled_minor, t.given_minor, t.change_minor, t.rounding_minor, t.attempt_id)
            for _, s in sales
            for position, t in enumerate(s.tenders, start=1)
        ],
    )
    db.executemany(
        """INSERT INTO sale_tax VALUES (?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET base_minor = base_minor + excluded.base_minor, tax_minor = tax_minor + excluded.tax_minor""",
        [(s.transaction_id, tax.tax_class, tax.rate_milli, tax.base_minor, tax.tax_minor) for _, s in sales for tax in s.taxes],
    )


def _attempts_of(fact: Arrival) -> tuple[str, Sequence[Attempt]]:
    """What the attempts were for, and how they stood when the fact was told."""
    match fact.data:
        case SaleCompleted() | BasketVoided() as trade:
            return trade.transaction_id, trade.attempts
        case PaymentSettled() as payment:
            return payment.transaction_id, [payment.attempt]
        case _:
            return "", ()


def _enter_attempts(db: Db, who: Who, chain: int, facts: Sequence[Arrival]) -> None:
    """An attempt may be told twice: with the sale or void it belonged to, and again when it ended later. The newest word of its own register counts,
    which need not be the one that came last."""
    told = [(fact, trade, attempt) for fact in facts for trade, attempts in [_attempts_of(fact)] for attempt in attempts]
    if not told:
        return
    places: dict[str, Place] = {fact.id: (who.epoch, fact.number) for fact, _, _ in told}
    places |= withheld_places(db, who.source, places)
    db.executemany(
        """INSERT INTO attempt VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET trade = excluded.trade, state = excluded.state, approved_minor = excluded.approved_minor, reason = excluded.reason,
           told_epoch = excluded.told_epoch, told_number = excluded.told_number
           WHERE chain IN (SELECT id FROM chain WHERE source = ?) AND (excluded.told_epoch, excluded.told_number) >= (told_epoch, told_number)""",
        [
            (
                a.attempt_id, chain, trade, a.tender_id, a.kind, a.state, a.amount_minor, a.approved_minor, a.terminal, a.wire_ref, a.reason, a.started_ms,
                *places[fact.id], who.source,
            )
            for fact, trade, a in told
        ],
    )  # fmt: skip


def _enter_void(db: Db, chain: int, void: BasketVoided) -> None:
    row = (void.transaction_id, chain, void.reason, void.lines, void.amount_minor, void.currency_code, void.at_ms)
    db.execute("INSERT INTO voided VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)


def _enter_shift(db: Db, source: str, chain: int, shift: ShiftOpened | ShiftClosed) -> None:
    """A shift may be closed in another epoch than it was opened in, and told so before its opening is, but only by its own register; who opened it stands."""
    db.execute(
        "INSERT INTO shift (id, chain, business_day, operator) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (shift.shift_id, chain, shift.business_day_date, shift.operator_id),
    )
    match shift:
        case ShiftOpened():
            change = """UPDATE shift SET business_day = ?, operator = ?, opened_ms = ?, float_minor = ?
                        WHERE id = ? AND chain IN (SELECT id FROM chain WHERE source = ?)"""
            opened = (shift.business_day_date, shift.operator_id, shift.at_ms, shift.float_minor)
            db.execute(change, (*opened, shift.shift_id, source))
        case ShiftClosed():
            change = "UPDATE shift SET closed_ms = ?, expected_cash_minor = ?, sales = ? WHERE id = ? AND chain IN (SELECT id FROM chain WHERE source = ?)"
            db.execute(change, (shift.at_ms, shift.expected_cash_minor, shift.sales, shift.shift_id, source))


def _enter_visit(transaction: Transaction, chain: int, number: int, visit: VisitRecorded) -> None:
    """Note the visit, and let every register see it on the customer's profile."""
    row = (chain, number, visit.customer_id, visit.identified_by, visit.sale_id, visit.at_ms)
    transaction.db.execute("INSERT INTO visit VALUES (?, ?, ?, ?, ?, ?)", row)
    profile = feeds.current(transaction.db, "customers", visit.customer_id)
    if profile is not None:
        seen = {"visits": profile["visits"] + 1, "lastVisitMs": max(profile["lastVisitMs"] or 0, visit.at_ms)}
        feeds.revise(transaction, "customers", visit.customer_id, profile | seen)
