"""The golden examples of facts: a short, made-up day of one register as wire events with true numbers, links and sums.

``examples/<type>.json`` hold exact wire bytes (one line; the line's end is not part of them); ``examples/day.json`` is the whole day as one batch.
The facts that a disk ends before central, and that a terminal contradicts what a person decided, follow on the day and are not part of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from sync.contract import facts
from sync.contract.envelope import FIRST_PREVHASH, encode_fact, fact_hash, join_batch, source_of
from sync.contract.example_sales import CARD_ATTEMPT, CARD_RESULT, DECLINED_ATTEMPT, EXAMPLE_START_MS, card_sale, cash_sale

SOURCE = source_of("acme", "0001", "02")
EPOCH = "3"
SHIFT = "0199a5d0-0000-7000-8000-000000000001"
CUSTOMER = "0199a5d0-0000-7000-8000-00000000c001"


def _common(minutes: int, *, shift: str = SHIFT, day: str = "2026-11-20", operator: str = "1001") -> dict[str, Any]:
    at_ms = EXAMPLE_START_MS + minutes * 60_000
    return {"retailStoreId": "0001", "workstationId": "02", "businessDayDate": day, "shiftId": shift, "operatorId": operator, "atMs": at_ms}


def _day() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Stream, type, subject and data of each fact, in the order of the day."""
    boot = "0199a5cf-0000-7000-8000-0000000000b0"
    idle = _common(0, shift="", day="", operator="")
    yield "ops", facts.STARTED, boot, {**idle, "version": "0.1.0", "bootId": boot, "epoch": EPOCH, "cleanStop": True}
    yield "trade", facts.SHIFT_OPENED, SHIFT, {**_common(5), "floatMinor": 15000, "currencyCode": "EUR"}
    cash = cash_sale(_common(20))
    yield "trade", facts.SALE, cash["transactionId"], cash
    card = card_sale(_common(40), CUSTOMER)
    yield "trade", facts.SALE, card["transactionId"], card
    sale = card["transactionId"]
    yield "people", facts.VISIT, sale, {**_common(40), "customerId": CUSTOMER, "identifiedBy": "loyalty", "saleId": sale}
    basket = "0199a5d0-0000-7000-8000-000000000125"
    late = {**CARD_ATTEMPT, "attemptId": "0199a5d0-0000-7000-8000-00000000a003", "wireRef": "C4T8M2XW7K", "amountMinor": 2500, "approvedMinor": 2500}
    yield "trade", facts.VOIDED, basket, {
        **_common(60), "transactionId": basket, "reason": "Customer left", "lines": 1, "amountMinor": 2500, "currencyCode": "EUR",
        "attempts": [{**DECLINED_ATTEMPT, "attemptId": "0199a5d0-0000-7000-8000-00000000a002", "wireRef": "B2R6J9PQ4D", "amountMinor": 2500}],
    }  # fmt: skip
    voided = {**late, "state": "voided", "currencyCode": "EUR", "card": CARD_RESULT}
    yield "trade", facts.PAYMENT, str(late["attemptId"]), {**_common(62), "transactionId": basket, "attempt": voided, "cause": "late_approval"}
    culprit = "0199a5d0-0000-7000-8000-00000000f006"
    yield "ops", facts.WITHHELD, culprit, {**_common(70), "factId": culprit, "type": facts.STARTED, "reason": "envelope-invalid: subject is empty"}
    yield "trade", facts.SHIFT_CLOSED, SHIFT, {**_common(600), "sales": 2, "expectedCashMinor": 19682, "currencyCode": "EUR"}


class Heads:
    """The ends of the example's streams: each fact is numbered and linked to the one before it."""

    def __init__(self) -> None:
        self._heads: dict[str, tuple[int, str]] = {}
        self._count = 0

    def next(self, stream: str) -> tuple[int, str]:
        """The number that comes next, and the hash of the fact before it."""
        return self._heads.get(stream, (1, FIRST_PREVHASH))

    def fact(self, stream: str, kind: str, subject: str, data: dict[str, Any]) -> bytes:
        """The wire bytes of the next fact of a stream."""
        self._count += 1
        number, prevhash = self.next(stream)
        wire = encode_fact(
            source=SOURCE, stream=stream, epoch=EPOCH, number=number, prevhash=prevhash, id=f"0199a5d0-0000-7000-8000-00000000f{self._count:03d}",
            type=kind, subject=subject, at_ms=data["atMs"], salt=hashlib.sha256(f"example {self._count}".encode()).digest()[:16], data=data,
        )  # fmt: skip
        self._heads[stream] = (number + 1, fact_hash(wire))
        return wire


def example_day(heads: Heads | None = None) -> list[tuple[str, bytes]]:
    """Type and wire bytes of every fact of the example day, numbered and chained per stream; ``heads`` then stand at its end."""
    heads = heads or Heads()
    return [(kind, heads.fact(stream, kind, subject, data)) for stream, kind, subject, data in _day()]


def example_behind(heads: Heads) -> bytes:
    """What an old copy of the day's disk says: it has the same ``ops``, and of ``trade`` only the first four."""
    following, head_hash = heads.next("trade")
    lag = {"epoch": EPOCH, "stream": "trade", "ours": 4, "central": following - 1, "headHash": head_hash}
    return heads.fact("ops", facts.BEHIND, "trade", {**_common(700, shift="", day="", operator=""), **lag})


def example_contradicted(heads: Heads) -> bytes:
    """A manager decided that no money moved; the sale was paid in cash, and the terminal has the payment after all."""
    found = {**CARD_ATTEMPT, "attemptId": "0199a5d0-0000-7000-8000-00000000a004", "wireRef": "D5V9N3YX8M", "amountMinor": 19900, "approvedMinor": 19900}
    sale = "0199a5d0-0000-7000-8000-000000000126"
    data = {
        **_common(630, shift="", day="", operator=""), "transactionId": sale, "receiptCode": "R-0001-02-000003", "moneyMoved": False, "task": "give_back",
        "amountMinor": 19900, "attempt": {**found, "currencyCode": "EUR", "card": CARD_RESULT}, "decidedMs": EXAMPLE_START_MS + 590 * 60_000,
        "handled": False, "note": "",
    }  # fmt: skip
    return heads.fact("trade", facts.CONTRADICTED, str(found["attemptId"]), data)


def fact_examples() -> dict[str, bytes]:
    """The example of each type, and the whole day as one batch. Of a type that occurs twice, the later fact is the type's example."""
    heads = Heads()
    day = example_day(heads)
    made = {f"{kind}.json": wire for kind, wire in day} | {"day.json": join_batch([wire for _, wire in day])}
    return made | {f"{facts.BEHIND}.json": example_behind(heads), f"{facts.CONTRADICTED}.json": example_contradicted(heads)}
