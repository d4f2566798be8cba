"""The golden examples: a short, made-up day of one register as wire events with true numbers, links and sums, and the messages around them.

``examples/<type>.json`` hold exact wire bytes (one line; the line's end is not part of them); ``examples/day.json`` is the whole day as one batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from sync.contract import facts
from sync.contract.envelope import FIRST_PREVHASH, encode_fact, fact_hash, join_batch, source_of
from sync.contract.example_sales import CARD_ATTEMPT, CARD_RESULT, DECLINED_ATTEMPT, EXAMPLE_START_MS, card_sale, cash_sale
from sync.contract.messages import PROBLEM_ROOT, FeedEnd, FeedRow, Problem, PushAck, Quarantined, RegisterAck, StreamAck

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


def example_day() -> list[tuple[str, bytes]]:
    """Type and wire bytes of every fact of the example day, numbered and chained per stream."""
    heads: dict[str, tuple[int, str]] = {}
    day: list[tuple[str, bytes]] = []
    for index, (stream, kind, subject, data) in enumerate(_day(), start=1):
        number, prevhash = heads.get(stream, (1, FIRST_PREVHASH))
        wire = encode_fact(
            source=SOURCE, stream=stream, epoch=EPOCH, number=number, prevhash=prevhash, id=f"0199a5d0-0000-7000-8000-00000000f{index:03d}",
            type=kind, subject=subject, at_ms=data["atMs"], salt=hashlib.sha256(f"example {index}".encode()).digest()[:16], data=data,
        )  # fmt: skip
        heads[stream] = (number + 1, fact_hash(wire))
        day.append((kind, wire))
    return day


def _messages() -> dict[str, bytes]:
    gap = Problem(
        type=PROBLEM_ROOT + "sequence-gap", title="Facts are missing", status=409, detail="Expected number 7 of trade, got 9.", expected=7, stream="trade"
    )
    held = Problem(
        type=PROBLEM_ROOT + "cart-held", title="Another register holds this cart", status=409, held_by="0001/01", until_ms=EXAMPLE_START_MS + 900_000
    )
    wrong = Problem(type=PROBLEM_ROOT + "sale-totals", title="The sale does not add up", status=422, detail="Lines come to 1722, the total says 1700.")
    trade = StreamAck(next=8, accepted=6, duplicates=1, quarantined=[Quarantined(sequence=5, problem=wrong)])
    ack = PushAck(registers={SOURCE: RegisterAck(epoch=EPOCH, streams={"trade": trade, "people": StreamAck(next=2, accepted=1, duplicates=0)})})
    price = {"sku": "A-1001", "amountMinor": 1999, "currency": "EUR", "book": "de", "version": "2026-11", "group": "", "fromMs": 0, "untilMs": None}
    page = [
        FeedRow(op="put", key="A-1001/de//0", rev=41, data=price, valid_from_ms=0),
        FeedRow(op="del", key="A-1002/de//0", rev=42),
        FeedEnd(op="end", cursor="mRq0Zg-42-42", more=False, count=2, as_of_ms=EXAMPLE_START_MS),
    ]
    lines = b"".join(msgspec.json.encode(line) + b"\n" for line in page)
    return {
        "problem.sequence-gap.json": msgspec.json.encode(gap),
        "problem.cart-held.json": msgspec.json.encode(held),
        "push-ack.json": msgspec.json.encode(ack),
        "feed-page.ndjson": lines.rstrip(b"\n"),
    }


def example_files() -> dict[str, str]:
    """Every example file: its name under ``examples/`` and its text. Of a type that occurs twice, the later fact is the type's example."""
    day = example_day()
    made = {f"{kind}.json": wire for kind, wire in day} | {"day.json": join_batch([wire for _, wire in day])} | _messages()
    return {name: text.decode() + "\n" for name, text in made.items()}
