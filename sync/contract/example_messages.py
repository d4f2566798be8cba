"""The golden examples of what is said beside facts: enrolment, cursors, acknowledgements, problems, feeds, snapshots and carts.

They belong to the example day of ``example_facts``: the cursor is central's after that day, the enrolment is the one that it was sold under.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.domain.market import GERMANY
from sync.contract.envelope import FIRST_PREVHASH, STREAMS
from sync.contract.example_facts import EPOCH, SOURCE, Heads, example_behind, example_day
from sync.contract.example_sales import EXAMPLE_START_MS
from sync.contract.facts import PartOfLine
from sync.contract.market import market_row
from sync.contract.messages import (
    PROBLEM_GAP,
    PROBLEM_HELD,
    PROBLEM_ROOT,
    ClaimAnswer,
    ClaimRequest,
    CompleteRequest,
    CustomersFound,
    Enrolled,
    EnrolRequest,
    FeedEnd,
    FeedRow,
    Problem,
    PushAck,
    Quarantined,
    RegisterAck,
    RegisterCursor,
    ReleaseRequest,
    SnapshotManifest,
    StreamAck,
    StreamCursor,
    enrol_message,
)
from sync.contract.problems import PROBLEMS
from sync.contract.rows import CustomerRow, IdentifierRow

FROZEN = "Two machines sell as this register, or it lost facts: its disk has trade up to 4, central up to 6. Enrol the right machine again."
CART, LEASE = "CART-7Q2M", "Zk3rT0pQ"
"""What the day's second sale names as its own."""
UNTIL_MS = EXAMPLE_START_MS + 50 * 60_000


def message_examples() -> dict[str, bytes]:
    """Name under ``examples/`` and bytes of each."""
    heads = Heads()
    example_day(heads)
    cursor = _cursor(heads, "")
    example_behind(heads)
    lines = b"".join(msgspec.json.encode(line) + b"\n" for line in _page())
    made = {
        "problem.sequence-gap": _gap(),
        "problem.cart-held": _held(),
        "push-ack": _ack(),
        "register-cursor": cursor,
        "register-cursor.frozen": _cursor(heads, FROZEN),
        "enrol-request": _enrol_request(),
        "enrolled": _enrolled(),
        "snapshot-manifest": _manifest(),
        "customers-found": _found(),
        "claim-request": ClaimRequest(version=4, key="0199a5d0-0000-7000-8000-00000000b001"),
        "claim-answer": ClaimAnswer(cart=CART, version=4, token=LEASE, until_ms=UNTIL_MS),
        "claim-answer.prolonged": ClaimAnswer(cart=CART, version=4, token=LEASE, until_ms=UNTIL_MS + 300_000),
        "release-request": ReleaseRequest(token=LEASE),
        "complete-request": CompleteRequest(
            token=LEASE, sale="0199a5d0-0000-7000-8000-000000000124", lines=["wl-1"], sold_pieces=[PartOfLine(line="wl-1", pieces=1)]
        ),
    }
    return {f"{name}.json": msgspec.json.encode(value) for name, value in made.items()} | {"feed-page.ndjson": lines.rstrip(b"\n")}


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _made_up(name: str, count: int) -> str:
    """A secret of nobody's."""
    return _text(hashlib.sha256(f"example {name}".encode()).digest()[:count])


def _cursor(heads: Heads, frozen: str) -> RegisterCursor:
    streams = {stream: StreamCursor(*heads.next(stream)) for stream in sorted(STREAMS)}
    return RegisterCursor(source=SOURCE, epoch=EPOCH, streams=streams, frozen=frozen)


def _enrol_request() -> EnrolRequest:
    """Its proof is a true one, by a key that anybody can make again: the seed is the SHA-256 of a text."""
    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"example device key").digest())
    code, public = "7KQ2M-9XW01", _text(key.public_key().public_bytes_raw())
    return EnrolRequest(code=code, public_key=public, proof=_text(key.sign(enrol_message(code, public))), device="store PC 2", epochs={SOURCE: "2"})


def _enrolled() -> Enrolled:
    _, _, tenant, _, store, _, register = SOURCE.split("/")
    return Enrolled(
        tenant=tenant, store=store, store_name="Berlin Mitte", register=register, epoch=EPOCH, token=_made_up("token", 32), country="DE",
        issued_ms=EXAMPLE_START_MS - 3_600_000, market=market_row(GERMANY),
        earlier={"2": {"ops": StreamCursor(next=3, head_hash=hashlib.sha256(b"example fact").hexdigest()), "trade": StreamCursor(1, FIRST_PREVHASH)}},
    )  # fmt: skip


def _manifest() -> SnapshotManifest:
    digest = hashlib.sha256(b"example snapshot").hexdigest()
    url = f"/edge/v1/snapshots/catalogue/catalogue-EUR-42-{digest[:16]}.ndjson.zst"
    return SnapshotManifest(
        feed="catalogue", schema=1, cursor="mRq0Zg-EUR-42-42-1795162000000", sha256=digest, size=81_204, rows=2_000, issued_ms=EXAMPLE_START_MS, url=url
    )  # fmt: skip


def _found() -> CustomersFound:
    """A couple who share a phone number."""
    number = IdentifierRow(kind="phone", value="+493023125042")
    cards = (("C100001", "Maria Fernandez", "LOY0000000001"), ("C100002", "Omar Fernandez", "LOY0000000002"))
    rows = [
        CustomerRow(
            id=id, name=name, tier="gold", points=120, visits=3, last_visit_ms=EXAMPLE_START_MS - 86_400_000, language="de",
            identifiers=[number, IdentifierRow(kind="loyalty", value=card)], sizes=["38"], birthday="--11-24", notes=[], talk=None, goes_with=[],
        )
        for id, name, card in cards
    ]  # fmt: skip
    return CustomersFound(customers=rows)


def _gap() -> Problem:
    return _problem(PROBLEM_GAP, detail="Expected number 7 of trade, got 9.", expected=7, stream="trade")


def _held() -> Problem:
    return _problem(PROBLEM_HELD, held_by="0001/01", until_ms=EXAMPLE_START_MS + 900_000)


def _problem(kind: str, **members: Any) -> Problem:
    told = PROBLEMS[kind]
    return Problem(type=kind, title=told.title, status=told.status, **members)


def _ack() -> PushAck:
    wrong = Problem(
        type=PROBLEM_ROOT + "sale-total", title="The total is not the lines and the tax", status=422, detail="Lines 1722 and tax on top 0 are not 1700."
    )
    trade = StreamAck(next=8, accepted=6, duplicates=1, quarantined=[Quarantined(sequence=5, problem=wrong)])
    return PushAck(registers={SOURCE: RegisterAck(epoch=EPOCH, streams={"trade": trade, "people": StreamAck(next=2, accepted=1, duplicates=0)})})


def _page() -> list[FeedRow | FeedEnd]:
    price = {"sku": "A-1001", "amountMinor": 1999, "currency": "EUR", "book": "de", "version": "2026-11", "group": "", "fromMs": 0, "untilMs": None}
    return [
        FeedRow(op="put", key="A-1001/de//0", rev=41, data=price, valid_from_ms=0),
        FeedRow(op="del", key="A-1002/de//0", rev=42),
        FeedEnd(op="end", cursor="mRq0Zg-EUR-42-42-1795162000000", more=False, count=2, as_of_ms=EXAMPLE_START_MS),
    ]
