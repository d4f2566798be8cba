"""What central is told about a sale: its fact fits the published schema, adds up by central's own checks, and says what happened."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.basket import DISCOUNTS_MAX, LINES_MAX
from edge_agent.domain.cart import Lease
from edge_agent.domain.errors import OutOfBounds
from edge_agent.domain.market import SWEDEN
from edge_agent.domain.tender import Declined
from sync.contract.envelope import FACT_BYTES_MAX, FIRST_PREVHASH, encode_fact
from tests.support_facts import KNOWN, Books, as_json, checked, fixture_books  # noqa: F401 - a fixture
from tests.support_register import COAT, GOLD, LEASE, MARIA, PRALINES, SOCKS, cart, grams, pieces


def test_a_cash_sale_says_what_was_given_and_what_went_back(books):
    books.add(COAT)
    total = books.total
    books.do(do.PayCash(30_000))
    sale = books.sale
    (tender,) = sale["tenders"]
    assert (tender["kind"], tender["givenMinor"], tender["changeMinor"], tender["settledMinor"]) == ("cash", 30_000, 30_000 - total, total)
    assert sale["totals"] | {"taxMinor": 0} == {
        "linesMinor": 19900, "modifiersMinor": 0, "taxMinor": 0, "totalMinor": total, "roundingMinor": 0, "tenderedMinor": 30_000,
        "changeMinor": 30_000 - total,
    }  # fmt: skip
    assert (sale["retailStoreId"], sale["workstationId"], sale["operatorId"], sale["receiptCode"]) == ("0001", "02", "1001", "R-0001-02-000001")
    assert sale["businessDayDate"] == "2026-11-22"
    assert sale["shiftId"] == books.state.shift.id
    assert sale["customer"] is None
    assert books.all("retail.visit.recorded.v1") == []


def test_a_card_sale_carries_what_may_be_kept_of_the_card_and_every_attempt(books):
    books.add(COAT)
    refused = books.card()
    books.do(do.Learn(refused, Declined("insufficient_funds"), "answer"))
    taken = books.card()
    books.approve(taken, books.total)
    sale = books.sale
    (tender,) = sale["tenders"]
    assert tender["attemptId"] == taken
    assert tender["card"] == {
        "providerRef": "p-1", "approval": "480211", "brand": "visa", "lastFour": "1111", "entryMode": "contactless", "verification": "pin",
        "merchantAccount": "acme-0001", "terminal": "T1", "wireRef": sale["attempts"][1]["wireRef"], "offline": False,
    }  # fmt: skip
    assert [(attempt["state"], attempt["reason"]) for attempt in sale["attempts"]] == [("declined", "insufficient_funds"), ("approved", "")]
    assert books.all("retail.payment.settled.v1") == []  # both are part of the sale


def test_a_split_payment_names_both_tenders_in_order(books):
    books.add(COAT)
    attempt = books.card(10_000)
    books.approve(attempt, 10_000)
    books.do(do.PayCash(None))
    assert [(tender["kind"], tender["settledMinor"]) for tender in books.sale["tenders"]] == [
        ("card", 10_000),
        ("cash", books.sale["totals"]["totalMinor"] - 10_000),
    ]


def test_swedish_rounding_is_on_the_cash_tender_and_in_the_totals():
    books = Books(SWEDEN)
    books.add(SOCKS)  # 12.50 kronor: 13 in cash
    books.do(do.PayCash(2_000))
    list(checked(books.facts))
    (tender,) = books.sale["tenders"]
    assert (tender["settledMinor"], tender["roundingMinor"], tender["changeMinor"]) == (1250, 50, 700)
    assert (books.sale["totals"]["totalMinor"], books.sale["totals"]["roundingMinor"]) == (1250, 50)


def test_less_than_half_a_coin_is_paid_by_rounding_alone():
    books = Books(SWEDEN)
    books.add(SOCKS)
    books.do(do.DiscountBasket(do.Cut("gift", amount_minor=1210)))  # 0.40 kronor left
    books.do(do.PayCash(None))
    list(checked(books.facts))
    (tender,) = books.sale["tenders"]
    assert (tender["settledMinor"], tender["givenMinor"], tender["roundingMinor"]) == (40, 0, -40)


def test_discounts_stand_where_they_were_given_and_the_shares_carry_the_baskets(books):
    books.add(COAT)
    books.add(SOCKS, pieces(2))
    line = books.state.basket.lines[0].id
    books.do(do.DiscountLine(line, do.Cut("winter offer", percent_milli=20_000)))
    books.do(do.DiscountLine(line, do.Cut("button missing", amount_minor=500)))
    books.do(do.DiscountBasket(do.Cut("opening", percent_milli=10_000)))
    books.do(do.PayCash(50_000))
    sale = books.sale
    coat, socks = sale["lineItems"]
    assert [(cut["scope"], cut["reason"], cut["percentMilli"], cut["amountMinor"]) for cut in coat["modifiers"]] == [
        ("line", "winter offer", 20_000, -3980),
        ("line", "button missing", 0, -500),
    ]
    assert (coat["grossMinor"], coat["extendedAmountMinor"], socks["extendedAmountMinor"]) == (19900, 15420, 2500)
    assert [(cut["scope"], cut["amountMinor"]) for cut in sale["modifiers"]] == [("basket", -1792)]
    assert coat["shareMinor"] + socks["shareMinor"] == 15420 + 2500 - 1792
    assert sale["totals"]["modifiersMinor"] == -1792


def test_weighed_goods_are_grams_at_a_price_by_the_kilogram(books):
    books.add(PRALINES, grams(412))
    books.do(do.PayCash(None))
    (line,) = books.sale["lineItems"]
    assert (line["quantity"], line["unit"], line["soldBy"], line["actualUnitPriceMinor"], line["grossMinor"]) == (412, "g", "kg", 3990, 1644)


def test_batch_expiry_and_serial_come_from_the_code(books):
    books.add(COAT, gtin="04006381333931", batch="L7", expiry="2027-03-31", serial="S-1")
    books.do(do.PayCash(None))
    (line,) = books.sale["lineItems"]
    assert (line["batch"], line["expiry"], line["serial"], line["gtin"]) == ("L7", "2027-03-31", "S-1", "04006381333931")


@pytest.mark.parametrize(
    ("code", "gtin"),
    [("96385074", "00000096385074"), ("4006381333948", "04006381333948"), ("HANDMADE 12", ""), ("4006381333949", ""), ("4111111111111111", ""), ("", "")],
)
def test_a_department_sale_keeps_an_articles_number_and_nothing_else_that_was_read(books, code, gtin):
    books.do(do.AddDepartment("Fashion", "standard", "Belt", 2500, pieces(2), code))
    books.do(do.PayCash(None))
    (line,) = books.sale["lineItems"]
    assert (line["kind"], line["itemId"], line["description"], line["priceSource"], line["grossMinor"]) == ("department", "", "Belt", "keyed", 5000)
    assert line["gtin"] == gtin
    assert "4111111111111111" not in repr(books.events)


def test_a_known_customer_is_on_the_sale_without_a_name_and_was_there(books):
    books.do(do.AttachCustomer(MARIA, "tag_uid"))
    books.add(COAT)
    books.do(do.PayCash(None))
    assert books.sale["customer"] == {"customerId": "c-maria", "tier": "gold", "identifiedBy": "tag_uid"}
    (visit,) = books.all("retail.visit.recorded.v1")
    assert (visit["customerId"], visit["identifiedBy"], visit["saleId"]) == ("c-maria", "tag_uid", books.sale["transactionId"])
    assert MARIA.name.encode() not in msgspec.json.encode([as_json(fact) for fact in books.facts])


def test_a_member_price_says_so_beside_the_regular_one():
    books = Books()
    books.add(COAT)
    books.do(do.AttachCustomer(MARIA, "loyalty", GOLD))
    books.do(do.PayCash(None))
    list(checked(books.facts))
    (line,) = books.sale["lineItems"]
    assert (line["regularUnitPriceMinor"], line["actualUnitPriceMinor"], line["priceSource"]) == (19900, 17900, "member")


def test_a_cart_names_what_was_sold_and_what_stays_online():
    books = Books()
    books.do(do.AttachCustomer(MARIA, "cart"))
    books.do(do.LoadCart(cart(("w1", "COAT", 1, 18900), ("w2", "SOCKS", 3, 1250), ("w3", "SOCKS", 1, 1250)), LEASE, KNOWN))
    books.add(COAT)
    books.add(SOCKS, pieces(2))  # of w2's three
    books.do(do.PayCash(None))
    list(checked(books.facts))
    found = books.sale["cart"]
    assert (found["cartId"], found["version"], found["token"], found["offlineCopy"]) == ("cart-1", 7, "token", False)
    assert (found["soldLines"], found["leftLines"]) == (["w1"], ["w2", "w3"])
    assert (found["soldPieces"], found["partlySold"]) == ([{"line": "w1", "pieces": 1}], [{"line": "w2", "pieces": 2}])
    assert [(line["cartLine"], line["priceSource"]) for line in books.sale["lineItems"]] == [("w1", "online"), ("w2", "book")]


def test_a_cart_that_was_loaded_from_a_copy_says_so():
    books = Books()
    books.do(do.AttachCustomer(MARIA, "cart"))
    books.do(do.LoadCart(cart(("w1", "COAT", 1, 18900)), Lease("cart-1", 7, "", 1), KNOWN))
    books.add(COAT)
    books.do(do.PayCash(None))
    list(checked(books.facts))
    assert books.sale["cart"]["offlineCopy"]


def test_a_removed_line_is_told_for_loss_prevention(books):
    books.add(COAT)
    books.add(SOCKS, pieces(2))
    books.do(do.RemoveLine(books.state.basket.lines[1].id))
    books.do(do.PayCash(None))
    (gone,) = books.sale["removedItems"]
    assert (gone["itemId"], gone["quantity"], gone["unit"], gone["amountMinor"], gone["operatorId"]) == ("SOCKS", 2, "piece", 2500, "1001")


@pytest.mark.parametrize("ends", ["voided", "sold"])
def test_cash_that_was_put_down_and_handed_back_is_told_with_the_end_of_the_basket(books, ends):
    books.add(COAT)
    books.do(do.PayCash(5_000))
    books.do(do.ReturnCash(books.state.basket.tenders[0].id))
    at_ms = books.now_ms
    books.do(do.VoidBasket("could not pay") if ends == "voided" else do.PayCash(None))
    (told,) = books.all("retail.basket.voided.v1" if ends == "voided" else "retail.sale.completed.v1")
    assert told["returnedCash"] == [{"amountMinor": 5_000, "atMs": at_ms, "operatorId": "1001"}]
    assert books.state.cash_minor == 10_000 + (0 if ends == "voided" else told["totals"]["totalMinor"]), "it is in no drawer's sum"


def test_pieces_of_one_cart_line_that_are_told_apart_by_their_serial_numbers_are_counted_together(books):
    books.do(do.LoadCart(cart(("w1", "COAT", 3, 19900)), LEASE, KNOWN))
    for serial in ("A1", "A2"):
        books.add(COAT, serial=serial)
    books.do(do.PayCash(None))
    assert (books.sale["cart"]["partlySold"], books.sale["cart"]["soldLines"]) == ([{"line": "w1", "pieces": 2}], [])


def test_the_largest_sale_that_the_counter_can_make_still_fits_into_one_fact():
    books = Books()
    for number in range(LINES_MAX):
        article = replace(SOCKS, name="Merino socks, mid-calf, reinforced heel", variant="anthracite melange, 39-42", gtins=("04006381333948",))
        books.add(article, serial=f"SN-{number:012d}", batch="LOT-2026-11", expiry="2027-12-31")
        books.do(do.DiscountLine(books.state.basket.lines[-1].id, do.Cut("opening week, third day, this shop only", percent_milli=10_000)))
    for cut in range(DISCOUNTS_MAX):
        books.do(do.DiscountBasket(do.Cut(f"{cut} opening week, third day, this shop only", percent_milli=1_000)))
    books.do(do.PayCash(None))
    (fact,) = [fact for fact in books.facts if fact.type == "retail.sale.completed.v1"]
    list(checked([fact]))
    wire = encode_fact(
        source="/t/acme/s/0001/r/02", stream=fact.stream, epoch="1", number=1, prevhash=FIRST_PREVHASH, id=fact.id, type=fact.type, subject=fact.subject,
        at_ms=fact.at_ms, salt=bytes(16), data=fact.data,
    )  # fmt: skip
    assert len(wire) <= FACT_BYTES_MAX, len(wire)


@pytest.mark.parametrize("free", [False, True])
def test_no_line_and_no_sale_is_larger_than_its_fact_may_say(free):
    books = Books()
    books.do(do.AddDepartment("Fashion", "standard", "Belt", 9_999_999_999, pieces(1)))
    line = books.state.basket.lines[0].id
    if free:
        books.do(do.DiscountLine(line, do.Cut("gift", percent_milli=100_000)))
    with pytest.raises(OutOfBounds) as caught:
        books.do(do.ChangeQuantity(line, pieces(2)))
    assert caught.value.key == "out_of_bounds.amount"
    books.do(do.PayCash(None))
    list(checked(books.facts))
