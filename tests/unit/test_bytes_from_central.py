"""Whatever bytes stand in central's place, or in the files that a register reads at its start: a value of the contract, or an EdgeError."""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import httpx
import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edge_agent.bootstrap import shop_of
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import Config, load_config, parse_config
from edge_agent.domain.cart import Cart, Lease
from edge_agent.domain.customer import Customer, Identifier, IdentifierKind
from edge_agent.domain.errors import ConfigError, ContractBroken, EdgeError
from edge_agent.domain.market import GERMANY
from edge_agent.formats import Formats
from edge_agent.ports import LinkReport
from sync.backoff import Pace
from sync.connectors.contract import Settings
from sync.connectors.http import HttpConnector, HttpEnroller
from sync.contract.fields import UNREADABLE
from sync.contract.market import market_row
from sync.contract.messages import (
    PROBLEM_CHAIN,
    PROBLEM_CHANGED,
    PROBLEM_CURSOR_EXPIRED,
    PROBLEM_ENVELOPE,
    PROBLEM_GAP,
    PROBLEM_HELD,
    PROBLEM_NOT_FOUND,
    PROBLEM_TOO_LARGE,
    Enrolled,
    RegisterCursor,
    SnapshotManifest,
)  # fmt: skip
from sync.contract.rows import ROW_BY_FEED, ArticleRow, CartRow, CustomerRow, PriceRow, StaffRow
from sync.durable_files import write_synced
from sync.enrol import FILE_NAME, Enrolment, request_of
from sync.enrol import load as load_enrolment
from sync.feed_store import FeedLine, FeedState, parse_lines, parse_page
from sync.journal_facts import Identity
from sync.link import Acknowledged, Busy, Culprit, Expired, Fetched, Frozen, Gap, NoSnapshot, Page, Refused, TooLarge, Unchanged, Unreachable
from sync.pull import Pull
from sync.push import Push
from sync.replica import Replica
from sync.replica_rows import article_of, cart_of, customer_of, operator_of, price_of, read_row
from tests.support_journal import KEY, a_commit, open_journal
from tests.support_replica import NOW_MS, FixedClock, article, as_page, cart, customer, gtin, price, price_key, put, staff

T = TypeVar("T")
QUICK = Pace(base=0.0, cap=0.0, idle=0.001, frozen=0.0)
HTTP_JSON, HTTP_PROBLEM, HTTP_ROWS = b"application/json", b"application/problem+json", b"application/x-ndjson"
FAILURES = (Unreachable, Busy, Refused, Frozen)

# --- good answers ----------------------------------------------------------------------------------------------------------------

STREAM = {"next": 3, "accepted": 2, "duplicates": 0, "quarantined": [{"sequence": 2, "problem": {"type": "x", "title": "y", "status": 422}}]}
ACK = {"registers": {"/t/acme/s/0001/r/02": {"epoch": "e1", "streams": {"trade": STREAM}}}}
CURSOR = {"source": "/t/acme/s/0001/r/02", "epoch": "e1", "streams": {"trade": {"next": 2, "headHash": "ab"}}, "frozen": ""}
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


def settings_of(given_answers: list[Raw]) -> Settings:
    """A network that gives these answers, in turn and then again from the first."""
    turn = itertools.cycle(given_answers)
    transport = httpx.MockTransport(lambda request: next(turn).response())
    return Settings("https://central.example", "token", "02", FixedClock(), transport=transport)


def asked(given_answers: list[Raw], question: Callable[[HttpConnector], Coroutine[object, object, T]]) -> T | EdgeError:
    """What a connector answers, or the EdgeError that it raises; anything else that it raises fails the test."""

    async def ask() -> T | EdgeError:
        connector = HttpConnector(settings_of(given_answers))
        try:
            return await question(connector)
        except EdgeError as error:
            assert error.hint
            return error
        finally:
            await connector.aclose()

    return asyncio.run(ask())


