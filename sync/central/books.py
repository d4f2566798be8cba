"""The books that are made of facts, in the transaction that stores them: sales, lines, tenders, taxes, attempts, voids, shifts, visits, and the online cart."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sync.central import feeds
from sync.central.carts import sold_in_store, sold_of
from sync.central.checks import wrong
from sync.central.intake import Arrival
from sync.central.registers import Who
from sync.central.storage import Db
from sync.central.writer import Transaction
from sync.contract.facts import Attempt, BasketVoided, PaymentSettled, SaleCompleted, ShiftClosed, ShiftOpened, VisitRecorded
from sync.contract.messages import Problem


def enter(transaction: Transaction, who: Who, chain: int, facts: Sequence[Arrival]) -> dict[int, Problem]:
    """Enter the facts that are in order; answers the sales that are not, because their id or receipt number was used before, by number."""
    db = transaction.db
    numbered = [(fact.number, fact.data) for fact in facts if isinstance(fact.data, SaleCompleted)]
    problems = _used_before(db, chain, numbered) if numbered else {}
    sales = [(number, sale) for number, sale in numbered if number not in problems]
    if sales:
        _enter_sales(db, chain, sales)
        for _, sale in sales:
            if sale.cart is not None:
                sold_in_store(transaction, who.source, sale.transaction_id, sold_of(sale.cart))
    attempts = [(sale.transaction_id, attempt) for _, sale in sales for attempt in sale.attempts]
    for fact in facts:
        match fact.data:
            case BasketVoided() as void:
                attempts += [(void.transaction_id, attempt) for attempt in void.attempts]
                _enter_void(db, chain, void)
            case PaymentSettled() as payment:
                attempts.append((payment.transaction_id, payment.attempt))
            case ShiftOpened() | ShiftClosed() as shift:
                _enter_shift(db, who.source, chain, shift)
            case VisitRecorded() as visit:
                _enter_visit(transaction, chain, fact.number, visit)
            case _:
                pass
    if attempts:
        _enter_attempts(db, who.source, chain, attempts)
    return problems


def _used_before(db: Db, chain: int, sales: Sequence[tuple[int, SaleCompleted]]) -> dict[int, Problem]:
    """The sales whose id, or whose receipt number within this register's epoch, is not new.

    A new epoch may begin its receipts again; POSLog's own key has the business day for that.
    """
    ids = msgspec.json.encode([sale.transaction_id for _, sale in sales]).decode()
    receipts = msgspec.json.encode([sale.sequence_number for _, sale in sales]).decode()
    known = {found for (found,) in db.execute("SELECT id FROM sale WHERE id IN (SELECT value FROM json_each(?))", (ids,))}
    used_query = "SELECT receipt_number FROM sale WHERE chain = ? AND receipt_number IN (SELECT value FROM json_each(?))"
    used = {found for (found,) in db.execute(used_query, (chain, receipts))}
    problems: dict[int, Problem] = {}
    for number, sale in sales:
        if sale.transaction_id in known:
            problems[number] = wrong("sale-twice", f"Sale {sale.transaction_id}.")
        elif sale.sequence_number in used:
            problems[number] = wrong("receipt-twice", f"Receipt number {sale.sequence_number}.")
        else:
            known.add(sale.transaction_id)
            used.add(sale.sequence_number)
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


def _enter_attempts(db: Db, source: str, chain: int, attempts: Sequence[tuple[str, Attempt]]) -> None:
    """An attempt may be told twice: with the sale or void it belonged to, and again when it ended later. The newest word of its own register counts."""
    db.executemany(
        """INSERT INTO attempt VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET trade = excluded.trade, state = excluded.state, approved_minor = excluded.approved_minor, reason = excluded.reason
           WHERE chain IN (SELECT id FROM chain WHERE source = ?)""",
        [
            (a.attempt_id, chain, trade, a.tender_id, a.kind, a.state, a.amount_minor, a.approved_minor, a.terminal, a.wire_ref, a.reason, a.started_ms, source)
            for trade, a in attempts
        ],
    )


def _enter_void(db: Db, chain: int, void: BasketVoided) -> None:
    row = (void.transaction_id, chain, void.reason, void.lines, void.amount_minor, void.currency_code, void.at_ms)
    db.execute("INSERT INTO voided VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)


def _enter_shift(db: Db, source: str, chain: int, shift: ShiftOpened | ShiftClosed) -> None:
    """A shift may be closed in another epoch than it was opened in, but only by its own register."""
    db.execute(
        "INSERT INTO shift (id, chain, business_day, operator) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (shift.shift_id, chain, shift.business_day_date, shift.operator_id),
    )
    match shift:
        case ShiftOpened():
            change = "UPDATE shift SET opened_ms = ?, float_minor = ? WHERE id = ? AND chain IN (SELECT id FROM chain WHERE source = ?)"
            db.execute(change, (shift.at_ms, shift.float_minor, shift.shift_id, source))
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
