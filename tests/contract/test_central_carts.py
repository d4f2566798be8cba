"""Customers and online carts over HTTP: found by anything, held by one register at a time, settled by the sale's fact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync.central.serving import EmbeddedCentral
from tests.support import wait_until
from tests.support_enrolled import Register, SetClock, cart_row, customer_row, enrolled, lines_of, running_central

CLAIM = {"version": 1, "key": "claim-0001", "ttlSeconds": 900}


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def embedded(tmp_path: Path, clock: SetClock) -> Iterator[EmbeddedCentral]:
    with running_central(tmp_path / "central", clock) as made:
        made.central.seed("customers", [("c1", customer_row()), ("c2", customer_row("c2"))])
        made.central.seed("carts", [("CART-1", cart_row())])
        yield made


@pytest.fixture
def shop(embedded: EmbeddedCentral) -> Iterator[Shop]:
    with httpx.Client(base_url=embedded.url) as http:
        yield Shop(embedded, http)


class Shop:
    """Two registers of one store, one of another market, and the web shop."""

    def __init__(self, embedded: EmbeddedCentral, http: httpx.Client) -> None:
        self.central, self.http = embedded.central, http
        self.here = enrolled(http, embedded.central, "0001", "02")
        self.there = enrolled(http, embedded.central, "0001", "01")
        self.abroad = enrolled(http, embedded.central, "0002", "01")
        self.ops = {"Authorization": f"Bearer {embedded.central.ops_token}"}

    def get(self, path: str, register: Register | None = None) -> httpx.Response:
        return self.http.get(f"/edge/v1/{path}", headers=(register or self.here).headers)

    def post(self, path: str, body: dict[str, Any], register: Register | None = None) -> httpx.Response:
        return self.http.post(f"/edge/v1/carts/CART-1/{path}", json=body, headers=(register or self.here).headers)

    def claim(self, register: Register | None = None, **changes: Any) -> dict[str, Any]:
        answer = self.post("claim", CLAIM | changes, register)
        assert answer.status_code == 200, answer.text
        lease: dict[str, Any] = answer.json()
        return lease

    def raised(self, **pieces: int) -> None:
        """The customer wants so many of these lines now."""
        lines = [line | {"pieces": pieces.get(line["line"], line["pieces"])} for line in self.cart()["lines"]]
        assert self.http.put("/ops/carts/CART-1", json={"customer": "c1", "currency": "EUR", "lines": lines}, headers=self.ops).status_code == 200

    def cart(self) -> dict[str, Any]:
        cart: dict[str, Any] = self.http.get("/ops/carts/CART-1", headers=self.ops).json()
        return cart

    def lines(self) -> list[tuple[str, int]]:
        return [(line["line"], line["pieces"]) for line in self.cart()["lines"]]

    def sold(self, lease: dict[str, Any] | None, *lines: str, register: Register | None = None, **counted: dict[str, int]) -> None:
        """A sale's fact with these lines of the cart, under the lease or from a copy; ``counted``: pieces by line, as partlySold or soldPieces."""
        register = register or self.here
        cart = {
            "cartId": "CART-1", "version": 1, "token": lease["token"] if lease else "", "leaseUntilMs": lease["untilMs"] if lease else 0,
            "offlineCopy": lease is None, "soldLines": list(lines), "leftLines": [],
            **{name: [{"line": line, "pieces": pieces} for line, pieces in each.items()] for name, each in counted.items()},
        }  # fmt: skip
        assert register.ack(register.push(register.sale(cart=cart)))["quarantined"] == []

    def refunds(self) -> list[tuple[str, str]]:
        return [(task["line"], task["cause"]) for task in self.http.get("/ops/refund-tasks", headers=self.ops).json()]


def refusal(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["type"]).rsplit(":", 1)[1]


def test_a_customer_is_found_by_anything_that_stands_for_them(shop: Shop) -> None:
    for kind, value in (("loyalty", "LOY-c1"), ("email", " C1@Example.org"), ("customer", "c1"), ("cart", "CART-1")):
        answer = shop.http.get("/edge/v1/customers", params={"kind": kind, "value": value}, headers=shop.here.headers)
        assert (answer.status_code, answer.json()) == (200, {"customers": [customer_row()]}), kind
    assert shop.get("customers/c1").json() == customer_row()
    for kind, value in (("loyalty", "LOY-c9"), ("phone", "LOY-c1"), ("customer", "c9"), ("cart", "CART-9")):
        assert refusal(shop.http.get("/edge/v1/customers", params={"kind": kind, "value": value}, headers=shop.here.headers), 404) == "not-found"
    assert refusal(shop.get("customers?kind=loyalty"), 400) == "invalid"


def test_the_open_cart_is_read_in_the_registers_own_currency(shop: Shop) -> None:
    assert shop.get("customers/c1/cart").json() == cart_row()
    assert shop.get("carts/CART-1").json() == cart_row()
    assert refusal(shop.get("customers/c2/cart"), 404) == "not-found"
    for path in ("customers/c1/cart", "carts/CART-1"):
        assert refusal(shop.get(path, shop.abroad), 404) == "not-found"


