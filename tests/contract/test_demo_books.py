"""The day's own books: reckoned without the domain, and every kind of difference between them is found."""

from __future__ import annotations

import ast
import doctest
import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

import edge_agent.demo
from drivers.simulators._card_ledger import APPROVED, Entry
from edge_agent.demo import reconciling
from edge_agent.demo.expected import Basket, Books, Cut, Line, Sold
from edge_agent.demo.ledgers import Ledger, expected_ledger
from edge_agent.demo.sums import RULES

FOLDER = Path(edge_agent.demo.__file__).parent
OWN_ARITHMETIC = ("sums", "expected", "ledgers", "reconciling", "stock", "script", "clerk", "goods", "visitors", "purse", "power", "troubles")


@pytest.mark.parametrize("name", OWN_ARITHMETIC)
def test_the_script_reckons_without_domain_and_service(name: str) -> None:
    tree = ast.parse((FOLDER / f"{name}.py").read_text("utf-8"))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not {module for module in imported if module.startswith(("edge_agent.domain", "edge_agent.service", "edge_agent.api"))}


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__"))
def test_the_examples_in_the_demo_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"edge_agent.demo.{name}")).failed == 0


def a_basket(market: str = "DE") -> Basket:
    return Basket(RULES[market], "b-1")


def article(sku: str, price: int, quantity: int = 1, tax_class: str = "standard", source: str = "book") -> Line:
    return Line(sku, sku, tax_class, quantity, price, source, gtin=f"0{sku}")


def test_the_same_article_again_raises_the_quantity_and_a_reduced_one_does_not() -> None:
    basket = a_basket()
    basket.add(article("A", 500))
    basket.add(article("A", 500))
    basket.change(0, replace(basket.lines[0], cuts=(Cut("worn", percent_milli=10_000),)))
    basket.add(article("A", 500))
    assert [(line.quantity, line.amount) for line in basket.lines] == [(2, 900), (1, 500)]


def test_a_basket_discount_is_spread_to_the_last_cent_before_tax() -> None:
    basket = a_basket()
    for sku, tax_class in (("A", "standard"), ("B", "reduced"), ("C", "standard")):
        basket.add(article(sku, 333, tax_class=tax_class))
    basket.cuts.append(Cut("anniversary", amount_minor=100))
    assert basket.shares == [299, 300, 300]
    assert basket.total == 899
    assert basket.taxes == {"standard": (503, 96), "reduced": (280, 20)}


def test_tax_on_top_is_rounded_line_by_line() -> None:
    basket = a_basket("US")
    basket.add(article("A", 199))
    basket.add(article("B", 199))
    assert (basket.tax, basket.total) == (36, 434)


def test_goods_in_hand_fulfil_the_cart_and_what_is_beyond_it_comes_as_any_other() -> None:
    basket = a_basket()
    basket.cart, basket.cart_lines = "CART-1", ("w1", "w2")
    basket.lines = [
        replace(article("A", 450, 2, source="online"), cart_line="w1", to_pick=True),
        replace(article("B", 300), cart_line="w2", to_pick=True),
    ]
    basket.pick(article("A", 500))
    assert basket.left_online() == ("w1", "w2")
    basket.pick(article("A", 500, 2))
    assert [(line.sku, line.quantity, line.price_minor, line.to_pick) for line in basket.lines] == [
        ("B", 1, 300, True),
        ("A", 2, 450, False),
        ("A", 1, 500, False),
    ]
    assert basket.left_online() == ("w2",)


def test_cash_beyond_the_rest_is_change() -> None:
    basket = a_basket()
    basket.add(article("A", 1234))
    assert basket.pay("card", 1000).change == 0
    assert basket.pay("cash", 500).change == 266
    assert basket.rest == 0