# --- one answer, one value -------------------------------------------------------------------------------------------------------


@given(answers(bodies(ACK)))
def test_a_push_is_answered_by_a_value(answer: Raw) -> None:
    found = asked([answer], lambda http: http.push([b"{}"]))
    assert isinstance(found, (Acknowledged, Gap, TooLarge, Culprit, *FAILURES))


@given(answers(bodies(CURSOR)))
def test_a_question_for_the_cursor_is_answered_by_a_value(answer: Raw) -> None:
    assert isinstance(asked([answer], lambda http: http.cursor()), (RegisterCursor, *FAILURES))


@given(st.sampled_from(sorted(ROWS)).flatmap(lambda feed: answers(pages(feed) | st.binary(max_size=100), HTTP_ROWS)))
@example(Raw(200, [(b"content-type", HTTP_ROWS), (b"etag", b'"\xe9"')], b""))
def test_a_page_is_answered_by_a_value_and_its_tag_can_be_asked_with(answer: Raw) -> None:
    async def twice(http: HttpConnector) -> object:
        first = await http.page("catalogue", "at-1")
        return await http.page("catalogue", "at-1", first.etag) if isinstance(first, Page) else first

    assert isinstance(asked([answer], twice), (Page, Unchanged, Expired, *FAILURES))


@given(answers(bodies(MANIFEST)), answers(st.binary(max_size=60), b"application/zstd"))
def test_a_snapshot_is_announced_and_fetched_as_a_value(announced: Raw, file: Raw) -> None:
    async def both(http: HttpConnector) -> object:
        manifest = await http.manifest("catalogue")
        with TemporaryDirectory() as folder:
            return await http.fetch(manifest, Path(folder) / "file.part") if isinstance(manifest, SnapshotManifest) else manifest

    assert isinstance(asked([announced, file], both), (Fetched, NoSnapshot, *FAILURES))


@given(answers(bodies(ROWS["customers"][1])))
def test_a_customer_comes_or_an_edge_error(answer: Raw) -> None:
    found = asked([answer], lambda http: http.identify(Identifier(IdentifierKind.LOYALTY, "LOY0000000001")))
    assert found is None or isinstance(found, Customer | EdgeError)


@given(answers(bodies(ROWS["carts"][1])))
def test_a_cart_comes_or_an_edge_error(answer: Raw) -> None:
    for found in (asked([answer], lambda http: http.cart("CART-1")), asked([answer], lambda http: http.cart_of("c1"))):
        assert found is None or isinstance(found, Cart | EdgeError)


@given(answers(bodies(CLAIM)))
def test_a_cart_is_claimed_released_and_completed_or_an_edge_error_says_why(answer: Raw) -> None:
    assert isinstance(asked([answer], lambda http: http.claim("CART-1", 7, "key-0001")), Lease | EdgeError)
    lease = Lease("CART-1", 7, "t", NOW_MS)
    for nothing in (asked([answer], lambda http: http.release(lease)), asked([answer], lambda http: http.complete(lease, "s1", ["l1"]))):
        assert nothing is None or isinstance(nothing, EdgeError)


@given(answers(bodies(ENROLLED)))
def test_an_enrolment_comes_and_can_be_kept_or_an_edge_error(answer: Raw) -> None:
    try:
        found = asyncio.run(HttpEnroller(settings_of([answer])).enrol(request_of(bytes(32), "CODE-1", "pc")))
    except EdgeError as error:
        assert error.hint
    else:
        assert isinstance(found, Enrolled)
        assert isinstance(Enrolment("https://central.example", found).identity, Identity)


# --- pages, rows, files ----------------------------------------------------------------------------------------------------------


