"""A register as central sees it, without any of the edge's own sync: it enrols, numbers and links facts, and speaks HTTP."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.clock import SystemRandom
from sync.central.central import Central
from sync.central.limits import Limits
from sync.central.serving import EmbeddedCentral
from sync.contract import facts
from sync.contract.envelope import BATCH_TYPE, FIRST_PREVHASH, encode_fact, fact_hash, join_batch, source_of
from sync.contract.example_sales import EXAMPLE_START_MS, cash_sale
from sync.contract.messages import enrol_message
from sync.contract.rows import StoreRow

TENANT = "acme"
STORES = [
    StoreRow(store="0001", store_name="Berlin Mitte", country="DE", registers=["01", "02", "03"]),
    StoreRow(store="0002", store_name="SoHo", country="US", registers=["01"]),
]


class SetClock:
    """Wall time that a test moves; monotonic time is real."""

    def __init__(self, now_ms: int = EXAMPLE_START_MS) -> None:
        self.wall_ms = now_ms

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic(self) -> float:
        return time.monotonic()


@contextmanager
def running_central(folder: Path, clock: SetClock | None = None, limits: Limits | None = None) -> Iterator[EmbeddedCentral]:
    """A served central with two stores."""
    embedded = EmbeddedCentral(folder, clock, SystemRandom(), tenant=TENANT, limits=limits)
    embedded.start()
    try:
        embedded.central.seed_stores(STORES)
        yield embedded
    finally:
        embedded.stop()


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def enrol_request(code: str, key: Ed25519PrivateKey | None = None) -> dict[str, str]:
    key = key or Ed25519PrivateKey.generate()
    public = base64url(key.public_key().public_bytes_raw())
    return {"code": code, "publicKey": public, "proof": base64url(key.sign(enrol_message(code, public))), "device": "test"}


class Register:
    """One enrolled register with its own streams."""

    def __init__(self, http: httpx.Client, code: str, key: Ed25519PrivateKey | None = None) -> None:
        answer = http.post("/edge/v1/enrolments", json=enrol_request(code, key))
        assert answer.status_code == 201, answer.text
        self.http = http
        self.identity: dict[str, Any] = answer.json()
        self.store, self.number, self.epoch = self.identity["store"], self.identity["register"], self.identity["epoch"]
        self.source = source_of(self.identity["tenant"], self.store, self.number)
        self.heads: dict[str, tuple[int, str]] = {}
        self.receipts = 0

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.identity['token']}"}

    def fact(self, kind: str, data: dict[str, Any], *, stream: str = "", subject: str = "", **changes: Any) -> bytes:
        """The next fact of its stream; ``changes`` are made to the envelope."""
        stream = stream or facts.STREAM_BY_TYPE.get(kind, "ops")
        number, prevhash = self.heads.get(stream, (1, FIRST_PREVHASH))
        made: dict[str, Any] = {
            "source": self.source, "stream": stream, "epoch": self.epoch, "number": number, "prevhash": prevhash,
            "id": f"{self.number}-{self.epoch}-{stream}-{number}", "type": kind, "subject": subject or data.get("transactionId", "s"),
            "at_ms": EXAMPLE_START_MS, "salt": SystemRandom().token_bytes(16), "data": data,
        } | changes  # fmt: skip
        wire = encode_fact(**made)
        self.heads[stream] = (made["number"] + 1, fact_hash(wire))
        return wire

    def anew(self, wire: bytes, **changes: Any) -> bytes:
        """A fact of an earlier epoch as the next one of its stream in this one, with its id and data; ``changes`` are made to the data."""
        fact = msgspec.json.decode(wire)
        return self.fact(fact["type"], fact["data"] | changes, stream=fact["stream"], subject=fact["subject"], id=fact["id"])

    def common(self) -> dict[str, Any]:
        return {
            "retailStoreId": self.store, "workstationId": self.number, "businessDayDate": "2026-11-20", "shiftId": "shift-1", "operatorId": "1001",
            "atMs": EXAMPLE_START_MS,
        }  # fmt: skip

    def sale_data(self, **changes: Any) -> dict[str, Any]:
        self.receipts += 1
        sale = cash_sale(self.common())
        number = f"{self.epoch}-{self.receipts}"
        names = {"transactionId": f"sale-{self.store}-{self.number}-{number}", "receiptCode": f"R-{self.store}-{self.number}-{self.receipts:06d}"}
        return sale | names | {"sequenceNumber": self.receipts, "currencyCode": self.identity["market"]["currency"]} | changes

    def sale(self, **changes: Any) -> bytes:
        return self.fact(facts.SALE, self.sale_data(**changes))

    def visit(self, customer: str) -> bytes:
        return self.fact(facts.VISIT, {**self.common(), "customerId": customer, "identifiedBy": "loyalty", "saleId": None})

    def behind(self, stream: str, ours: int, central: int, head_hash: str, /, **changes: Any) -> bytes:
        """That this register's disk has the stream only up to ``ours``."""
        said = {"epoch": self.epoch, "stream": stream, "ours": ours, "central": central, "headHash": head_hash}
        return self.fact(facts.BEHIND, {**self.common(), **said, **changes}, subject=stream)

    def push(self, *wires: bytes, headers: dict[str, str] | None = None, body: bytes | None = None) -> httpx.Response:
        sent = join_batch(list(wires)) if body is None else body
        return self.http.post("/edge/v1/events", content=sent, headers=self.headers | {"Content-Type": BATCH_TYPE} | (headers or {}))

    def push_zstd(self, *wires: bytes) -> httpx.Response:
        return self.push(body=zstandard.compress(join_batch(list(wires))), headers={"Content-Encoding": "zstd"})

    def ack(self, answer: httpx.Response, stream: str = "trade") -> dict[str, Any]:
        """The stream's acknowledgement; AssertionError unless the push was accepted."""
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["registers"][self.source]["streams"][stream]
        return found

    def next(self, stream: str = "trade") -> int:
        """What central wants next."""
        answer = self.http.get(f"/edge/v1/registers/{self.number}/cursor", headers=self.headers)
        assert answer.status_code == 200, answer.text
        streams = answer.json()["streams"]
        return int(streams[stream]["next"]) if stream in streams else 1

    def feed(self, name: str, after: str = "", headers: dict[str, str] | None = None, **query: Any) -> httpx.Response:
        return self.http.get(f"/edge/v1/feeds/{name}", params={"after": after, **query}, headers=self.headers | (headers or {}), timeout=40)


