"""What the local copy of central's feeds promises: answers at once, from one state, by whatever is typed or scanned."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent import ports
from edge_agent.domain.catalogue import SoldBy
from edge_agent.domain.customer import Identifier, IdentifierKind
from edge_agent.domain.errors import ContractBroken, StorageFailed
from sync.feed_store import FeedLine, FeedState, parse_lines, parse_page
from sync.replica import Replica
from tests.support_replica import (
    NOW_MS,
    FixedClock,
    article,
    as_page,
    at,
    cart,
    customer,
    gone,
    gtin,
    many_articles,
    many_prices,
    price,
    price_key,
    put,
    quiet,
    staff,
)  # fmt: skip

KEY = bytes(range(32))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def replica(tmp_path: Path, clock: FixedClock) -> Iterator[Replica]:
    made = Replica(tmp_path, KEY, clock)
    yield made
    made.close()


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


def test_customers_are_found_by_every_identifier_however_it_is_written(replica: Replica) -> None:
    anna = customer("k1", "Anna Berg", loyalty="LOY0000000123", tag_uid="04A23BFF5C8011", phone="+4915112345678", email="anna.berg@example.com")
    replica.apply("customers", [put("k1", anna), put("k2", customer("k2", "Bela Cho", phone="+4915187654321"))], at("k1", 77))
    replica.apply("carts", [put("cart-1", cart("cart-1", "k1", "TS-1"))], at("a1", 78))
    people: ports.People = replica.people
    for kind, value in (
        (IdentifierKind.LOYALTY, "LOY0000000123"), (IdentifierKind.LOYALTY, "loy0000000123"), (IdentifierKind.TAG_UID, "04:a2:3b:ff:5c:80:11"),
        (IdentifierKind.PHONE, "+49 151 12345678"),
        (IdentifierKind.EMAIL, "Anna.Berg@Example.com"), (IdentifierKind.CUSTOMER, "k1"), (IdentifierKind.CART, "cart-1"),
    ):  # fmt: skip
        found = people.identify(Identifier(kind, value))
        assert found is not None, (kind, value)
        assert (found.id, found.as_of_ms) == ("k1", 77)
    assert found.talk is not None
    assert (found.name, found.tier, found.notes, found.talk.promised, found.birthday, found.identifiers[0].kind) == (
        "Anna Berg", "gold", ("likes green",), True, "--05-17", IdentifierKind.LOYALTY,
    )  # fmt: skip
    assert people.identify(Identifier(IdentifierKind.PHONE, "LOY0000000123")) is None
    replica.apply("customers", [put("k1", customer("k1", "Anna Berg", phone="+491"))], at("k2"))
    assert people.identify(Identifier(IdentifierKind.LOYALTY, "LOY0000000123")) is None
    assert people.identify(Identifier(IdentifierKind.PHONE, "+491")) is not None


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("anna", ["k1", "k2"]), ("berg a", ["k1"]), ("muller", ["k3"]), ("mueller jo", ["k3"]), ("isil", ["k4"]), ("ışıl", ["k4"]),
        ("प्रिया", ["k5"]), ("प्रि", ["k5"]), ("فاطمة", ["k6"]),
        ("+49 151 1234", ["k1"]), ("0151 123", ["k1"]), ("345678", ["k1"]), ("5678", ["k1"]), ("LOY0000000123", ["k1"]),
        ("0000000123", ["k1"]), ("LOY000", ["k1"]), ("anna.berg@example", ["k1"]), ("example anna", ["k1"]),
        ("berg zzz", []), ("", []),
    ],
)  # fmt: skip
def test_customers_are_found_by_typing(replica: Replica, typed: str, ids: list[str]) -> None:
    rows = [
        customer("k1", "Anna Berg", loyalty="LOY0000000123", phone="+4915112345678", email="anna.berg@example.com"), customer("k2", "Annabel Cho"),
        customer("k3", "Jörg Müller"), customer("k4", "Işıl Çelik"), customer("k5", "प्रिया शर्मा"), customer("k6", "فاطمة الزهراء"),
    ]  # fmt: skip
    replica.apply("customers", [put(row["id"], row) for row in rows], at("k1"))
    assert [found.id for found in replica.people.find(typed, 20)] == ids


def test_carts_and_staff_are_found_and_go_with_their_tombstones(replica: Replica) -> None:
    replica.apply("carts", [put("c1", cart("c1", "k1", "TS-1")), put("c2", cart("c2", "k1", "TS-1", "TS-2", version=4, opened_ms=99))], at("a1", 55))
    replica.apply("staff", [put("s1", staff("s1", "1001", "sale.void")), put("s2", staff("s2", "1002"))], at("s1"))
    newest = replica.people.cart_of("k1")
    assert newest is not None
    assert (newest.id, newest.version, [line.sku for line in newest.lines], newest.as_of_ms) == ("c2", 4, ["TS-1", "TS-2"], 55)
    replica.apply("carts", [gone("c2")], at("a2", 56))
    left = replica.people.cart_of("k1")
    assert left is not None
    assert left.id == "c1"
    assert replica.people.cart("c2") is replica.people.cart_of("") is replica.people.cart_of("k9") is None
    by_badge, by_id = replica.people.operator("1001"), replica.people.operator("s1")
    assert by_badge is not None
    assert by_badge == by_id
    assert by_badge.may("sale.void")
    assert replica.people.operator("") is replica.people.operator("1003") is None


def test_people_lie_encrypted_and_leave_no_trace_when_they_are_deleted(tmp_path: Path, clock: FixedClock) -> None:
    replica = Replica(tmp_path, KEY, clock)
    replica.apply("customers", [put("k1", customer("k1", "Anna Berg", phone="+4915112345678"))], at("k1"))
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("people.db*"))
    assert b"Anna" not in raw
    assert b"15112345678" not in raw
    replica.apply("customers", [gone("k1")], at("k2"))
    assert replica.people.find("anna", 5) == []
    assert (tmp_path / "people.db-wal").stat().st_size == 0
    replica.close()
    other = Replica(tmp_path, bytes(32), clock)  # another key: nothing can be read, so it is fetched again
    assert other.state("customers").cursor is None
    other.close()


def test_a_snapshot_of_people_removes_who_is_not_in_it(replica: Replica) -> None:
    replica.apply("customers", [put(f"k{number}", customer(f"k{number}", f"Name {number}", phone=f"+49{number}")) for number in range(10)], at("k1"))
    done = replica.replace("customers", [put(f"k{number}", customer(f"k{number}", f"Name {number}")) for number in (2, 3)], lambda: at("k2"), quiet)
    assert done.rows == 2
    assert sorted(found.id for found in replica.people.find("name", 20)) == ["k2", "k3"]
    assert replica.people.identify(Identifier(IdentifierKind.PHONE, "+495")) is None


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