@given(st.sampled_from(sorted(ROWS)).flatmap(pages) | st.binary(max_size=100))
def test_a_page_is_whole_or_the_contract_is_broken(body: bytes) -> None:
    try:
        rows, end = parse_page(body)
    except ContractBroken as error:
        assert error.hint
    else:
        assert len(rows) == end.count
    for split in (1, 7, len(body) + 1):
        try:
            assert all(isinstance(line, FeedLine) for line in parse_lines(body[at : at + split] for at in range(0, len(body), split)))
        except ContractBroken as error:
            assert error.hint


READERS: dict[str, Callable[[Any], object]] = {
    "catalogue": article_of, "prices": price_of, "staff": operator_of, "customers": lambda row: customer_of(row, 1), "carts": lambda row: cart_of(row, 1),
}  # fmt: skip


@given(st.sampled_from(sorted(ROWS)).flatmap(lambda feed: st.tuples(st.just(feed), bodies(ROWS[feed][1]))))
def test_a_row_is_a_value_of_the_domain_or_the_contract_is_broken(drawn: tuple[str, bytes]) -> None:
    feed, body = drawn
    try:
        row = read_row(body, ROW_BY_FEED[feed])
    except ContractBroken as error:
        assert error.hint
    else:
        assert isinstance(row, ArticleRow | PriceRow | CustomerRow | CartRow | StaffRow)
        assert READERS[feed](row) is not None


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(sorted(ROWS)).flatmap(lambda feed: st.tuples(st.just(feed), pages(feed))), min_size=10, max_size=20))
def test_whatever_a_page_holds_goes_into_the_copy_or_is_refused_and_can_be_looked_for(drawn: list[tuple[str, bytes]]) -> None:
    with TemporaryDirectory() as folder:
        replica = Replica(Path(folder), KEY, FixedClock())
        try:
            for feed, body in drawn:
                try:
                    rows, end = parse_page(body)
                    replica.apply(feed, rows, FeedState(end.cursor, "", end.as_of_ms))
                except EdgeError as error:
                    assert error.hint
            for text in ("wool", "ada", "+49151", "A-1"):
                replica.catalogue.find(text, 10)
                replica.people.find(text, 10)
            found = (replica.catalogue.by_sku("A-1"), replica.people.customer("c1"), replica.people.cart_of("c1"), replica.people.operator("1001"))
            assert len(found) == 4
            replica.catalogue.prices("A-1")
        finally:
            replica.close()


MARKET = json.loads(msgspec.json.encode(market_row(GERMANY)))
PLACES = st.sampled_from(["Europe", "US", "America/Argentina", "Europe/Berlin", "Etc/UTC", "/etc", "a/b", "-"]) | st.text("AEabc_/+-", min_size=1, max_size=10)
LOCALES = st.sampled_from(["de_DE", "und", "iw", "zz_ZZ", "de_1", "en_US_POSIX", "zh_Hans_CN"]) | st.text("abde_DEZ1", min_size=2, max_size=8)


@given(mutated_tree(MARKET) | st.builds(lambda zone, locale: MARKET | {"timezone": zone, "locale": locale}, PLACES, LOCALES), st.sampled_from(["EUR", "XTS"]))
@example(MARKET | {"timezone": "Europe"}, "EUR")
def test_a_stores_market_can_be_sold_by_or_an_edge_error_says_why_not(market: object, currency: str) -> None:
    body = json.dumps(ENROLLED | {"market": market | {"currency": currency} if isinstance(market, dict) else market}).encode()
    try:
        who = msgspec.json.decode(body, type=Enrolled)
    except UNREADABLE:
        return
    try:
        shop = shop_of(Config(), who)
    except EdgeError as error:
        assert error.hint
    else:
        formats = Formats(shop.market)
        assert formats.amount(-123_456)
        assert formats.moment(NOW_MS)


@given(bodies({"url": "https://central.example", "register": ENROLLED}))
def test_the_enrolment_on_disk_is_read_or_said_to_be_none(body: bytes) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_synced(folder / FILE_NAME, body)
        try:
            found = load_enrolment(folder)
        except ConfigError as error:
            assert error.hint
        else:
            assert found is not None
            assert found.identity.source.startswith("/t/")