def lines_of(answer: httpx.Response) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and end of a feed's page."""
    assert answer.status_code == 200, answer.text
    *rows, end = [msgspec.json.decode(line) for line in answer.content.splitlines()]
    assert end["op"] == "end"
    assert end["count"] == len(rows)
    return rows, end


def enrolled(http: httpx.Client, central: Central, store: str = "0001", register: str = "02") -> Register:
    return Register(http, central.enrol_code(store, register).code)


def cart_row(cart: str = "CART-1", customer: str = "c1", currency: str = "EUR", lines: int = 3, version: int = 1) -> dict[str, Any]:
    return {
        "id": cart, "customer": customer, "version": version, "currency": currency, "channel": "web", "openedMs": 1, "heldBy": "",
        "lines": [{"line": f"l{number}", "sku": f"A-{number}", "pieces": number, "unitPriceMinor": 1000} for number in range(1, lines + 1)],
    }  # fmt: skip


def customer_row(customer: str = "c1", **changes: Any) -> dict[str, Any]:
    return {
        "id": customer, "name": "Ada Example", "tier": "gold", "points": 10, "visits": 2, "lastVisitMs": None, "language": "en",
        "identifiers": [{"kind": "loyalty", "value": f"LOY-{customer}"}, {"kind": "email", "value": f"{customer}@example.org"}], "sizes": [],
        "birthday": "", "notes": [], "talk": None, "goesWith": [],
    } | changes  # fmt: skip


def price_row(sku: str = "A-1", minor: int = 1999, currency: str = "EUR", book: str = "de") -> tuple[str, dict[str, Any]]:
    row = {"sku": sku, "amountMinor": minor, "currency": currency, "book": book, "version": "1", "group": "", "fromMs": 0, "untilMs": None}
    return f"{sku}/{book}//0", row
