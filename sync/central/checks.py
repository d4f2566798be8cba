"""What central checks of an authentic fact in business terms. A failure quarantines the fact; it is stored all the same.

Central never prices or taxes again: it checks that what the register charged adds up.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec

from edge_agent.domain.money import divide_half_up
from sync.contract.envelope import SCHEMA_ROOT, Envelope
from sync.contract.facts import DATA_BY_TYPE, STREAM_BY_TYPE, FactData, PaymentContradicted, PaymentSettled, SaleCompleted
from sync.contract.messages import PROBLEM_ROOT, Problem

TITLES = {
    "fact-type": "This type of fact is not known here",
    "fact-stream": "This type of fact travels in another stream",
    "fact-schema": "The data does not fit its schema",
    "fact-place": "The fact names another store or register than the one that sent it",
    "fact-id": "The id is another fact's",
    "fact-subject": "The subject is not the business key of the data",
    "sale-currency": "The sale is in another currency than its store's",
    "sale-shift": "The sale names no business day, shift or operator",
    "sale-prices": "A line's quantity at its price is not its amount",
    "sale-lines": "The lines do not add up",
    "sale-totals": "The totals are not the lines and tenders",
    "sale-total": "The total is not the lines and the tax",
    "sale-taxes": "The taxes do not add up",
    "sale-tenders": "The tenders do not pay the total",
    "sale-cash": "Cash given, change and rounding do not add up",
    "sale-twice": "This sale was recorded before",
    "receipt-twice": "This receipt number was used before",
    "receipt-repeated": "This receipt code was used before",
}
"""Every reason for quarantine, by the end of its problem type, and what it says."""


def quarantine_words() -> str:
    """The same as a list, for the document."""
    return "\n".join(f"* `{PROBLEM_ROOT}{reason}`: {title}" for reason, title in TITLES.items())


def wrong(reason: str, detail: str) -> Problem:
    """A quarantined fact's problem."""
    return Problem(type=PROBLEM_ROOT + reason, title=TITLES[reason], status=422, detail=detail[:400])


_decoders: dict[str, msgspec.json.Decoder[Any]] = {kind: msgspec.json.Decoder(data) for kind, data in DATA_BY_TYPE.items()}


