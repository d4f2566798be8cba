"""Feeds over HTTP: every change once, in the order of its commit, for the register's own market; news while waiting; snapshots to start from."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import sqlcipher3
import zstandard

from sync.central.central import Central
from sync.central.limits import MS_PER_DAY, Limits
from sync.central.serving import EmbeddedCentral
from sync.contract import schemas
from sync.contract.rows import StoreRow
from tests.support import wait_until
from tests.support_enrolled import Register, SetClock, customer_row, enrolled, lines_of, price_row, running_central

Headers = dict[str, str]
LIMITS = Limits(waiters_max=2, wait_seconds_max=10, feed_rows_max=50, feed_rows_default=50, snapshot_age_ms_max=0)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def embedded(tmp_path: Path, clock: SetClock) -> Iterator[EmbeddedCentral]:
    with running_central(tmp_path / "central", clock, LIMITS) as made:
        yield made


@pytest.fixture
def http(embedded: EmbeddedCentral) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=embedded.url) as client:
        yield client


@pytest.fixture
def register(http: httpx.Client, embedded: EmbeddedCentral) -> Register:
    return enrolled(http, embedded.central)


@pytest.fixture
def ops(http: httpx.Client, embedded: EmbeddedCentral) -> Headers:
    return {"Authorization": f"Bearer {embedded.central.ops_token}"}


def staff_row(key: str) -> tuple[str, dict[str, Any]]:
    return key, {"id": key, "name": f"Name {key}", "badge": key, "rights": []}


def read_all(register: Register, feed: str, after: str = "", **query: Any) -> tuple[list[dict[str, Any]], str]:
    """Every page's rows, and the last cursor."""
    rows: list[dict[str, Any]] = []
    while True:
        page, end = lines_of(register.feed(feed, after, **query))
        rows += page
        after = end["cursor"]
        if not end["more"]:
            return rows, after


def test_a_feed_is_read_page_by_page_and_then_by_its_changes(register: Register, embedded: EmbeddedCentral) -> None:
    embedded.central.seed("prices", [price_row(f"A-{number}") for number in range(120)])
    pages = lines_of(register.feed("prices"))
    assert (pages[1]["count"], pages[1]["more"]) == (50, True)
    rows, cursor = read_all(register, "prices", limit=7)
    assert sorted(row["key"] for row in rows) == sorted(f"A-{number}/de//0" for number in range(120))
    embedded.central.seed("prices", [price_row("A-5", 999), price_row("A-7")])  # the second says what is there already
    (changed,), end = lines_of(register.feed("prices", cursor))
    assert (changed["op"], changed["key"], changed["data"]["amountMinor"], changed["validFromMs"]) == ("put", "A-5/de//0", 999, 0)
    assert lines_of(register.feed("prices", end["cursor"])) == ([], end | {"count": 0})


def test_every_line_of_a_page_fits_the_published_schemas(register: Register, embedded: EmbeddedCentral) -> None:
    embedded.central.seed("customers", [("c1", customer_row())])
    answer = register.feed("customers")
    assert answer.headers["content-type"] == "application/x-ndjson"
    for line in answer.content.splitlines():
        assert not list(schemas.faults(schemas.FEED_LINE_SCHEMA, msgspec.json.decode(line)))
    assert not list(schemas.faults("feed.customers.v1", msgspec.json.decode(answer.content.splitlines()[0])["data"]))


def test_deletions_arrive_as_tombstones_but_not_at_a_reader_that_begins(
    register: Register, http: httpx.Client, ops: Headers, embedded: EmbeddedCentral
) -> None:
    embedded.central.seed("prices", [price_row("A-1"), price_row("A-2")])
    _, cursor = read_all(register, "prices")
    assert http.delete("/ops/feeds/prices/A-1/de//0", headers=ops).json() == {"changed": 1}
    assert http.delete("/ops/feeds/prices/A-1/de//0", headers=ops).json() == {"changed": 0}
    (gone,), _ = lines_of(register.feed("prices", cursor))
    assert (gone["op"], gone["key"], gone["data"]) == ("del", "A-1/de//0", None)
    assert [row["key"] for row in lines_of(register.feed("prices"))[0]] == ["A-2/de//0"]