def test_one_register_holds_a_cart_and_a_repeated_claim_is_the_same_lease_prolonged(shop: Shop, clock: SetClock) -> None:
    lease = shop.claim()
    assert (lease["cart"], lease["version"], lease["untilMs"]) == ("CART-1", 1, clock.wall_ms + 900_000)
    clock.wall_ms += 1000
    assert shop.claim(ttlSeconds=30) == lease, "never shortened"
    lease = lease | {"untilMs": lease["untilMs"] + 1000}
    assert shop.claim() == lease
    held = shop.post("claim", CLAIM, shop.there)
    assert (refusal(held, 409), held.json()["heldBy"], held.json()["untilMs"]) == ("cart-held", "0001/02", lease["untilMs"])
    assert refusal(shop.post("claim", CLAIM | {"key": "another-basket"}), 409) == "cart-held"
    (row,), _ = lines_of(shop.there.feed("carts"))
    assert row["data"]["heldBy"] == "0001/02"
    paid = shop.http.post("/ops/carts/CART-1/order", headers=shop.ops)
    assert (refusal(paid, 409), paid.json()["heldBy"]) == ("cart-held", "0001/02")


def test_a_cart_that_changed_or_is_not_there_cannot_be_claimed(shop: Shop) -> None:
    changed = shop.post("claim", CLAIM | {"version": 7})
    assert (refusal(changed, 409), changed.json()["version"]) == ("cart-changed", 1)
    assert refusal(shop.post("claim", CLAIM, shop.abroad), 404) == "not-found"
    assert refusal(shop.http.post("/edge/v1/carts/CART-9/claim", json=CLAIM, headers=shop.here.headers), 404) == "not-found"
    assert refusal(shop.post("claim", CLAIM | {"ttlSeconds": 5}), 400) == "invalid"


def test_a_released_cart_is_free_and_the_late_repeat_of_its_claim_does_not_hold_it_again(shop: Shop) -> None:
    lease = shop.claim()
    assert refusal(shop.post("release", {"token": lease["token"]}, shop.there), 409) == "lease-gone"
    for _ in range(2):
        assert shop.post("release", {"token": lease["token"]}).status_code == 204
    assert shop.cart()["heldBy"] == ""
    assert refusal(shop.post("claim", CLAIM), 409) == "lease-gone"
    assert shop.claim(shop.there)["token"] != lease["token"]


def test_a_lease_that_runs_out_frees_the_cart_for_everybody_to_see(shop: Shop, clock: SetClock) -> None:
    lease = shop.claim()
    _, end = lines_of(shop.there.feed("carts"))
    clock.wall_ms += 900_001
    assert shop.get("carts/CART-1").json()["heldBy"] == "", "at once, before anything was swept"
    wait_until(lambda: bool(lines_of(shop.there.feed("carts", end["cursor"]))[0]), "the feed says so")
    assert shop.claim(shop.there)["untilMs"] > lease["untilMs"]
    assert refusal(shop.post("complete", {"token": lease["token"], "sale": "s1", "lines": ["l1"]}), 409) == "lease-gone"


def test_a_claim_that_is_repeated_in_good_time_holds_the_cart_for_as_long_as_its_basket_lives_whatever_the_customer_edits(shop: Shop, clock: SetClock) -> None:
    lease = shop.claim()
    edit = {"customer": "c1", "currency": "EUR", "lines": cart_row()["lines"][:2]}
    assert shop.http.put("/ops/carts/CART-1", json=edit, headers=shop.ops).status_code == 200
    for _ in range(4):
        clock.wall_ms += 600_000
        again = shop.claim()
        assert (again["token"], again["version"], again["untilMs"]) == (lease["token"], 1, clock.wall_ms + 900_000)
        assert refusal(shop.http.post("/ops/carts/CART-1/order", headers=shop.ops), 409) == "cart-held"
    clock.wall_ms += 900_001
    assert refusal(shop.post("claim", CLAIM), 409) == "lease-gone"
    assert shop.http.post("/ops/carts/CART-1/order", headers=shop.ops).json() == {"lines": 2}


def test_a_claim_on_a_cart_that_an_operator_deleted_is_not_prolonged(shop: Shop) -> None:
    shop.claim()
    assert shop.http.delete("/ops/feeds/carts/CART-1", headers=shop.ops).is_success
    assert refusal(shop.post("claim", CLAIM), 404) == "not-found"


def test_a_lease_that_ran_out_still_completes_while_nobody_else_took_the_cart(shop: Shop, clock: SetClock) -> None:
    lease = shop.claim()
    clock.wall_ms += 900_001
    assert shop.post("complete", {"token": lease["token"], "sale": "s1", "lines": ["l1"]}).status_code == 204
    assert shop.lines() == [("l2", 2), ("l3", 3)]


