"""The books of the register and of central, read from what they stored, in the same words as the expected ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from edge_agent.demo.expected import Books, Paid, Sold, SoldLine

SALE = "retail.sale.completed.v1"
VOIDED = "retail.basket.voided.v1"
VISIT = "retail.visit.recorded.v1"
SHIFT_CLOSED = "retail.shift.closed.v1"

Facts = list[dict[str, Any]]
Sums = dict[str, int]
"""What a set of books comes to, by the title of the row."""


class Ledger(Struct, frozen=True):
    """One set of books: its sums, and every sale by its id."""

    sums: Sums
    sales: Mapping[str, Sold]
    receipts: tuple[str, ...] = ()
    cards: Mapping[str, int] | None = None


def exported_facts(export: bytes) -> Facts:
    """The facts of a journal's export; its events are left out."""
    rows = (json.loads(line) for line in export.splitlines())
    return [row for row in rows if "specversion" in row]


def expected_ledger(books: Books) -> Ledger:
    """What the script expects."""
    sums = sums_of(books.sold)
    sums["voided baskets"] = len(books.voided)
    sums["voided amount"] = sum(amount for _, amount in books.voided)
    sums["visits"] = sum(bool(sale.customer) for sale in books.sold)
    sums["cash in the drawer"] = books.cash
    return Ledger(sums, {sale.id: sale for sale in books.sold})


def ledger_of(facts: Facts) -> Ledger:
    """What facts say. A sale that is told twice counts twice."""
    told = [fact["data"] for fact in facts if fact["type"] == SALE]
    sold = [sold_of(data) for data in told]
    voided = [fact["data"] for fact in facts if fact["type"] == VOIDED]
    sums = sums_of(sold)
    sums["voided baskets"] = len(voided)
    sums["voided amount"] = sum(data["amountMinor"] for data in voided)
    sums["visits"] = sum(fact["type"] == VISIT for fact in facts)
    sums["cash in the drawer"] = sum(fact["data"]["expectedCashMinor"] for fact in facts if fact["type"] == SHIFT_CLOSED)
    cards = {tender["card"]["wireRef"]: tender["settledMinor"] for data in told for tender in data["tenders"] if tender["card"] is not None}
    return Ledger(sums, {sale.id: sale for sale in sold}, tuple(data["receiptCode"] for data in told), cards)


def with_tables(ledger: Ledger, reconciliation: Mapping[str, Any]) -> Ledger:
    """``ledger`` with the sums of central's own tables in the place of those that its facts come to."""
    sums = {title: amount for title, amount in ledger.sums.items() if title in ("voided amount", "cash in the drawer", "discounts on baskets")}
    for register in reconciliation["registers"]:
        sums["voided baskets"] = sums.get("voided baskets", 0) + register["voided"]
        sums["visits"] = sums.get("visits", 0) + register["visits"]
        for books in register["books"]:
            rows = {"sales": books["sales"], "lines": books["lines"], "total": books["totalMinor"], "tax": books["taxMinor"], "change": books["changeMinor"]}
            rows |= {f"paid by {kind}": amount for kind, amount in books["tenders"].items()}
            for tax_class, tax in books["taxes"].items():
                rows |= {f"base {tax_class}": tax["baseMinor"], f"tax {tax_class}": tax["taxMinor"]}
            for title, amount in rows.items():
                sums[title] = sums.get(title, 0) + amount
    return Ledger(sums, ledger.sales, ledger.receipts, ledger.cards)


def sums_of(sold: Iterable[Sold]) -> Sums:
    """What sales come to."""
    sums: Sums = dict.fromkeys(("sales", "lines", "total", "tax", "discounts on baskets", "change"), 0)
    for sale in sold:
        rows = [("sales", 1), ("lines", len(sale.lines)), ("total", sale.total), ("tax", sale.tax), ("discounts on baskets", sale.off)]
        rows += [(f"base {tax_class}", base) for tax_class, base, _ in sale.taxes] + [(f"tax {tax_class}", tax) for tax_class, _, tax in sale.taxes]
        rows += [(f"paid by {paid.kind}", paid.settled) for paid in sale.tenders] + [("change", paid.change) for paid in sale.tenders]
        for title, amount in rows:
            sums[title] = sums.get(title, 0) + amount
    return sums


def sold_of(data: Mapping[str, Any]) -> Sold:
    """The sale that a fact's data tells."""
    lines = tuple(
        SoldLine(
            line["itemId"],
            line["quantity"],
            line["unit"],
            line["actualUnitPriceMinor"],
            line["priceSource"],
            line["extendedAmountMinor"],
            line["shareMinor"],
            line["taxClass"],
        )
        for line in data["lineItems"]
    )
    taxes = tuple(sorted((tax["taxClass"], tax["baseMinor"], tax["taxMinor"]) for tax in data["taxes"]))
    tenders = tuple(Paid(tender["kind"], tender["settledMinor"], tender["givenMinor"], tender["changeMinor"]) for tender in data["tenders"])
    customer = data["customer"]["customerId"] if data["customer"] is not None else ""
    off = -sum(modifier["amountMinor"] for modifier in data["modifiers"])
    return Sold(data["transactionId"], lines, data["totals"]["totalMinor"], data["totals"]["taxMinor"], taxes, tenders, customer, off)
