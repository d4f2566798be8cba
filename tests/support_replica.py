"""Feed rows, pages and replicas for tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sync.feed_store import FeedLine, FeedState
from sync.replica import Replica

KEY = bytes(range(32))
NOW_MS = 1_795_388_400_000


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000


@pytest.fixture(name="clock")
def fixture_clock() -> FixedClock:
    return FixedClock()


@pytest.fixture(name="replica")
def fixture_replica(tmp_path: Path, clock: FixedClock) -> Iterator[Replica]:
    made = Replica(tmp_path, KEY, clock)
    yield made
    made.close()


def gtin(number: int) -> str:
    """A GTIN-13 with its check digit, in 14 digits."""
    body = f"{400_000_000_000 + number:012d}"
    check = -sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body)) % 10
    return f"0{body}{check}"


def article(sku: str, name: str, *gtins: str, variant: str = "", item: str = "", department: str = "shirts", sold_by: str = "piece") -> dict[str, Any]:
    return {
        "sku": sku, "name": name, "variant": variant, "gtins": list(gtins), "item": item,
        "department": department, "taxClass": "standard", "soldBy": sold_by,
    }  # fmt: skip


def price(sku: str, amount_minor: int, from_ms: int = 0, group: str = "") -> dict[str, Any]:
    return {"sku": sku, "amountMinor": amount_minor, "currency": "EUR", "book": "de", "version": "1", "group": group, "fromMs": from_ms, "untilMs": None}


def price_key(row: dict[str, Any]) -> str:
    return f"{row['sku']}/{row['book']}/{row['group']}/{row['fromMs']}"


def customer(id: str, name: str, **identifiers: str) -> dict[str, Any]:
    return {
        "id": id, "name": name, "tier": "gold", "points": 120, "visits": 3, "lastVisitMs": None, "language": "de",
        "identifiers": [{"kind": kind, "value": value} for kind, value in identifiers.items()], "sizes": ["38"], "birthday": "--05-17",
        "notes": ["likes green"], "talk": {"channel": "chat", "atMs": 5, "text": "is it in?", "promised": True}, "goesWith": ["the scarf"],
    }  # fmt: skip


def cart(id: str, customer: str, *skus: str, version: int = 1, opened_ms: int = 10) -> dict[str, Any]:
    lines = [{"line": f"l{number}", "sku": sku, "pieces": 1, "unitPriceMinor": 500} for number, sku in enumerate(skus)]
    return {"id": id, "customer": customer, "version": version, "currency": "EUR", "lines": lines, "channel": "web", "openedMs": opened_ms, "heldBy": ""}


def staff(id: str, badge: str, *rights: str) -> dict[str, Any]:
    return {"id": id, "name": f"Name {id}", "badge": badge, "rights": list(rights)}


def put(key: str, data: dict[str, Any], valid_from_ms: int | None = None, valid_to_ms: int | None = None) -> FeedLine:
    return FeedLine("put", key, 1, msgspec.Raw(json.dumps(data).encode()), valid_from_ms, valid_to_ms)


def gone(key: str) -> FeedLine:
    return FeedLine("del", key, 2, msgspec.Raw(b"null"))


def at(cursor: str, as_of_ms: int = NOW_MS) -> FeedState:
    return FeedState(cursor, "", as_of_ms)


def quiet(rows: int) -> None:
    """A progress that nobody looks at."""


def many_articles(count: int, first: int = 0) -> Iterator[FeedLine]:
    colours = ("green", "blue", "grün", "rosé", "black")
    for number in range(first, first + count):
        sku = f"TS-{number:07d}"
        yield put(sku, article(sku, f"Cotton shirt {colours[number % 5]}", gtin(number), variant=f"size {34 + number % 12}"))


def many_prices(count: int) -> Iterator[FeedLine]:
    for number in range(count):
        row = price(f"TS-{number:07d}", 1000 + number % 500)
        yield put(price_key(row), row)


def as_page(lines: Iterable[FeedLine], cursor: str, more: bool = False, as_of_ms: int = NOW_MS) -> bytes:
    """A feed's answer, as bytes."""
    rows = [msgspec.json.encode(line) for line in lines]
    end = {"op": "end", "cursor": cursor, "more": more, "count": len(rows), "asOfMs": as_of_ms}
    return b"\n".join([*rows, json.dumps(end).encode()]) + b"\n"