def read_data(envelope: Envelope, currency: str) -> FactData | Problem:
    """The fact's data as its type, or why it is quarantined. ``currency`` is the sending store's."""
    kind = envelope.type
    decoder = _decoders.get(kind)
    if decoder is None or envelope.dataschema != SCHEMA_ROOT + kind:
        return wrong("fact-type", f"{kind} with schema {envelope.dataschema}.")
    if STREAM_BY_TYPE.get(kind, envelope.stream) != envelope.stream:
        return wrong("fact-stream", f"{kind} came in {envelope.stream}.")
    try:
        data: FactData = decoder.decode(envelope.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        return wrong("fact-schema", f"{problem}.")
    _, _, _, _, store, _, register = envelope.source.split("/")
    if (data.retail_store_id, data.workstation_id) != (store, register):
        return wrong("fact-place", f"It says {data.retail_store_id}/{data.workstation_id}.")
    return _check(envelope, data, currency) or data


def _check(envelope: Envelope, data: FactData, currency: str) -> Problem | None:
    match data:
        case SaleCompleted():
            if envelope.subject != data.transaction_id:
                return wrong("fact-subject", f"Subject {envelope.subject}, sale {data.transaction_id}.")
            if data.currency_code != currency:
                return wrong("sale-currency", f"It is in {data.currency_code}, the store sells in {currency}.")
            return check_sale(data)
        case PaymentSettled() | PaymentContradicted() if envelope.subject != data.attempt.attempt_id:
            return wrong("fact-subject", f"Subject {envelope.subject}, attempt {data.attempt.attempt_id}.")
        case _:
            return None


def check_sale(sale: SaleCompleted) -> Problem | None:
    """The first thing about a sale that does not add up."""
    for check in SALE_CHECKS:
        problem = check(sale)
        if problem is not None:
            return problem
    return None


def _shift(sale: SaleCompleted) -> Problem | None:
    try:
        date.fromisoformat(sale.business_day_date)
    except ValueError:
        return wrong("sale-shift", f"Business day {sale.business_day_date!r}.")
    return None if sale.shift_id and sale.operator_id else wrong("sale-shift", f"Shift {sale.shift_id!r}, operator {sale.operator_id!r}.")


def _prices(sale: SaleCompleted) -> Problem | None:
    for line in sale.line_items:
        cost = line.quantity * line.actual_unit_price_minor
        if line.gross_minor != (divide_half_up(cost, 1000) if line.unit == "g" else cost):
            text = f"Line {line.sequence_number}: {line.quantity} {line.unit} at {line.actual_unit_price_minor} is not {line.gross_minor}."
            return wrong("sale-prices", text)
    return None


def _lines(sale: SaleCompleted) -> Problem | None:
    extended = shares = 0
    for line in sale.line_items:
        if line.gross_minor + sum([modifier.amount_minor for modifier in line.modifiers]) != line.extended_amount_minor:
            return wrong("sale-lines", f"Line {line.sequence_number}: {line.gross_minor} and its modifiers are not {line.extended_amount_minor}.")
        extended += line.extended_amount_minor
        shares += line.share_minor
    modified = extended + sum([modifier.amount_minor for modifier in sale.modifiers])
    return None if modified == shares else wrong("sale-lines", f"Lines and modifiers come to {modified}, the shares to {shares}.")


def _total(sale: SaleCompleted) -> Problem | None:
    shares = sum([line.share_minor for line in sale.line_items])
    on_top = 0 if sale.tax_included else sum([tax.tax_minor for tax in sale.taxes])
    total = sale.totals.total_minor
    return None if shares + on_top == total else wrong("sale-total", f"Lines {shares} and tax on top {on_top} are not {total}.")


def _taxes(sale: SaleCompleted) -> Problem | None:
    tax = sum([row.tax_minor for row in sale.taxes])
    base = sum([row.base_minor for row in sale.taxes])
    shares = sum([line.share_minor for line in sale.line_items])
    if tax != sale.totals.tax_minor:
        return wrong("sale-taxes", f"The rates come to {tax}, the total tax says {sale.totals.tax_minor}.")
    taxed = base + tax if sale.tax_included else base
    return None if taxed == shares else wrong("sale-taxes", f"The taxed amounts come to {taxed}, the lines to {shares}.")


def _tenders(sale: SaleCompleted) -> Problem | None:
    settled = sum([tender.settled_minor for tender in sale.tenders])
    total = sale.totals.total_minor
    return None if settled == total else wrong("sale-tenders", f"Settled {settled} of {total}.")


def _cash(sale: SaleCompleted) -> Problem | None:
    for tender in sale.tenders:
        kept, due = tender.given_minor - tender.change_minor, tender.settled_minor + tender.rounding_minor
        if tender.kind == "cash" and kept != due:
            return wrong("sale-cash", f"Given {tender.given_minor} less change {tender.change_minor} is not {due}.")
    return None


def _totals(sale: SaleCompleted) -> Problem | None:
    totals, tenders = sale.totals, sale.tenders
    sums = {
        "lines": (totals.lines_minor, sum([line.extended_amount_minor for line in sale.line_items])),
        "modifiers": (totals.modifiers_minor, sum([modifier.amount_minor for modifier in sale.modifiers])),
        "rounding": (totals.rounding_minor, sum([tender.rounding_minor for tender in tenders])),
        "change": (totals.change_minor, sum([tender.change_minor for tender in tenders])),
        "tendered": (totals.tendered_minor, sum([tender.given_minor if tender.kind == "cash" else tender.settled_minor for tender in tenders])),
    }
    for name, (said, counted) in sums.items():
        if said != counted:
            return wrong("sale-totals", f"The {name} come to {counted}, the total says {said}.")
    return None


SALE_CHECKS: tuple[Callable[[SaleCompleted], Problem | None], ...] = (_shift, _prices, _lines, _total, _taxes, _tenders, _cash, _totals)