def some_books() -> Books:
    books = Books(RULES["DE"], 15_000)
    for number in range(3):
        basket = Basket(RULES["DE"], f"b-{number}", customer="C1" if number else "")
        basket.add(article("A", 1000 + number))
        basket.pay("card" if number == 1 else "cash", basket.total)
        books.sell(basket)
    books.voided.append(("b-9", 700))
    books.charged = 1001
    return books


def test_equal_books_have_no_difference() -> None:
    ledger = expected_ledger(some_books())
    assert reconciling.compare(ledger, ledger, ledger).differences == []


ALTERATIONS: dict[str, Callable[[Books], object]] = {
    "a total": lambda books: books.sold.__setitem__(0, replace(books.sold[0], total=books.sold[0].total + 1)),
    "a tax": lambda books: books.sold.__setitem__(0, replace(books.sold[0], taxes=(("standard", 841, 159),))),
    "a tender": lambda books: books.sold.__setitem__(1, replace(books.sold[1], tenders=(replace(books.sold[1].tenders[0], kind="cash"),))),
    "a change": lambda books: books.sold.__setitem__(0, replace(books.sold[0], tenders=(replace(books.sold[0].tenders[0], change=1),))),
    "a line": lambda books: books.sold.__setitem__(2, replace(books.sold[2], lines=())),
    "a line's price": lambda books: books.sold.__setitem__(2, replace(books.sold[2], lines=(replace(books.sold[2].lines[0], price_minor=1),))),
    "a customer": lambda books: books.sold.__setitem__(1, replace(books.sold[1], customer="C2")),
    "a sale that is not there": lambda books: books.sold.pop(),
    "a sale too many": lambda books: books.sold.append(Sold("b-7", (), 0, 0, (), ())),
    "a void": lambda books: books.voided.clear(),
    "a voided amount": lambda books: books.voided.__setitem__(0, ("b-9", 701)),
}


@pytest.mark.parametrize("what", sorted(ALTERATIONS))
@pytest.mark.parametrize("where", ["register", "central"])
def test_every_alteration_of_one_book_is_a_difference(what: str, where: str) -> None:
    altered = some_books()
    ALTERATIONS[what](altered)
    right, wrong = expected_ledger(some_books()), expected_ledger(altered)
    found = reconciling.compare(right, wrong if where == "register" else right, wrong if where == "central" else right)
    assert found.differences
    assert "differences." in list(found.lines())[-1]


def test_a_charge_that_no_sale_knows_is_a_difference() -> None:
    books = some_books()
    register = replace(expected_ledger(books), cards={"REF1": 1001})
    known = Entry("REF1", "payment", 1001, "EUR", state=APPROVED, booked_minor=1001)
    found = reconciling.Reconciliation()
    reconciling.add_terminal(found, books, register, [known], "EUR")
    assert found.differences == []
    reconciling.add_terminal(found, books, register, [known, Entry("REF2", "payment", 5, "EUR", state=APPROVED, booked_minor=5)], "EUR")
    assert any("REF2" in difference for difference in found.differences)


def test_a_cart_that_kept_a_sold_line_is_a_difference() -> None:
    books = some_books()
    books.carts_left = {"CART-1": ("w2",)}
    found = reconciling.Reconciliation()
    reconciling.add_carts(found, books, {"CART-1": ("w1", "w2")})
    assert len(found.differences) == 1


def test_a_gap_and_a_broken_journal_are_differences() -> None:
    found = reconciling.Reconciliation()
    stream = {"stream": "trade", "gaps": 1, "chained": True, "quarantined": 0, "withheld": 0}
    reconciling.add_soundness(found, ["event 7 was changed"], 9, {"ok": True, "registers": [{"store": "0001", "streams": [stream]}]})
    assert len(found.differences) == 2


def test_nothing_is_made_up_where_a_book_has_no_answer() -> None:
    row = reconciling.Row("copies", 1, other=1)
    assert row.agrees
    assert not reconciling.Row("copies", 1, other=2).agrees
    assert Ledger({}, {}).cards is None