# --- the configuration -----------------------------------------------------------------------------------------------------------

TOML = b"""state = "/var/lib/edge"
connector = "http"
[api]
port = 8080
[receipts]
header = ["Berlin Mitte"]
[[tenders]]
kind = "card_terminal"
terminal = "t1"
[devices.scanner]
kind = "serial_scanner"
baud = 9600
since = 2026-11-22T10:00:00Z
[codes]
currency = "EUR"
separators = "@"
[codes.weighed]
weight = "21.....{NNDDD}"
[codes.prefixes]
loyalty = ["LOY{9:8-12}", "https://shop.example/l/{id}"]
[codes.first]
gift_card = "9999{9:12}"
"""
CONTENT: dict[str, object] = {
    "state": "", "connector": "http", "api": {"port": 1}, "receipts": {"header": ["x"]}, "tenders": [{"kind": "cash"}], "devices": {"s": {"kind": "x", "n": 1}},
    "codes": {
        "currency": "EUR", "separators": "@", "expects_aim": True, "weighed": {"weight": "21.....{NNDDD}", "price": ["22.....{NNNDD}"]},
        "prefixes": {"loyalty": ["LOY{9:8-12}"], "cart": "https://shop.example/cart/{id}"},
    },
}  # fmt: skip
PATTERNS = st.text("#{}[]9AXBW:-0123.NDx/htps?é\x00²", max_size=16)


def read(config: Callable[[], Config]) -> None:
    """The configuration and what is made of it, or a ConfigError with a hint."""
    try:
        found = config()
        found.code_rules()
    except ConfigError as error:
        assert error.hint
    else:
        assert isinstance(found, Config)