def test_a_register_sees_its_own_market_and_a_row_that_leaves_it_vanishes(register: Register, http: httpx.Client, embedded: EmbeddedCentral) -> None:
    other = enrolled(http, embedded.central, "0002", "01")
    embedded.central.seed("prices", [price_row("A-1", currency="EUR"), price_row("A-2", currency="USD", book="us")])
    _, cursor = read_all(register, "prices")
    assert [row["key"] for row in read_all(register, "prices")[0]] == ["A-1/de//0"]
    assert [row["key"] for row in read_all(other, "prices")[0]] == ["A-2/us//0"]
    embedded.central.seed("prices", [price_row("A-1", currency="USD")])
    (left,), _ = lines_of(register.feed("prices", cursor))
    assert (left["op"], left["key"]) == ("del", "A-1/de//0")
    assert sorted(row["key"] for row in read_all(other, "prices")[0]) == ["A-1/de//0", "A-2/us//0"]


def test_a_row_that_went_through_several_markets_vanishes_from_each_that_it_left(
    register: Register, embedded: EmbeddedCentral, http: httpx.Client, ops: Headers
) -> None:
    other = enrolled(http, embedded.central, "0002", "01")
    key = "A-1/de//0"
    embedded.central.seed("prices", [price_row("A-1", currency="EUR")])
    _, end = lines_of(register.feed("prices"))
    abroad = lines_of(other.feed("prices"))[1]["cursor"]
    for currency in ("USD", "SEK"):
        embedded.central.seed("prices", [price_row("A-1", currency=currency)])
    assert [(row["op"], row["key"]) for row in lines_of(register.feed("prices", end["cursor"]))[0]] == [("del", key)]
    assert [(row["op"], row["key"]) for row in lines_of(other.feed("prices", abroad))[0]] == [("del", key)]
    assert lines_of(register.feed("prices"))[0] == [], "a reader that begins needs no word of what it never had"
    http.delete(f"/ops/feeds/prices/{key}", headers=ops)
    for reader, cursor in ((register, end["cursor"]), (other, abroad)):
        assert [(row["op"], row["key"]) for row in lines_of(reader.feed("prices", cursor))[0]] == [("del", key)]
    embedded.central.seed("prices", [price_row("A-1", currency="EUR")])
    assert [row["op"] for row in lines_of(register.feed("prices", end["cursor"]))[0]] == ["put"]
    assert [row["op"] for row in lines_of(other.feed("prices", abroad))[0]] == ["del"]


def test_a_register_whose_store_changes_its_money_begins_its_feeds_again(register: Register, embedded: EmbeddedCentral) -> None:
    embedded.central.seed("prices", [price_row("A-1", currency="EUR"), price_row("A-2", currency="SEK", book="se")])
    _, cursor = read_all(register, "prices")
    assert register.feed("prices", cursor).status_code == 200
    embedded.central.seed_stores([StoreRow(store="0001", store_name="Malmö", country="SE", registers=["01", "02", "03"])])
    assert (register.feed("prices", cursor).status_code, register.feed("prices", cursor).json()["type"]) == (410, "urn:edge:problem:cursor-expired")
    assert [row["key"] for row in read_all(register, "prices")[0]] == ["A-2/se//0"]


