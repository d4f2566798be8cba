"""Bytes that may stand in place of good ones: answers of central's, pages and rows, cut, swapped and filled with what nobody expects."""

from __future__ import annotations

import copy
import json
from typing import Any

import httpx
from hypothesis import strategies as st

from sync.backoff import Pace
from sync.contract.messages import (
    PROBLEM_CHAIN,
    PROBLEM_CHANGED,
    PROBLEM_CURSOR_EXPIRED,
    PROBLEM_ENVELOPE,
    PROBLEM_GAP,
    PROBLEM_HELD,
    PROBLEM_NOT_FOUND,
    PROBLEM_TOO_LARGE,
)  # fmt: skip
from sync.link import Busy, Frozen, Refused, Unreachable
from tests.support_replica import NOW_MS, article, cart, customer, gtin, price, price_key, staff

QUICK = Pace(base=0.0, cap=0.0, idle=0.001, frozen=0.0, withhold=0.0)
HTTP_JSON, HTTP_PROBLEM, HTTP_ROWS = b"application/json", b"application/problem+json", b"application/x-ndjson"
FAILURES = (Unreachable, Busy, Refused, Frozen)

# --- good answers ----------------------------------------------------------------------------------------------------------------

STREAM = {"next": 3, "accepted": 2, "duplicates": 0, "quarantined": [{"sequence": 2, "problem": {"type": "x", "title": "y", "status": 422}}]}
ACK = {"registers": {"/t/acme/s/0001/r/02": {"epoch": "e1", "streams": {"trade": STREAM}}}}
CURSOR = {"source": "/t/acme/s/0001/r/02", "epoch": "e1", "streams": {"trade": {"next": 2, "headHash": "ab" * 32}}, "frozen": ""}
MANIFEST = {
    "feed": "catalogue", "schema": 1, "cursor": "at-1", "sha256": "ab" * 32, "size": 40, "rows": 1, "issuedMs": NOW_MS,
    "url": "/edge/v1/snapshots/catalogue/file",
}  # fmt: skip
CLAIM = {"cart": "CART-1", "version": 7, "token": "t", "untilMs": NOW_MS}
ENROLLED = {
    "tenant": "acme", "store": "0001", "storeName": "Berlin", "register": "02", "epoch": "e1", "token": "t", "country": "DE", "issuedMs": NOW_MS,
}  # fmt: skip
PRICE = price("A-1", 1999)
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "catalogue": ("A-1", article("A-1", "Wool coat", gtin(1), variant="navy", item="12345")),
    "prices": (price_key(PRICE), PRICE),
    "customers": ("c1", customer("c1", "Ada", loyalty="LOY0000000001", phone="+49151", email="a@example.org")),
    "carts": ("CART-1", cart("CART-1", "c1", "A-1", "A-2")),
    "staff": ("1001", staff("1001", "1001", "sale.void")),
}
PROBLEM_TYPES = (
    PROBLEM_GAP, PROBLEM_CHAIN, PROBLEM_ENVELOPE, PROBLEM_TOO_LARGE, PROBLEM_CURSOR_EXPIRED, PROBLEM_HELD, PROBLEM_CHANGED, PROBLEM_NOT_FOUND, "about:blank",
)  # fmt: skip
PROBLEM = {
    "type": PROBLEM_GAP,
    "title": "No",
    "status": 409,
    "detail": "d",
    "expected": 3,
    "stream": "trade",
    "index": 0,
    "version": 1,
    "heldBy": "02",
    "untilMs": 5,
}

# --- what may come in their place ------------------------------------------------------------------------------------------------

NASTY = (
    b"\\ud800", b"\x00", b"\xff\xfe", b"1e999", b"9" * 5_000, b"-0", b"NaN", b"[" * 3_000, b'{"a":' * 3_000, b"null", b'""', b"\r\n", b"\n\n", b"\xc2\x85",
    b"}",
    b"-1", b"9223372036854775808", b'"\\u0000"', b"true", b"1.5",
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=12)
LEAVES |= st.sampled_from(["../../x", "\x00", "/", "é", "//other.example/", "/\x00", "9" * 400, 10**60, -1, 2**63])
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=5)


@st.composite
def mutated_bytes(draw: st.DrawFn, whole: bytes) -> bytes:
    """``whole`` after one to four cuts, swaps and insertions."""
    body = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body)))
        end = min(len(body), at + draw(st.integers(0, 8)))
        body[at:end] = draw(st.binary(max_size=4) | st.sampled_from(NASTY) | st.just(bytes(body[at:end] * 2)))
    return bytes(body)


