"""Whatever bytes stand in central's place, or in the enrolment on disk: a value of the contract, or an EdgeError."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edge_agent.bootstrap import shop_of
from edge_agent.config import Config
from edge_agent.domain.cart import Cart, Lease
from edge_agent.domain.customer import Customer, Identifier, IdentifierKind
from edge_agent.domain.errors import ConfigError, ContractBroken, EdgeError
from edge_agent.domain.market import GERMANY
from edge_agent.formats import Formats
from sync.connectors.contract import Settings
from sync.connectors.http import HttpConnector, HttpEnroller
from sync.contract.fields import UNREADABLE
from sync.contract.market import market_row
from sync.contract.messages import (
    Enrolled,
    RegisterCursor,
    SnapshotManifest,
)  # fmt: skip
from sync.contract.rows import ROW_BY_FEED, ArticleRow, CartRow, CustomerRow, PriceRow, StaffRow
from sync.durable_files import write_synced
from sync.enrol import request_of
from sync.enrolment import FILE_NAME, Enrolment
from sync.enrolment import load as load_enrolment
from sync.feed_store import FeedLine, FeedState, parse_lines, parse_page
from sync.identity import Identity
from sync.link import Acknowledged, Culprit, Expired, Fetched, Gap, NoSnapshot, Page, TooLarge, Unchanged
from sync.replica import Replica
from sync.replica_rows import cart_of, customer_of, operator_of, read_row
from tests.support_bytes import (
    ACK,
    CLAIM,
    CURSOR,
    ENROLLED,
    FAILURES,
    HTTP_ROWS,
    MANIFEST,
    ROWS,
    Raw,
    answers,
    bodies,
    mutated_tree,
    pages,
)
from tests.support_journal import KEY
from tests.support_replica import NOW_MS, FixedClock

T = TypeVar("T")


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
    for nothing in (asked([answer], lambda http: http.release(lease)), asked([answer], lambda http: http.complete(lease, "s1", {"l1": 1}))):
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
    "staff": operator_of, "customers": lambda row: customer_of(row, 1), "carts": lambda row: cart_of(row, 1),
}  # fmt: skip


@given(st.sampled_from(sorted(READERS)).flatmap(lambda feed: st.tuples(st.just(feed), bodies(ROWS[feed][1]))))
def test_a_row_about_people_is_a_value_of_the_domain_or_the_contract_is_broken(drawn: tuple[str, bytes]) -> None:
    feed, body = drawn
    try:
        row = read_row(body, ROW_BY_FEED[feed])
    except ContractBroken as error:
        assert error.hint
    else:
        assert isinstance(row, CustomerRow | CartRow | StaffRow)
        assert READERS[feed](row) is not None


@pytest.fixture(scope="module")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    replica = Replica(tmp_path_factory.mktemp("replica"), KEY, FixedClock())
    yield replica
    replica.close()


@given(st.sampled_from(["catalogue", "prices"]).flatmap(lambda feed: st.tuples(st.just(feed), bodies(ROWS[feed][1]))))
def test_an_article_or_price_is_read_back_as_it_came_or_refused(replica: Replica, drawn: tuple[str, bytes]) -> None:
    feed, body = drawn
    line = FeedLine("put", "key", 1, msgspec.Raw(body))
    done = replica.apply(feed, [line], FeedState("1", "", 1))
    if line.put is None or done.refused:
        assert (done.rows, bool(done.refusal)) == (1, line.put is not None)
        return
    match read_row(body, ROW_BY_FEED[feed]):
        case ArticleRow() as row:
            article = replica.catalogue.by_sku(row.sku)
            assert article is not None
            assert (article.sku, article.gtins, article.item, article.sold_by.value) == (row.sku, tuple(row.gtins), row.item, row.sold_by)
        case PriceRow() as row:
            assert (row.amount_minor, row.currency, row.from_ms, row.until_ms) in [
                (price.amount_minor, price.currency, price.from_ms, price.until_ms) for price in replica.catalogue.prices(row.sku)
            ]
        case _:
            pytest.fail(feed)


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