def test_completing_takes_out_the_sold_lines_once_and_lets_the_cart_go(shop: Shop) -> None:
    lease = shop.claim()
    for _ in range(2):
        assert shop.post("complete", {"token": lease["token"], "sale": "sale-0001-02-1-1", "lines": ["l1"]}).status_code == 204
    cart = shop.cart()
    assert (cart["version"], cart["heldBy"], shop.lines()) == (2, "", [("l2", 2), ("l3", 3)])
    shop.sold(lease, "l1")  # the sale's fact says the same again
    assert (shop.cart()["version"], shop.refunds()) == (2, [])


def test_the_sales_fact_alone_settles_the_cart_and_keeps_what_the_customer_added_since(shop: Shop) -> None:
    lease = shop.claim()
    edit = {"customer": "c1", "currency": "EUR", "lines": [*cart_row()["lines"], {"line": "l9", "sku": "A-9", "pieces": 1, "unitPriceMinor": 5}]}
    edited = shop.http.put("/ops/carts/CART-1", json=edit, headers=shop.ops).json()
    assert (edited["version"], edited["heldBy"]) == (2, "0001/02")
    shop.sold(lease, "l1", "l3")
    assert (shop.cart()["version"], shop.cart()["heldBy"], shop.lines(), shop.refunds()) == (3, "", [("l2", 2), ("l9", 1)], [])


def test_pieces_of_a_line_that_were_not_sold_stay_online(shop: Shop) -> None:
    shop.sold(shop.claim(), "l1", partlySold={"l3": 2})
    assert shop.lines() == [("l2", 2), ("l3", 1)]


@pytest.mark.parametrize("first", ["completed", "fact alone", "sold from a copy"])
def test_pieces_that_the_customer_added_to_a_sold_line_meanwhile_stay_online(shop: Shop, first: str) -> None:
    lease = shop.claim() if first != "sold from a copy" else None
    shop.raised(l1=3, l2=1)
    counted = {"l1": 1, "l2": 2}
    if first == "completed":
        told = [{"line": line, "pieces": pieces} for line, pieces in counted.items()]
        body = {"token": lease["token"], "sale": "sale-0001-02-1-1", "lines": [*counted], "soldPieces": told}
        assert shop.post("complete", body).status_code == 204
        assert shop.lines() == [("l1", 2), ("l3", 3)]
    shop.sold(lease, *counted, soldPieces=counted)
    assert (shop.lines(), shop.cart()["heldBy"], shop.refunds()) == ([("l1", 2), ("l3", 3)], "", [])


def test_a_register_that_does_not_say_how_many_pieces_it_sold_has_sold_the_line(shop: Shop) -> None:
    lease = shop.claim()
    shop.raised(l1=3)
    shop.sold(lease, "l1")
    assert (shop.lines(), shop.refunds()) == ([("l2", 2), ("l3", 3)], [])


def test_an_emptied_cart_becomes_a_tombstone(shop: Shop) -> None:
    lease = shop.claim()
    _, end = lines_of(shop.there.feed("carts"))
    shop.sold(lease, "l1", "l2", "l3")
    assert refusal(shop.get("carts/CART-1"), 404) == "not-found"
    rows, _ = lines_of(shop.there.feed("carts", end["cursor"]))
    assert [(row["op"], row["key"]) for row in rows] == [("del", "CART-1")]
    assert shop.central.seed("carts", [("CART-1", cart_row())]) == 0, "seeding again does not open a sold cart"


def test_lines_sold_from_a_copy_that_were_ordered_or_removed_online_become_refund_tasks(shop: Shop) -> None:
    shop.http.put("/ops/carts/CART-1", json={"customer": "c1", "currency": "EUR", "lines": cart_row()["lines"][:2]}, headers=shop.ops)
    assert shop.http.post("/ops/carts/CART-1/order", headers=shop.ops).json() == {"lines": 2}
    shop.sold(None, "l1", "l3")
    assert sorted(shop.refunds()) == [("l1", "ordered_online"), ("l3", "removed_online")]


def test_a_line_that_two_registers_sold_from_their_copies_is_noticed(shop: Shop) -> None:
    shop.sold(None, "l1")
    shop.sold(None, "l1", register=shop.there)
    assert (shop.refunds(), shop.lines()) == ([("l1", "sold_in_store")], [("l2", 2), ("l3", 3)])


def test_a_sale_in_quarantine_touches_no_cart(shop: Shop) -> None:
    register = shop.here
    cart = {"cartId": "CART-1", "version": 1, "token": "", "leaseUntilMs": 0, "offlineCopy": True, "soldLines": ["l1"], "leftLines": []}
    wrong = register.sale_data(cart=cart)
    ack = register.ack(register.push(register.fact("retail.sale.completed.v1", wrong | {"tenders": []})))
    assert len(ack["quarantined"]) == 1
    assert len(shop.lines()) == 3


def test_a_visit_shows_on_the_profile_everywhere(shop: Shop) -> None:
    shop.here.push(shop.here.visit("c1"), shop.here.visit("c1"), shop.here.visit("unknown"))
    profile = shop.get("customers/c1", shop.abroad).json()
    assert (profile["visits"], profile["lastVisitMs"]) == (4, shop.here.common()["atMs"])
    assert shop.get("customers?kind=loyalty&value=LOY-c1").json()["customers"][0]["visits"] == 4
