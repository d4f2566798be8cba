"""A GS1 label with a price: what it asks is for all that the label says is there, on the screen, on paper and in the fact."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.basket import PriceSource
from edge_agent.domain.errors import NotAllowed, OutOfBounds
from edge_agent.domain.labels import labels
from edge_agent.domain.market import GERMANY
from edge_agent.domain.reading import Reading
from edge_agent.domain.receipt import layout
from edge_agent.domain.sale_receipt import Letterhead, sale_receipt
from edge_agent.domain.shift import RIGHT_DISCOUNT, RIGHTS_ALL
from edge_agent.formats import Formats
from tests.support_facts import Books, checked, fixture_books  # noqa: F401 - a fixture
from tests.support_register import COAT, LEASE, OFFERS, PRALINES, SOCKS, Memory, cart, grams, pieces
from tests.support_shop import Rig, register

HAM = replace(PRALINES, gtins=("09521246019331",))  # 39.90 a kilogram: 412 g are 16.44
GTIN = "09521246019331"
SOCKS_GTIN = "04006381333948"  # 12.50 a piece


async def opened(rig: Rig, rights: frozenset[str] = RIGHTS_ALL) -> None:
    rig.core.ports.catalogue.articles = (COAT, SOCKS, HAM)
    await rig.till.day.open("1001", 10_000, "")
    rig.core.state = replace(rig.core.state, operator=replace(rig.core.state.operator, rights=rights))


async def scan(rig: Rig, text: str) -> None:
    await rig.till.scanned(Reading(text.encode(), "scanner", rig.core.ports.clock.now_ms(), aim="]C1"))


def by_weight(weight: int, price_minor: int) -> str:
    return f"01{GTIN}3103{weight:06}3922{price_minor}"


def by_count(count: int, price_minor: int, gtin: str = SOCKS_GTIN) -> str:
    return f"01{gtin}30{count}\x1d3922{price_minor}"


# --- what it costs ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "minor", "shown"),
    [(by_weight(412, 1644), 1644, "0,412 kg"), (by_weight(412, 1), 1, "0,412 kg"), (by_count(4, 1644), 1644, "4"), (by_count(4, 1645), 1645, "4")],
)
async def test_the_price_on_a_label_is_for_all_of_its_goods_and_what_the_price_check_says(tmp_path, label, minor, shown):
    async with register(tmp_path) as rig:
        await opened(rig)
        rig.till.counter.next_is_check(True)
        await scan(rig, label)
        assert rig.presenter.snapshot().price_check.label_price.minor == minor
        await scan(rig, label)
        (line,) = rig.presenter.snapshot().basket.lines
        assert (line.amount.minor, line.unit_price.minor, line.quantity, line.label, line.source) == (minor, minor, "", shown, "code")
        assert rig.presenter.snapshot().basket.total.minor == minor


async def test_a_weight_without_a_price_is_sold_by_the_kilogram_and_a_count_by_the_piece(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, f"01{GTIN}3103000412")
        await scan(rig, f"01{SOCKS_GTIN}304")
        lines = rig.presenter.snapshot().basket.lines
        assert [(line.quantity, line.amount.minor, line.label) for line in lines] == [("0,412 kg", 1644, ""), ("4", 5000, "")]


async def test_labels_of_one_kind_are_told_apart_by_what_they_hold(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        for label in (by_weight(412, 1644), by_weight(412, 1644), by_weight(413, 1644), by_count(4, 5000), by_count(1, 5000)):
            await scan(rig, label)
        lines = rig.presenter.snapshot().basket.lines
        assert [(line.pieces, line.label, line.amount.minor) for line in lines] == [(2, "0,412 kg", 3288), (1, "0,413 kg", 1644), (1, "4", 5000), (1, "", 5000)]


@pytest.mark.parametrize(
    ("typed", "label", "lines"),
    [
        ("3", by_count(4, 5000), [(3, "4", 15000)]),
        ("3", by_count(4, 5000)[:16] + "39225000", [(3, "", 15000)]),
        ("3", by_weight(412, 1644), []),
        ("0,5 kg", by_weight(412, 1644), []),
        ("0,5 kg", "2212345019953", []),  # the scale's own label with a price
        ("0,5 kg", by_count(4, 5000), []),
        ("3", "2212345019953", [(3, "", 5985)]),
    ],
)
async def test_a_number_typed_before_a_label_counts_labels_and_a_weight_is_refused(tmp_path, typed, label, lines):
    async with register(tmp_path) as rig:
        await opened(rig)
        rig.till.counter.next_quantity(typed)
        await (scan(rig, label) if label.startswith("01") else rig.till.scanned(Reading(label.encode(), "scanner", rig.core.ports.clock.now_ms())))
        basket = rig.presenter.snapshot().basket
        assert [(line.pieces, line.label, line.amount.minor) for line in (basket.lines if basket else [])] == lines
        if not lines:
            assert rig.core.desk.notice.key == "out_of_bounds.label_quantity"


# --- the right to it -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "taken"),
    [
        (by_weight(412, 1), False),
        (by_weight(412, 1600), False),
        (by_weight(412, 1641), False),
        (by_weight(412, 1643), True),  # the scale rounds down
        (by_weight(412, 1644), True),
        (by_weight(412, 1645), True),
        (by_weight(412, 9999), True),
        (by_weight(1, 1), False),
        (by_weight(1, 4), True),
        (f"01{GTIN}320200009139221647", True),  # 0.91 lb at 18.10 a pound: 413 g are 16.48
        (by_count(4, 1644), False),
        (by_count(4, 4999), False),
        (by_count(4, 5000), True),
        (by_count(4, 5000, GTIN), True),  # sold by the kilogram: a count compares with nothing
        (f"01{GTIN}39221", True),
    ],
)
async def test_a_label_below_the_book_s_price_for_its_goods_takes_the_right_to_discount(tmp_path, label, taken):
    async with register(tmp_path) as rig:
        await opened(rig, RIGHTS_ALL - {RIGHT_DISCOUNT})
        await scan(rig, label)
        assert (rig.core.state.basket is not None) == taken
        if not taken:
            assert rig.core.desk.notice.key == "not_allowed.label_price"


@pytest.mark.parametrize(
    ("held", "minor", "book"),
    [(grams(412), 1643, 1643), (grams(412), 1000, 1644), (grams(412), 2000, 1644), (pieces(4), 1644, 5000), (pieces(4), 5000, 5000)],
)
def test_the_book_s_price_beside_a_label_is_for_the_same_goods(held, minor, book):
    till = Memory()
    article = HAM if held == grams(412) else SOCKS
    till.add(article, held, gtin=article.gtins[0], price_minor=minor)
    (line,) = till.state.basket.lines
    assert (line.amount_minor, line.base_price_minor, line.source) == (minor, book, PriceSource.CODE)


def test_a_typed_label_takes_the_right_to_type_prices_whatever_it_holds():
    till = Memory()
    till.state = replace(till.state, operator=replace(till.state.operator, rights=frozenset({RIGHT_DISCOUNT})))
    with pytest.raises(NotAllowed):
        till.add(HAM, grams(412), gtin=GTIN, price_minor=1644, keyed=True)


# --- on paper, in the fact, and beside a cart ------------------------------------------------------------------------------------


def test_the_receipt_says_what_a_label_holds_and_multiplies_nothing_but_labels():
    till = Memory()
    till.add(HAM, grams(412), gtin=GTIN, price_minor=1644)
    till.add(SOCKS, pieces(4), gtin=SOCKS_GTIN, price_minor=1645)
    till.do(do.AddArticle(SOCKS, OFFERS["SOCKS"], pieces(3), SOCKS_GTIN, 3750, labels=2))
    till.do(do.PayCash(None))
    formats = Formats(GERMANY)
    head = Letterhead(("Berlin Mitte",), labels(GERMANY.locale), formats.decimal, formats.amount, formats.moment)
    paper = [" ".join(row.split()) for row in layout(sale_receipt(till.sales[0], head, operator="Ayse K."), 42)]
    assert paper[paper.index("Pralines, mixed 16,44") + 1] == "0,412 kg"
    assert paper[paper.index("Socks, merino 16,45") + 1] == "4 Stück"
    assert paper[paper.index("Socks, merino 75,00") + 1 :][:2] == ["2 x 37,50", "2 x 3 Stück"]
    assert "1 x" not in "\n".join(paper)


def test_the_fact_is_true_to_the_cent_and_says_what_left_the_shelf(books):
    books.add(HAM, grams(412), gtin=GTIN, price_minor=1644)
    books.add(SOCKS, pieces(4), gtin=SOCKS_GTIN, price_minor=1645)
    books.add(SOCKS)
    books.do(do.PayCash(None))
    lines = books.sale["lineItems"]
    assert [line["quantity"] * line["actualUnitPriceMinor"] for line in lines] == [line["grossMinor"] for line in lines]
    assert [(line["quantity"], line["unit"], line["grossMinor"], line["labelled"]) for line in lines] == [
        (1, "piece", 1644, {"quantity": 412, "unit": "g"}),
        (1, "piece", 1645, {"quantity": 4, "unit": "piece"}),
        (1, "piece", lines[2]["regularUnitPriceMinor"], None),
    ]


def test_a_fact_of_before_labels_told_what_they_hold_is_read_as_well():
    books = Books()
    books.add(COAT)
    books.do(do.PayCash(None))
    (fact,) = [fact for fact in books.facts if fact.type == "retail.sale.completed.v1"]
    older = replace(
        fact, data={**fact.data, "lineItems": [{key: value for key, value in line.items() if key != "labelled"} for line in fact.data["lineItems"]]}
    )
    (read,) = checked([older])
    assert read.line_items[0].labelled is None


def test_goods_of_a_label_are_never_taken_for_a_piece_of_the_cart_s():
    till = Memory()
    till.add(SOCKS, pieces(4), gtin=SOCKS_GTIN, price_minor=1645)
    till.do(do.LoadCart(cart(("w1", "SOCKS", 1, 1000)), LEASE, {"SOCKS": (SOCKS, OFFERS["SOCKS"])}))
    till.add(SOCKS, pieces(4), gtin=SOCKS_GTIN, price_minor=1645)
    assert [(line.cart_line, line.amount_minor) for line in till.state.basket.in_hand] == [("", 3290)]


def test_so_many_labels_as_no_sale_may_cost_are_refused():
    till = Memory()
    with pytest.raises(OutOfBounds):
        till.do(do.AddArticle(SOCKS, OFFERS["SOCKS"], pieces(4), SOCKS_GTIN, 99_999_999, labels=9_999))
    assert till.state.basket is None