@st.composite
def mutated_tree(draw: st.DrawFn, tree: object) -> object:
    """``tree`` with one or two of its members replaced, removed or added."""
    root = {"": copy.deepcopy(tree)}
    for _ in range(draw(st.integers(1, 2))):
        holder: Any = root
        key: Any = ""
        while isinstance(holder[key], dict | list) and holder[key] and draw(st.booleans() | st.just(True)):
            holder = holder[key]
            key = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        if holder is not root and draw(st.integers(0, 4)) == 0:
            del holder[key]
        else:
            holder[key] = draw(TREES)
    return root.get("")


def bodies(tree: object) -> st.SearchStrategy[bytes]:
    """A good body, a body with other members, a body with other bytes, or bytes that have nothing to do with it."""
    whole = json.dumps(tree).encode()
    changed = mutated_tree(tree).map(lambda made: json.dumps(made).encode())
    return changed | changed.flatmap(mutated_bytes) | mutated_bytes(whole) | st.binary(max_size=200) | st.just(whole)


@st.composite
def pages(draw: st.DrawFn, feed: str) -> bytes:
    """A page of a feed whose rows, lines or bytes are not what they should be."""
    key, row = ROWS[feed]
    lines = [{"op": "put", "key": key, "rev": 1, "data": row}, {"op": "del", "key": key, "rev": 2}, {"op": "put", "key": "other", "rev": 3, "data": row}]
    made = [draw(mutated_tree(line) if draw(st.booleans()) else st.just(line)) for line in lines]
    end = {"op": "end", "cursor": "at-3", "more": draw(st.booleans()), "count": len(lines), "asOfMs": NOW_MS}
    body = b"\n".join(json.dumps(line).encode() for line in [*made, draw(st.just(end) | mutated_tree(end))])
    return draw(mutated_bytes(body)) if draw(st.integers(0, 3)) == 0 else body


class Raw:
    """An answer before it is read: each time it is given, its bytes come again as from a wire."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
        self.status, self.headers, self.content = status, headers, content

    def __repr__(self) -> str:
        return f"Raw({self.status}, {self.headers!r}, {self.content!r})"

    def response(self) -> httpx.Response:
        return httpx.Response(self.status, headers=self.headers, stream=_Wire(self.content))


class _Wire(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> Any:
        for at in range(0, len(self._content), 4_096):
            yield self._content[at : at + 4_096]


FIELD_BYTES = st.lists(st.sampled_from([*range(0x21, 0x7F), *range(0x80, 0x100)]), max_size=24).map(bytes)
"""What a header's value may be made of on the wire (RFC 9110, field-vchar): h11 lets nothing else through."""
TYPES = st.sampled_from([HTTP_JSON, HTTP_PROBLEM, HTTP_ROWS, b"application/json; charset=latin-1", b"text/html", b""]) | FIELD_BYTES
DATES = st.sampled_from([b"Sun, 22 Nov 2026 23:00:00 GMT", b"Sun, 99 Nov 0000 99:99:99 +9999", b"0", b"1 Jan 9999999 0:0:0", b"Mon, 1 Jan 1 0:0:0 +2359", b"-"])


@st.composite
def answers(draw: st.DrawFn, body: st.SearchStrategy[bytes], type: bytes = HTTP_JSON) -> Raw:
    """An HTTP answer: often of the right status and type, with a body as drawn; else any status, headers and body, or a problem."""
    if draw(st.integers(0, 3)):
        status, kind, content = 200, type, draw(body)
    else:
        told = PROBLEM | {"type": draw(st.sampled_from(PROBLEM_TYPES))}
        status = draw(st.sampled_from([200, 201, 204, 302, 304, 400, 401, 404, 409, 410, 413, 415, 422, 429, 500, 503]))
        kind, content = draw(TYPES), draw(bodies(told))
    headers = [(b"content-type", kind), (b"etag", draw(FIELD_BYTES)), (b"date", draw(DATES | FIELD_BYTES)), (b"retry-after", draw(DATES | FIELD_BYTES))]
    if draw(st.integers(0, 5)) == 0:
        headers.append((b"content-encoding", draw(st.sampled_from([b"gzip", b"zstd", b"identity", b"br"]) | FIELD_BYTES)))
    return Raw(status, headers, content)