@given(mutated_bytes(TOML) | st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@example(b"a = " + b"[" * 5_000)
@example(b"a = " + b"9" * 5_000)
@example(b"a = 0000-99-99")
def test_a_configuration_file_is_read_or_said_to_be_wrong(body: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "edge.toml"
        path.write_bytes(body)
        read(lambda: load_config(path))


@given(mutated_tree(CONTENT).filter(lambda made: isinstance(made, dict)))
def test_a_configuration_of_other_values_is_read_or_said_to_be_wrong(content: dict[str, object]) -> None:
    read(lambda: parse_config(content, "edge.toml"))


@given(st.sampled_from(["prefixes", "first", "weighed"]), st.sampled_from(["loyalty", "cart", "weight", "price", "count"]), PATTERNS)
def test_a_pattern_of_the_shop_is_read_or_said_to_be_wrong(table: str, kind: str, pattern: str) -> None:
    read(lambda: parse_config({"codes": {table: {kind: pattern}}}, "edge.toml"))


# --- whole tasks -----------------------------------------------------------------------------------------------------------------


class Central:
    """A network that answers each question by the end of its path, in turn; knows when all that was drawn was said."""

    def __init__(self, drawn: dict[str, list[Raw]]) -> None:
        self._drawn = {path: itertools.cycle(given_answers) for path, given_answers in drawn.items()}
        self._left = 3 * sum(map(len, drawn.values()))
        self.done = asyncio.Event()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self._left -= 1
        if self._left <= 0:
            self.done.set()
        await asyncio.sleep(0)
        return next(next(turn for path, turn in self._drawn.items() if request.url.path.endswith(path) or not path)).response()

    def connector(self) -> HttpConnector:
        return HttpConnector(Settings("https://central.example", "token", "02", FixedClock(), transport=httpx.MockTransport(self)))


async def outlives(running: Coroutine[object, object, None], central: Central) -> None:
    """The task is still running when everything was said to it."""
    task = asyncio.create_task(running)
    said = asyncio.create_task(central.done.wait())
    ended, _ = await asyncio.wait({task, said}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    for one in (task, said):
        one.cancel()
    failed = (await asyncio.gather(task, return_exceptions=True))[0]
    assert isinstance(failed, asyncio.CancelledError), failed
    assert said in ended


def without_waiting(drawn: Raw) -> Raw:
    """The answer without its wish to be asked later."""
    return Raw(drawn.status, [pair for pair in drawn.headers if pair[0] != b"retry-after"], drawn.content)


ANNOUNCED = json.dumps(MANIFEST)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(answers(bodies(MANIFEST)), min_size=2, max_size=4),
    st.lists(answers(st.binary(max_size=60), b"application/zstd"), min_size=1, max_size=2),
    st.data(),
)
@example([Raw(200, [(b"content-type", HTTP_JSON)], ANNOUNCED.replace("ab" * 32, "\\u0000").encode())], [Raw(200, [], b"x")], None)
@example([Raw(200, [(b"content-type", HTTP_JSON)], ANNOUNCED.replace("ab" * 32, "/../../x").encode())], [Raw(200, [], b"x")], None)
def test_the_pull_outlives_whatever_is_said_to_it(manifests: list[Raw], files: list[Raw], data: Any) -> None:
    drawn = {"/snapshots/catalogue": manifests, "/file": files, "/snapshots/prices": [Raw(404, [(b"content-type", HTTP_PROBLEM)], b"")]}
    for feed in ("prices", "customers", "carts"):
        whole = Raw(200, [(b"content-type", HTTP_ROWS), (b"etag", b'"\xe9"')], as_page([put(*ROWS[feed])], "at-1"))
        told = [] if data is None else data.draw(st.lists(answers(pages(feed), HTTP_ROWS), max_size=4), label=feed)
        drawn[f"/feeds/{feed}"] = [whole, *told]
    drawn[""] = [Raw(500, [], b"")]

    async def pull(folder: Path) -> None:
        central = Central({path: [without_waiting(one) for one in given_answers] for path, given_answers in drawn.items()})
        replica, connector = Replica(folder, KEY, FixedClock()), central.connector()
        try:
            running = Pull(connector, replica, ("catalogue", "prices", "customers", "carts"), folder, FixedClock(), SystemRandom(), pace=QUICK).run()
            await outlives(running, central)
            assert {path.name.split("-")[0] for path in folder.iterdir()} <= {"catalogue", "catalogue.current", "people.db"}
        finally:
            await connector.aclose()
            replica.close()

    with TemporaryDirectory() as folder:
        (Path(folder) / "state").mkdir()
        asyncio.run(pull(Path(folder) / "state"))
        assert [path.name for path in Path(folder).iterdir()] == ["state"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_the_push_outlives_whatever_is_said_to_it_and_no_fact_is_dropped_unacknowledged(data: Any) -> None:
    identity = Identity("/t/acme/s/0001/r/02", "e1")
    cursors = data.draw(st.lists(answers(bodies(CURSOR)), max_size=2), label="cursors")
    acks = data.draw(st.lists(answers(bodies(ACK)), min_size=2, max_size=6), label="acknowledgements")

    async def push(folder: Path) -> None:
        journal = open_journal(folder, ballast_bytes=4_096)
        await journal.adopt(identity)
        for _ in range(3):
            await journal.commit(a_commit(facts=1))
        good = Raw(200, [(b"content-type", HTTP_JSON)], json.dumps({"source": identity.source, "epoch": "e1", "streams": {}, "frozen": ""}).encode())
        central = Central({"/cursor": [good, *map(without_waiting, cursors)], "/events": [without_waiting(one) for one in acks]})
        connector, told = central.connector(), list[LinkReport]()
        try:
            await outlives(Push(journal, connector, SystemClock(), SystemRandom(), told.append, QUICK).run(), central)
            assert all(status.acknowledged <= status.head for status in journal.streams())
            assert journal.verify().problems == ()
        finally:
            await connector.aclose()
            await journal.close()

    with TemporaryDirectory() as folder:
        asyncio.run(push(Path(folder)))
