"""What the local copy of central's feeds promises: answers at once, from one state, by whatever is typed or scanned."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_agent import ports
from edge_agent.domain.catalogue import SoldBy
from edge_agent.domain.errors import ContractBroken, StorageFailed
from sync.feed_store import FeedLine, FeedState, parse_lines, parse_page
from sync.replica import Replica
from tests.support_replica import (
    KEY,
    NOW_MS,
    FixedClock,
    article,
    as_page,
    at,
    cart,
    customer,
    fixture_clock,  # noqa: F401 - a fixture
    fixture_replica,  # noqa: F401 - a fixture
    gone,
    gtin,
    many_articles,
    many_prices,
    price,
    price_key,
    put,
    quiet,
    staff,
)


def fill_shop(replica: Replica) -> None:
    replica.apply(
        "catalogue",
        [
            put("TS-1", article("TS-1", "T-Shirt Bio-Baumwolle", gtin(1), "00012345678905", variant="grün M")),
            put("TS-2", article("TS-2", "T-Shirt Bio-Baumwolle", gtin(2), variant="grün L")),
            put("CR-1", article("CR-1", "Crème brûlée au café", gtin(3))),
            put("AP-1", article("AP-1", "Äpfel Boskop", item="04711", sold_by="kg", department="food")),
            put("JEANS/501", article("JEANS/501", "Jeans 50112", gtin(5))),
        ],
        at("c1"),
    )
    rows = [price("TS-1", 1999), price("TS-1", 1499, group="gold"), price("TS-1", 1799, from_ms=NOW_MS + 10)]
    replica.apply("prices", [put(price_key(row), row) for row in rows], at("p1"))


def test_articles_are_found_by_gtin_item_and_sku(replica: Replica) -> None:
    fill_shop(replica)
    catalogue: ports.Catalogue = replica.catalogue
    found = catalogue.by_gtin(gtin(1))
    assert found is not None
    assert (found.sku, found.name, found.variant, found.gtins) == ("TS-1", "T-Shirt Bio-Baumwolle", "grün M", (gtin(1), "00012345678905"))
    assert found == catalogue.by_sku("TS-1") == catalogue.by_gtin("00012345678905")
    apples = catalogue.by_item("04711")
    assert apples is not None
    assert (apples.sku, apples.sold_by) == ("AP-1", SoldBy.KILOGRAM)
    assert catalogue.by_gtin(gtin(9)) is catalogue.by_item("") is catalogue.by_sku("TS") is catalogue.by_gtin("x") is catalogue.by_gtin("²") is None
    assert sorted(row.amount_minor for row in catalogue.prices("TS-1")) == [1499, 1799, 1999]
    assert catalogue.prices("TS-2") == []


@pytest.mark.parametrize(
    ("typed", "skus"),
    [
        ("shirt", ["TS-2", "TS-1"]), ("SHI baum", ["TS-2", "TS-1"]), ("grun m", ["TS-1"]), ("gruen L", ["TS-2"]), ("m shirt t", ["TS-1"]),
        ("creme cafe", ["CR-1"]),
        ("apfel", ["AP-1"]), ("aepfel bos", ["AP-1"]), ("ts-2", ["TS-2"]), ("TS-", ["TS-2", "TS-1"]), ("jeans/501", ["JEANS/501"]), ("50112", ["JEANS/501"]),
        (gtin(1)[1:], ["TS-1"]),
        (gtin(1), ["TS-1"]), ("012345678905", ["TS-1"]), ("01234567", ["TS-1"]), ("12345678905", ["TS-1"]), ("shirt 012345", ["TS-1"]),
        ("shirt zzz", []), ("", []), ("  -- ", []), ('"*', []), ("shirt\" OR \"a", []),
    ],
)  # fmt: skip
def test_articles_are_found_by_typed_beginnings_in_any_order_with_or_without_accents(replica: Replica, typed: str, skus: list[str]) -> None:
    fill_shop(replica)
    assert [found.sku for found in replica.catalogue.find(typed, 20)] == skus


def test_the_best_comes_first_and_no_more_than_asked_for(replica: Replica) -> None:
    names = ["Shirtsleeve holder", "Linen shirt", "Shirt", "Shirt linen long"]
    replica.apply("catalogue", [put(f"S{number}", article(f"S{number}", name)) for number, name in enumerate(names)], at("c1"))
    assert [found.name for found in replica.catalogue.find("shirt", 20)] == ["Shirt", "Shirt linen long", "Linen shirt", "Shirtsleeve holder"]
    assert [found.name for found in replica.catalogue.find("shirt", 1)] == ["Shirt"]
    assert replica.catalogue.find("shirt", 0) == []


def test_whole_words_are_not_crowded_out_by_a_thousand_beginnings(replica: Replica) -> None:
    names = [*(f"Coated paper {number}" for number in range(500)), *(f"Coating, white, {number}" for number in range(500)), "Rain coat", "Coat", "Wool coat"]
    replica.apply("catalogue", [put(f"S{number}", article(f"S{number}", name)) for number, name in enumerate(names)], at("c1"))
    assert [found.name for found in replica.catalogue.find("coat", 4)] == ["Coat", "Rain coat", "Wool coat", "Coated paper 0"]
    assert [found.name for found in replica.catalogue.find("wool coa", 4)] == ["Wool coat"]


def test_sizes_are_listed_by_their_number(replica: Replica) -> None:
    sizes = ["104", "98", "110"]
    replica.apply("catalogue", [put(f"J{size}", article(f"J{size}", "Jacket", variant=size)) for size in sizes], at("c1"))
    assert [found.variant for found in replica.catalogue.find("jacket", 9)] == ["98", "104", "110"]


def test_a_page_changes_and_deletes_rows_and_a_bad_row_is_left_out(replica: Replica) -> None:
    fill_shop(replica)
    lines = [
        put("TS-1", article("TS-1", "Polo", gtin(7))), gone("TS-2"), gone("never was"), put("BAD", {"sku": "BAD"}),
        put("NEW", article("NEW", "Polo cap", gtin(2)))
    ]  # fmt: skip
    done = replica.apply("catalogue", lines, at("c2"))
    assert (done.rows, done.refused) == (5, 1)
    assert "ArticleRow" in done.refusal
    catalogue = replica.catalogue
    assert [found.sku for found in catalogue.find("polo", 9)] == ["TS-1", "NEW"]
    assert catalogue.find("shirt", 9) == []
    assert catalogue.by_gtin(gtin(1)) is None
    moved = catalogue.by_gtin(gtin(2))
    assert moved is not None
    assert moved.sku == "NEW"
    replica.apply("prices", [gone("TS-1/de/gold/0"), put("TS-1/de//0", price("TS-1", 999))], at("p2"))
    assert sorted(row.amount_minor for row in catalogue.prices("TS-1")) == [999, 1799]


def test_a_row_counts_only_while_central_says_that_it_is_valid(replica: Replica, clock: FixedClock) -> None:
    row = price("SOON", 100)
    replica.apply("catalogue", [put("SOON", article("SOON", "Soon", gtin(1)), NOW_MS + 1000, NOW_MS + 2000)], at("c1"))
    replica.apply("prices", [put(price_key(row), row, NOW_MS + 1000)], at("p1"))
    assert replica.catalogue.by_gtin(gtin(1)) is None
    assert replica.catalogue.find("soon", 5) == []
    assert replica.catalogue.prices("SOON") == []
    clock.ms += 1000
    assert replica.catalogue.by_gtin(gtin(1)) is not None
    assert len(replica.catalogue.prices("SOON")) == 1
    clock.ms += 1000
    assert replica.catalogue.by_sku("SOON") is None


def test_cursor_and_age_are_kept_with_the_content(tmp_path: Path, clock: FixedClock) -> None:
    replica = Replica(tmp_path, KEY, clock)
    assert replica.state("catalogue") == FeedState()
    assert replica.catalogue.age() == ports.Age(None) == replica.people.age()
    fill_shop(replica)
    replica.touch("prices", NOW_MS + 5)
    assert replica.catalogue.age() == ports.Age(NOW_MS, "c1")
    replica.touch("catalogue", NOW_MS + 7)
    replica.apply("customers", [], at("k1", 5))
    replica.apply("carts", [], at("a1", 3))
    replica.close()
    again = Replica(tmp_path, KEY, clock)
    assert again.state("catalogue") == FeedState("c1", "", NOW_MS + 7)
    assert again.catalogue.age() == ports.Age(NOW_MS + 5, "c1")
    assert again.people.age() == ports.Age(3, "k1")
    assert again.catalogue.by_gtin(gtin(1)) is not None
    again.close()


def test_a_snapshot_is_swapped_in_under_open_readers_and_keeps_the_other_feed(replica: Replica, tmp_path: Path) -> None:
    fill_shop(replica)
    wrong: list[object] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            both = (replica.catalogue.by_sku("TS-1") is not None, replica.catalogue.by_sku("TS-0000001") is not None)
            price_rows = len(replica.catalogue.prices("TS-1"))
            if both == (False, False):  # (True, True) is the old one and, a moment later, the new one
                wrong.append(both)
            if price_rows != 3:
                wrong.append(price_rows)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    seen: list[int] = []
    done = replica.replace("catalogue", many_articles(12_000), lambda: at("c9", NOW_MS + 9), seen.append)
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert (done.rows, done.refused) == (12_000, 0)
    assert seen == [5_000, 10_000, 12_000]
    assert replica.catalogue.by_sku("TS-1") is None
    found = replica.catalogue.by_gtin(gtin(11_999))
    assert found is not None
    assert found.sku == "TS-0011999"
    assert len(replica.catalogue.prices("TS-1")) == 3
    assert replica.state("catalogue") == FeedState("c9", "", NOW_MS + 9)
    assert replica.state("prices") == at("p1")
    assert (tmp_path / "catalogue.current").read_text().strip() == "catalogue-1.db"
    assert sorted(path.name for path in tmp_path.glob("catalogue-*.db")) == ["catalogue-1.db"]
    replica.replace("prices", many_prices(100), lambda: at("p9"), quiet)
    assert len(replica.catalogue.prices("TS-0000001")) == 1
    assert replica.catalogue.prices("TS-1") == []
    assert replica.catalogue.by_gtin(gtin(11_999)) is not None
    assert [one.sku for one in replica.catalogue.find("TS-0000099", 3)] == ["TS-0000099"]


def test_a_snapshot_that_breaks_off_changes_nothing(replica: Replica, tmp_path: Path) -> None:
    fill_shop(replica)
    replica.apply("customers", [put("k1", customer("k1", "Anna Berg"))], at("k1"))

    def broken(lines: Iterator[FeedLine]) -> Iterator[FeedLine]:
        yield from lines
        raise ContractBroken("cut off", hint="again")

    for feed, lines in (("catalogue", many_articles(7_000)), ("prices", many_prices(10)), ("customers", iter([put("k2", customer("k2", "Bela Cho"))]))):
        before = replica.state(feed)
        with pytest.raises(ContractBroken):
            replica.replace(feed, broken(lines), lambda: at("never"), quiet)
        assert replica.state(feed) == before
    assert replica.catalogue.by_sku("TS-1") is not None
    assert len(replica.catalogue.prices("TS-1")) == 3
    assert replica.people.customer("k1") is not None
    assert not list(tmp_path.glob("catalogue-1.db*"))
    with pytest.raises(ContractBroken, match="a row twice"):
        replica.replace("catalogue", [*many_articles(2), *many_articles(1)], lambda: at("never"), quiet)


@pytest.mark.parametrize(
    ("feed", "bad"),
    [
        ("carts", cart("c1", "k1", "TS-1") | {"lines": [{"line": "l", "sku": "TS-1", "pieces": 1, "unitPriceMinor": -1}]}),
        ("prices", price("TS-1", -1)),
        *(("customers", customer("k1", "Anna") | {"birthday": day}) for day in ("--99-99", "--00-10", "--02-30", "--04-31", "--13-01", "--1-1")),
    ],
)
def test_prices_below_nothing_and_days_that_are_none_are_refused(replica: Replica, feed: str, bad: dict[str, Any]) -> None:
    done = replica.apply(feed, [put("k", bad)], at("c1"))
    assert (done.rows, done.refused) == (1, 1)


@pytest.mark.parametrize("day", ["--02-29", "--12-31", "--04-30", ""])
def test_days_that_are_one_are_kept(replica: Replica, day: str) -> None:
    assert replica.apply("customers", [put("k1", customer("k1", "Anna") | {"birthday": day})], at("c1")).refused == 0


def test_names_from_central_are_one_line(replica: Replica) -> None:
    name = "Ada\n\x1b[2J\u202eLove\u2028lace"
    replica.apply("catalogue", [put("TS-1", article("TS-1", name, gtin(1), variant="M\r\nL", department="a\nb"))], at("c1"))
    replica.apply("customers", [put("k1", customer("k1", name) | {"sizes": ["3\n8"]})], at("c1"))
    replica.apply("staff", [put("s1", staff("s1", "1001") | {"name": name})], at("c1"))
    article_found, customer_found, operator = replica.catalogue.by_gtin(gtin(1)), replica.people.customer("k1"), replica.people.operator("1001")
    assert article_found is not None
    assert customer_found is not None
    assert operator is not None
    assert {article_found.name, customer_found.name, operator.name} == {"Ada [2J Love lace"}
    assert (article_found.variant, article_found.department, customer_found.sizes) == ("M L", "a b", ("3 8",))


def test_a_damaged_copy_is_told_and_fetched_again(tmp_path: Path, clock: FixedClock) -> None:
    replica = Replica(tmp_path, KEY, clock)
    replica.replace("catalogue", many_articles(3_000), lambda: at("c1"), quiet)
    replica.replace("customers", (put(f"k{number}", customer(f"k{number}", f"Name {number}")) for number in range(500)), lambda: at("k1"), quiet)
    replica.close()
    for name in ("catalogue-1.db", "people.db"):
        whole = bytearray((tmp_path / name).read_bytes())
        for page in range(40, len(whole) // 4096):
            whole[page * 4096 : page * 4096 + 300] = bytes(300)
        (tmp_path / name).write_bytes(whole)
    replica = Replica(tmp_path, KEY, clock)
    with pytest.raises(StorageFailed, match="local copy"):
        replica.catalogue.find("shirt", 10)
    with pytest.raises(StorageFailed, match="local copy"):
        replica.people.find("name", 10)
    assert replica.state("catalogue").cursor is None
    assert replica.state("carts").cursor is None
    replica.replace("catalogue", many_articles(10), lambda: at("c2"), quiet)
    replica.replace("customers", [put("k1", customer("k1", "Anna Berg"))], lambda: at("k2"), quiet)
    assert replica.catalogue.by_gtin(gtin(5)) is not None
    assert [one.id for one in replica.people.find("anna", 5)] == ["k1"]
    replica.close()
    (tmp_path / "people.db").write_bytes(b"not a database" * 1000)
    again = Replica(tmp_path, KEY, clock)
    assert again.state("customers").cursor is None
    assert again.catalogue.by_gtin(gtin(5)) is not None
    again.close()


def test_a_page_that_is_not_whole_is_refused() -> None:
    whole = as_page([put("a", article("a", "A"))], "c2")
    assert parse_page(whole)[1].cursor == "c2"
    for bad in (b"", whole[:-20], whole.split(b"\n")[0], whole.replace(b'"count": 1', b'"count": 2'), b"<html>Welcome</html>", b"\xff\n"):
        with pytest.raises(ContractBroken):
            parse_page(bad)
    assert [line.key for line in parse_lines([b'{"op":"put","ke', b'y":"a","rev":1}\n{"op":"del","key":"b"}'])] == ["a", "b"]
    with pytest.raises(ContractBroken):
        list(parse_lines([b'{"op":"steal","key":"a"}\n']))
    with pytest.raises(ContractBroken, match="A row of more than"):
        list(parse_lines([b"x" * 600_000, b"y" * 600_000]))


def test_how_long_a_hundred_thousand_articles_take(tmp_path: Path, clock: FixedClock, capsys: pytest.CaptureFixture[str]) -> None:
    replica = Replica(tmp_path, KEY, clock)
    lines = list(many_articles(100_000))
    began = time.perf_counter()
    replica.replace("catalogue", lines, lambda: at("c1"), quiet)
    imported = time.perf_counter() - began
    codes = [gtin(number * 97 % 100_000) for number in range(2_000)]
    began = time.perf_counter()
    assert all(replica.catalogue.by_gtin(code) for code in codes)
    looked_up = (time.perf_counter() - began) / len(codes) * 1e6
    began = time.perf_counter()
    assert len(replica.catalogue.find("shi gre", 20)) == 20
    found = (time.perf_counter() - began) * 1e3
    with capsys.disabled():
        print(f"\n100,000 articles in {imported:.2f} s ({100_000 / imported:,.0f}/s), by GTIN {looked_up:.0f} us, find {found:.1f} ms")
    replica.close()


MISPLACED = {
    "another article's": {"sku": "TS-2"},
    "another book's": {"book": "at"},
    "another tier's": {"group": "silver"},
    "another moment's": {"fromMs": 5},
    "another currency": {"currency": "USD"},
}


@pytest.mark.parametrize("wrong", MISPLACED.values(), ids=MISPLACED)
@pytest.mark.parametrize("changing", [None, False, True], ids=["page", "snapshot", "from the start"])
def test_a_price_that_is_not_its_keys_or_not_in_the_stores_currency_is_left_out(
    tmp_path: Path, clock: FixedClock, wrong: dict[str, Any], changing: bool | None
) -> None:
    replica = Replica(tmp_path, KEY, clock, "EUR")
    fill_shop(replica)
    lines = [put("TS-1/de//0", price("TS-1", 1) | wrong), put("TS-2/de//0", price("TS-2", 2999))]
    if changing is None:
        done = replica.apply("prices", lines, at("p2"))
        assert sorted(row.amount_minor for row in replica.catalogue.prices("TS-1")) == [1499, 1799, 1999], "the good one before it stays"
    else:
        done = replica.replace("prices", lines, lambda: at("p2"), quiet, changing=changing)
        assert replica.catalogue.prices("TS-1") == []
    assert (done.rows, done.refused) == (2, 1)
    assert "TS-1/de//0" in done.refusal
    assert [row.amount_minor for row in replica.catalogue.prices("TS-2")] == [2999]
    replica.close()


@pytest.mark.parametrize(
    ("feed", "key", "data"),
    [
        ("catalogue", "TS-2", article("TS-1", "Stolen", gtin(9))),
        ("customers", "k2", customer("k1", "Anna")),
        ("carts", "a2", cart("a1", "k1", "TS-1")),
        ("staff", "s2", staff("s1", "1001")),
    ],
)
def test_a_row_under_anothers_key_is_left_out(replica: Replica, feed: str, key: str, data: dict[str, Any]) -> None:
    fill_shop(replica)
    done = replica.apply(feed, [put(key, data)], at("x2"))
    assert (done.rows, done.refused) == (1, 1)
    assert "another's key" in done.refusal
    found = replica.catalogue.by_sku("TS-1")
    assert found is not None
    assert found.name == "T-Shirt Bio-Baumwolle"


@pytest.mark.parametrize("nothing", [b"null", b""])
def test_an_article_that_is_put_without_a_row_stays_and_is_counted_as_left_out(replica: Replica, nothing: bytes) -> None:
    replica.apply("catalogue", [put("S1", article("S1", "Shirt", gtin(1)))], at("1"))
    done = replica.apply("catalogue", [FeedLine("put", "S1", 2, msgspec.Raw(nothing))], at("2"))
    assert (done.rows, done.refused) == (1, 1)
    assert replica.catalogue.by_sku("S1") is not None
    replica.apply("catalogue", [gone("S1")], at("3"))
    assert replica.catalogue.by_sku("S1") is None
