"""Customers, their carts and the staff in the local copy: found by every identifier, encrypted on the disk, and gone when central says so."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edge_agent import ports
from edge_agent.domain.customer import Identifier, IdentifierKind
from sync.replica import Replica
from tests.support_replica import KEY, FixedClock, at, cart, customer, fixture_clock, fixture_replica, gone, put, quiet, staff  # noqa: F401 - fixtures


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
        (found,) = people.identify(Identifier(kind, value))
        assert (found.id, found.as_of_ms) == ("k1", 77)
    assert found.talk is not None
    assert (found.name, found.tier, found.notes, found.talk.promised, found.birthday, found.identifiers[0].kind) == (
        "Anna Berg", "gold", ("likes green",), True, "--05-17", IdentifierKind.LOYALTY,
    )  # fmt: skip
    assert not people.identify(Identifier(IdentifierKind.PHONE, "LOY0000000123"))
    replica.apply("customers", [put("k1", customer("k1", "Anna Berg", phone="+491"))], at("k2"))
    assert not people.identify(Identifier(IdentifierKind.LOYALTY, "LOY0000000123"))
    assert people.identify(Identifier(IdentifierKind.PHONE, "+491"))


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("anna", ["k1", "k2"]), ("berg a", ["k1"]), ("muller", ["k3"]), ("mueller jo", ["k3"]), ("isil", ["k4"]), ("ışıl", ["k4"]),
        ("प्रिया", ["k5"]), ("प्रि", ["k5"]), ("فاطمة", ["k6"]),
        ("+49 151 1234", ["k1"]), ("0151 123", ["k1"]), ("345678", ["k1"]), ("5678", ["k1"]), ("LOY0000000123", ["k1"]),
        ("0000000123", ["k1"]), ("LOY000", ["k1"]), ("anna.berg@example", ["k1"]), ("example anna", ["k1"]),
        ("k2", ["k2"]), ("berg zzz", []), ("", []),
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
    assert not replica.people.identify(Identifier(IdentifierKind.PHONE, "+495"))


def test_members_that_the_contract_does_not_know_do_not_lie_in_the_copy(tmp_path: Path, clock: FixedClock) -> None:
    flood = {"ssn": "078-05-1120", "more": ["x" * 1_000] * 500}
    anna = customer("k1", "Anna Berg", phone="+491") | flood
    anna["talk"] |= flood
    anna["identifiers"][0] |= flood
    wanted = cart("c1", "k1", "TS-1") | flood
    wanted["lines"][0] |= flood
    replica = Replica(tmp_path, KEY, clock)
    replica.apply("customers", [put("k1", anna)], at("1"))
    replica.apply("carts", [put("c1", wanted)], at("1"))
    replica.replace("staff", [put("s1", staff("s1", "1001") | flood)], lambda: at("1"), quiet)
    for table, kept in (("customer", customer("k1", "Anna Berg", phone="+491")), ("cart", cart("c1", "k1", "TS-1")), ("staff", staff("s1", "1001"))):
        ((data,),) = replica.people._db.execute(f"SELECT data FROM {table}").fetchall()
        assert msgspec.json.decode(data) == kept
    found = replica.people.find("anna", 5)
    assert [one.talk.text for one in found if one.talk] == ["is it in?"]
    replica.close()
