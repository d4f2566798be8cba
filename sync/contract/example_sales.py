"""The two sales of the example day: cash with a weighed article and a discount, and a split card payment with a customer and an online cart."""

from __future__ import annotations

from typing import Any

EXAMPLE_START_MS = 1_795_161_600_000
"""2026-11-20, 08:00 UTC."""

CARD_RESULT = {
    "providerRef": "T-000117", "approval": "480211", "brand": "Girocard", "lastFour": "4242", "entryMode": "contactless", "verification": "none",
    "merchantAccount": "0001-02", "terminal": "counter-2", "wireRef": "A7K2Q9ZD5N", "offline": False,
}  # fmt: skip
CARD_ATTEMPT = {
    "attemptId": "0199a5d0-0000-7000-8000-00000000a001", "tenderId": "0199a5d0-0000-7000-8000-00000000e002", "kind": "sale", "state": "approved",
    "amountMinor": 10000, "approvedMinor": 10000, "wireRef": "A7K2Q9ZD5N", "terminal": "counter-2", "reason": "", "startedMs": EXAMPLE_START_MS + 2_390_000,
}  # fmt: skip
DECLINED_ATTEMPT = {
    **CARD_ATTEMPT, "attemptId": "0199a5d0-0000-7000-8000-00000000a000", "state": "declined", "approvedMinor": 0, "amountMinor": 12960,
    "wireRef": "9Z3W6H1V8T", "reason": "insufficient_funds", "startedMs": EXAMPLE_START_MS + 2_340_000,
}  # fmt: skip


def _line(position: int, **changes: object) -> dict[str, Any]:
    line: dict[str, Any] = {
        "sequenceNumber": position, "lineId": f"0199a5d0-0000-7000-8000-00000000{position:04d}", "kind": "article", "itemId": "A-1001",
        "gtin": "04006381333931", "description": "T-shirt, organic cotton", "variant": "navy, M", "department": "Clothing", "quantity": 1,
        "unit": "piece", "soldBy": "piece", "regularUnitPriceMinor": 1999, "actualUnitPriceMinor": 1999, "priceSource": "book",
        "priceBook": "de", "priceVersion": "2026-11", "grossMinor": 1999, "modifiers": [], "extendedAmountMinor": 1999, "shareMinor": 1999,
        "taxClass": "standard", "cartLine": "", "batch": "", "expiry": "", "serial": "", "operatorId": "1001",
    }  # fmt: skip
    return line | changes


def _tender(kind: str, tender_id: str, settled: int, given: int, change: int, **changes: object) -> dict[str, Any]:
    tender: dict[str, Any] = {
        "tenderId": tender_id, "kind": kind, "settledMinor": settled, "givenMinor": given, "changeMinor": change, "roundingMinor": 0,
        "attemptId": "", "card": None,
    }  # fmt: skip
    return tender | changes


def cash_sale(common: dict[str, Any]) -> dict[str, Any]:
    """A T-shirt with 20 % off and 412 g of apples, 17.22 EUR, paid with a 20 EUR note."""
    worn = {"scope": "line", "reason": "Damaged", "operatorId": "1001", "percentMilli": 20_000, "amountMinor": -400}
    apples = _line(
        2, itemId="F-2001", gtin="", description="Apples, Elstar", variant="", department="Food", quantity=412, unit="g", soldBy="kg",
        regularUnitPriceMinor=299, actualUnitPriceMinor=299, grossMinor=123, extendedAmountMinor=123, shareMinor=123, taxClass="reduced",
    )  # fmt: skip
    return {
        **common, "transactionId": "0199a5d0-0000-7000-8000-000000000123", "sequenceNumber": 123, "receiptCode": "R-0001-02-000123", "countryCode": "DE",
        "currencyCode": "EUR", "taxIncluded": True, "channel": "store", "beginMs": common["atMs"] - 95_000, "endMs": common["atMs"], "customer": None,
        "cart": None, "lineItems": [_line(1, modifiers=[worn], extendedAmountMinor=1599, shareMinor=1599), apples], "modifiers": [],
        "removedItems": [
            {"itemId": "A-1002", "description": "Socks", "quantity": 2, "unit": "piece", "amountMinor": 998, "atMs": common["atMs"] - 40_000, "operatorId": ""},
        ],
        "taxes": [
            {"taxClass": "standard", "rateMilli": 19_000, "label": "19 %", "baseMinor": 1344, "taxMinor": 255},
            {"taxClass": "reduced", "rateMilli": 7_000, "label": "7 %", "baseMinor": 115, "taxMinor": 8},
        ],
        "totals": {
            "linesMinor": 1722, "modifiersMinor": 0, "taxMinor": 263, "totalMinor": 1722, "roundingMinor": 0, "tenderedMinor": 2000, "changeMinor": 278,
        },
        "tenders": [_tender("cash", "0199a5d0-0000-7000-8000-00000000e001", 1722, 2000, 278)],
        "attempts": [],
    }  # fmt: skip


def card_sale(common: dict[str, Any], customer: str) -> dict[str, Any]:
    """A jacket from the customer's online cart and a scarf, 10 % off the basket, 129.60 EUR: 100.00 by card after a refusal, the rest in cash."""
    jacket = _line(
        1, itemId="J-3001", gtin="04012345678901", description="Rain jacket", variant="green, L", regularUnitPriceMinor=12900, actualUnitPriceMinor=11900,
        priceSource="member", grossMinor=11900, extendedAmountMinor=11900, shareMinor=10710, cartLine="wl-1",
    )  # fmt: skip
    scarf = _line(
        2, itemId="S-4001", gtin="", description="Scarf", variant="", regularUnitPriceMinor=2500, actualUnitPriceMinor=2500, grossMinor=2500,
        extendedAmountMinor=2500, shareMinor=2250,
    )  # fmt: skip
    return {
        **common, "transactionId": "0199a5d0-0000-7000-8000-000000000124", "sequenceNumber": 124, "receiptCode": "R-0001-02-000124", "countryCode": "DE",
        "currencyCode": "EUR", "taxIncluded": True, "channel": "store", "beginMs": common["atMs"] - 240_000, "endMs": common["atMs"],
        "customer": {"customerId": customer, "tier": "gold", "identifiedBy": "loyalty"},
        "cart": {
            "cartId": "CART-7Q2M", "version": 4, "token": "Zk3rT0pQ", "leaseUntilMs": common["atMs"] + 600_000, "offlineCopy": False, "soldLines": ["wl-1"],
            "leftLines": ["wl-2"], "partlySold": [], "soldPieces": [{"line": "wl-1", "pieces": 1}],
        },
        "lineItems": [jacket, scarf],
        "modifiers": [{"scope": "basket", "reason": "Regular customer", "operatorId": "1001", "percentMilli": 10_000, "amountMinor": -1440}],
        "removedItems": [], "taxes": [{"taxClass": "standard", "rateMilli": 19_000, "label": "19 %", "baseMinor": 10891, "taxMinor": 2069}],
        "totals": {
            "linesMinor": 14400, "modifiersMinor": -1440, "taxMinor": 2069, "totalMinor": 12960, "roundingMinor": 0, "tenderedMinor": 13000, "changeMinor": 40,
        },
        "tenders": [
            _tender("card", str(CARD_ATTEMPT["tenderId"]), 10000, 10000, 0, attemptId=CARD_ATTEMPT["attemptId"], card=CARD_RESULT),
            _tender("cash", "0199a5d0-0000-7000-8000-00000000e003", 2960, 3000, 40),
        ],
        "attempts": [DECLINED_ATTEMPT, CARD_ATTEMPT],
    }  # fmt: skip