def test_the_tag_of_a_page_that_did_not_change_answers_304(register: Register, embedded: EmbeddedCentral) -> None:
    embedded.central.seed("prices", [price_row()])
    first = register.feed("prices")
    again = register.feed("prices", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    cursor = lines_of(first)[1]["cursor"]
    empty = register.feed("prices", cursor)
    assert register.feed("prices", cursor, {"If-None-Match": empty.headers["etag"]}).status_code == 304
    embedded.central.seed("prices", [price_row("A-2")])
    assert register.feed("prices", cursor, {"If-None-Match": empty.headers["etag"]}).status_code == 200


def test_the_tag_of_a_page_is_its_centrals_and_its_markets_alone(register: Register, http: httpx.Client, embedded: EmbeddedCentral, tmp_path: Path) -> None:
    embedded.central.seed("staff", [("s1", {"id": "s1", "name": "Mia", "badge": "1", "rights": []})])
    tag = register.feed("staff").headers["etag"]
    assert enrolled(http, embedded.central, "0002", "01").feed("staff").headers["etag"] != tag
    with running_central(tmp_path / "another") as another, httpx.Client(base_url=another.url) as other_http:
        another.central.seed("staff", [("s2", {"id": "s2", "name": "Noa", "badge": "2", "rights": []})])
        answer = enrolled(other_http, another.central).feed("staff", headers={"If-None-Match": tag})
    assert (answer.status_code, lines_of(answer)[0][0]["key"]) == (200, "s2")


def test_tags_are_compared_whole_and_weakly_as_lists_of_them(register: Register) -> None:
    tag = register.feed("staff").headers["etag"]
    assert tag.startswith('W/"'), "the same rows may be sent in other bytes: compressed, and as of another moment"
    for named in (tag, tag.removeprefix("W/"), f'"x", {tag}', f'{tag},W/"y"', "*"):
        assert register.feed("staff", headers={"If-None-Match": named}).status_code == 304, named
    for other in ('"x"', f'{tag[:-1]}0"', f'"x{tag[3:]}', tag[3:-1], ""):
        assert register.feed("staff", headers={"If-None-Match": other}).status_code == 200, other


def test_a_waiting_request_is_answered_when_something_is_published(register: Register, embedded: EmbeddedCentral) -> None:
    _, cursor = read_all(register, "prices")
    answers: list[httpx.Response] = []
    waiting = threading.Thread(target=lambda: answers.append(register.feed("prices", cursor, wait=10)))
    began = time.monotonic()
    waiting.start()
    wait_until(lambda: bool(embedded.central._platform.announcer._waits), "the request waits")
    embedded.central.seed("catalogue", [])
    embedded.central.seed("prices", [price_row("B-1", currency="USD")])  # another market's: it goes on waiting
    embedded.central.seed("prices", [price_row("A-1")])
    waiting.join()
    assert time.monotonic() - began < 8
    assert [row["key"] for row in lines_of(answers[0])[0]] == ["A-1/de//0"]


def test_news_that_another_process_wrote_is_heard_too(register: Register, embedded: EmbeddedCentral, tmp_path: Path) -> None:
    _, cursor = read_all(register, "prices")
    answers: list[httpx.Response] = []
    waiting = threading.Thread(target=lambda: answers.append(register.feed("prices", cursor, wait=10)))
    waiting.start()
    wait_until(lambda: bool(embedded.central._platform.announcer._waits), "the request waits")
    second = Central(tmp_path / "central")  # what ``edge-central seed`` does while another process serves
    second.seed("prices", [price_row("A-1")])
    second.close()
    waiting.join()
    assert [row["key"] for row in lines_of(answers[0])[0]] == ["A-1/de//0"]


def test_a_wait_ends_with_an_empty_page_and_too_many_waits_are_refused(register: Register, embedded: EmbeddedCentral) -> None:
    began = time.monotonic()
    rows, _ = lines_of(register.feed("staff", wait=1))
    assert (rows, time.monotonic() - began >= 1) == ([], True)
    threads = [threading.Thread(target=lambda: register.feed("staff", wait=10)) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(embedded.central._platform.announcer._waits) == 2, "two requests wait")
    busy = register.feed("staff", wait=10)
    assert (busy.status_code, busy.json()["type"]) == (503, "urn:edge:problem:busy")
    assert int(busy.headers["retry-after"]) > 0
    assert register.feed("staff").status_code == 200, "a request that does not wait is answered"
    embedded.central.seed("staff", [("s1", {"id": "s1", "name": "Mia", "badge": "1", "rights": []})])
    for thread in threads:
        thread.join()


def test_a_cursor_older_than_the_remembered_deletions_has_expired(
    register: Register, embedded: EmbeddedCentral, http: httpx.Client, ops: Headers, clock: SetClock
) -> None:
    embedded.central.seed("prices", [price_row("A-1"), price_row("A-2"), price_row("A-3")])
    _, end = lines_of(register.feed("prices", limit=1))
    begun = end["cursor"]
    _, old = read_all(register, "prices")
    http.delete("/ops/feeds/prices/A-1/de//0", headers=ops)
    _, newer = read_all(register, "prices", old)
    clock.wall_ms += LIMITS.tombstone_ms + MS_PER_DAY
    wait_until(lambda: register.feed("prices", old).status_code == 410, "the deletion is forgotten")
    expired = register.feed("prices", old)
    assert expired.json()["type"] == "urn:edge:problem:cursor-expired"
    assert register.feed("prices", begun).status_code == 410, "it read A-1 before it was deleted"
    assert lines_of(register.feed("prices", newer))[0] == []
    _, restarted = lines_of(register.feed("prices", limit=1))
    assert lines_of(register.feed("prices", restarted["cursor"]))[1]["count"] == 1, "a reader that begins now needs no deletion from before"


def test_a_deletion_of_a_customer_is_told_to_every_reader_for_good(register: Register, embedded: EmbeddedCentral, clock: SetClock) -> None:
    embedded.central.seed("customers", [("c1", customer_row("c1")), ("c2", customer_row("c2"))])
    embedded.central.seed("customers", [("c1", None)])
    embedded.central.seed("staff", [staff_row("s1")])
    old = lines_of(register.feed("staff"))[1]["cursor"]
    embedded.central.seed("staff", [("s1", None)])
    clock.wall_ms += LIMITS.tombstone_ms + MS_PER_DAY
    wait_until(lambda: register.feed("staff", old).status_code == 410, "deletions of that age are forgotten")
    assert [(row["op"], row["key"]) for row in read_all(register, "customers")[0]] == [("put", "c2"), ("del", "c1")]
    assert read_all(register, "staff")[0] == []


def test_cursors_of_another_central_and_nonsense_are_told_apart(register: Register) -> None:
    assert register.feed("prices", "nobody-5-5-5").status_code == 410
    for nonsense in ("x", "---", "a-b-c-d", "a-5-5", "a-1-1-²", "9" * 99):
        assert register.feed("prices", nonsense).status_code == 400
    assert register.feed("weather").status_code == 404


def test_a_register_of_a_restored_central_keeps_nothing_that_was_lost(register: Register, embedded: EmbeddedCentral, tmp_path: Path, clock: SetClock) -> None:
    embedded.central.seed("staff", [staff_row("s1")])
    kept = lines_of(register.feed("staff"))[1]["cursor"]
    with closing(sqlcipher3.connect(tmp_path / "central" / "central.db")) as file:
        (tmp_path / "restored").mkdir()
        file.execute("VACUUM INTO ?", (str(tmp_path / "restored" / "central.db"),))
    clock.wall_ms += 1_000
    embedded.central.seed("staff", [staff_row("s2"), staff_row("s3")])
    tag = register.feed("staff").headers["etag"]
    lost, half = lines_of(register.feed("staff"))[1]["cursor"], lines_of(register.feed("staff", kept, limit=1))[1]["cursor"]
    assert [row["key"] for row in lines_of(register.feed("staff", half))[0]] == ["s3"]
    clock.wall_ms += 1_000
    with running_central(tmp_path / "restored", clock, LIMITS) as restored, httpx.Client(base_url=restored.url) as http:
        register.http = http
        restored.central.seed("staff", [staff_row("s4"), staff_row("s5"), staff_row("s6")])
        assert [register.feed("staff", cursor).status_code for cursor in (lost, half)] == [410, 410]
        restored.central.seed("staff", [("s6", None)])
        assert [row["key"] for row in lines_of(register.feed("staff", kept))[0]] == ["s4", "s5", "s6"], "what it had before the backup is good"
        assert register.feed("staff", limit=3, headers={"If-None-Match": tag}).status_code == 200, "as many rows with the same numbers"


def test_a_cursor_stays_good_while_nothing_changes_and_for_as_long_as_deletions_are_remembered(
    register: Register, embedded: EmbeddedCentral, clock: SetClock
) -> None:
    embedded.central.seed("staff", [staff_row("s1")])
    cursor = lines_of(register.feed("staff"))[1]["cursor"]
    clock.wall_ms += LIMITS.tombstone_ms * 2
    embedded.central.seed("staff", [staff_row("s2")])
    assert [row["key"] for row in lines_of(register.feed("staff", cursor))[0]] == ["s2"]
    newest = lines_of(register.feed("staff"))[1]["cursor"]
    clock.wall_ms += LIMITS.tombstone_ms * 2
    wait_until(lambda: register.feed("staff", cursor).status_code == 410, "its mark is forgotten, for one that is old itself followed it")
    assert lines_of(register.feed("staff", newest))[0] == []


def test_large_pages_are_compressed_for_who_understands_it(register: Register, embedded: EmbeddedCentral) -> None:
    embedded.central.seed("prices", [price_row(f"A-{number}") for number in range(50)])
    for accepted, expected in (("zstd, gzip", "zstd"), ("gzip", "gzip"), ("identity", None)):
        answer = register.feed("prices", headers={"Accept-Encoding": accepted})
        assert answer.headers.get("content-encoding") == expected
        assert lines_of(answer)[1]["count"] == 50


def test_a_snapshot_holds_the_market_and_a_cursor_to_go_on_from(register: Register, http: httpx.Client, embedded: EmbeddedCentral) -> None:
    embedded.central.seed("prices", [price_row(f"A-{number}") for number in range(300)] + [price_row("B-1", currency="USD", book="us")])
    manifest = http.get("/edge/v1/snapshots/prices", headers=register.headers).json()
    assert (manifest["feed"], manifest["rows"]) == ("prices", 300)
    file = http.get(manifest["url"], headers=register.headers)
    assert (len(file.content), hashlib.sha256(file.content).hexdigest()) == (manifest["size"], manifest["sha256"])
    rows = [msgspec.json.decode(line) for line in zstandard.decompress(file.content, 10_000_000).splitlines()]
    assert sorted(row["key"] for row in rows) == sorted(f"A-{number}/de//0" for number in range(300))
    embedded.central.seed("prices", [price_row("A-300")])
    assert [row["key"] for row in lines_of(register.feed("prices", manifest["cursor"]))[0]] == ["A-300/de//0"]
    assert http.get("/edge/v1/snapshots/prices", headers=register.headers).json()["rows"] == 301


def test_an_interrupted_snapshot_is_taken_up_where_it_was_cut_off(register: Register, http: httpx.Client, embedded: EmbeddedCentral) -> None:
    embedded.central.seed("prices", [price_row(f"A-{number}", number) for number in range(300)])
    manifest = http.get("/edge/v1/snapshots/prices", headers=register.headers).json()
    whole = http.get(manifest["url"], headers=register.headers)
    part = http.get(manifest["url"], headers=register.headers | {"Range": "bytes=100-"})
    assert (part.status_code, part.headers["content-range"]) == (206, f"bytes 100-{manifest['size'] - 1}/{manifest['size']}")
    assert part.content == whole.content[100:]
    assert http.get(manifest["url"], headers=register.headers | {"Range": "bytes=10-19"}).content == whole.content[10:20]
    beyond = http.get(manifest["url"], headers=register.headers | {"Range": f"bytes={manifest['size']}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{manifest['size']}")
    other = http.get(manifest["url"], headers=register.headers | {"Range": "bytes=100-", "If-Range": '"another"'})
    assert (other.status_code, other.content) == (200, whole.content)
    assert http.get(manifest["url"]).status_code == 401
    foreign = enrolled(http, embedded.central, "0002", "01")
    assert http.get(manifest["url"], headers=foreign.headers).status_code == 404, "another market's file"


def test_people_lie_in_no_snapshot(register: Register, http: httpx.Client) -> None:
    for feed in ("customers", "carts", "staff"):
        assert http.get(f"/edge/v1/snapshots/{feed}", headers=register.headers).status_code == 404


def test_publishing_checks_the_row_and_its_key(register: Register, http: httpx.Client, ops: Headers) -> None:
    key, row = price_row()
    assert http.put(f"/ops/feeds/prices/{key}", headers=ops, json=row).json() == {"changed": 1}
    assert http.put(f"/ops/feeds/prices/{key}", headers=ops, json=row).json() == {"changed": 0}
    assert "own key" in http.put("/ops/feeds/prices/other", headers=ops, json=row).json()["detail"]
    wrong = http.put(f"/ops/feeds/prices/{key}", headers=ops, json=row | {"amountMinor": "1.99"})
    assert (wrong.status_code, "amountMinor" in wrong.json()["detail"]) == (400, True)
    assert http.put(f"/ops/feeds/prices/{key}", headers=register.headers, json=row).status_code == 401
    both = http.post("/ops/feeds/prices", headers=ops, json=[{"key": "A-9/de//0", "data": price_row("A-9")[1]}, {"key": "bad", "data": row}])
    assert both.status_code == 400
    assert [each["key"] for each in lines_of(register.feed("prices"))[0]] == [key], "all of a publication or nothing"
