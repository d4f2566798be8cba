"""What central is told about each piece of business: every fact fits the published schema, adds up by central's own checks, and says what happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.basket import DISCOUNTS_MAX, LINES_MAX
from edge_agent.domain.cart import Lease
from edge_agent.domain.errors import OutOfBounds
from edge_agent.domain.events import Event
from edge_agent.domain.market import GERMANY, SWEDEN, UNITED_STATES, Market
from edge_agent.domain.register import Register
from edge_agent.domain.tender import Approved, CardResult, Declined, NotFound, Unknown
from edge_agent.ports import FactDraft
from edge_agent.service.facts import Origin, facts_of, started
from sync.central.checks import check_sale
from sync.contract import schemas
from sync.contract.envelope import FACT_BYTES_MAX, FIRST_PREVHASH, encode_fact, salt_text
from sync.contract.facts import DATA_BY_TYPE, STREAM_BY_TYPE, SaleCompleted
from tests.support_register import AYSE, COAT, GOLD, LEASE, MARIA, OFFERS, PRALINES, SOCKS, Memory, cart, grams, pieces

CARD = CardResult("p-1", "480211", "visa", "1111", "contactless", "pin", "acme-0001", ("Kartenzahlung",))
KNOWN = {"COAT": (COAT, OFFERS["COAT"]), "SOCKS": (SOCKS, OFFERS["SOCKS"])}
MARKETS = pytest.mark.parametrize("market", [GERMANY, UNITED_STATES], ids=["tax_included", "tax_on_top"])


class Books(Memory):
    """A register that keeps the facts of everything that it is told."""

    def __init__(self, market: Market = GERMANY) -> None:
        self.facts: list[FactDraft] = []
        super().__init__(market)

    def do(self, command: do.Command) -> tuple[Event, ...]:
        before: Register = self.state
        events = super().do(command)
        origin = Origin("0001", "02", "1", self.market.currency)
        self.facts += facts_of(before, events, origin, self.now_ms, self.new_id)
        return events

    def approve(self, attempt: str, minor: int, cause: str = "answer") -> None:
        self.do(do.Learn(attempt, Approved(minor, self.market.currency, CARD), cause))

    def all(self, type: str) -> list[dict]:
        return [as_json(fact) for fact in self.facts if fact.type == type]

    @property
    def sale(self) -> dict:
        """The data of the only sale."""
        (found,) = self.all("retail.sale.completed.v1")
        return found


def as_json(fact: FactDraft) -> dict:
    return json.loads(msgspec.json.encode(fact.data))


def checked(facts: list[FactDraft]) -> Iterator[object]:
    """Each fact as central reads it, after the published schema, the stream and the sums were found right."""
    for fact in facts:
        data = {"salt": salt_text(bytes(16)), **as_json(fact)}
        schemas.require(fact.type, data)
        assert STREAM_BY_TYPE[fact.type] == fact.stream
        read = msgspec.convert(data, DATA_BY_TYPE[fact.type], strict=True)
        if isinstance(read, SaleCompleted):
            assert check_sale(read) is None
            assert fact.subject == read.transaction_id
        yield read


@pytest.fixture(params=[GERMANY, UNITED_STATES], ids=["tax_included", "tax_on_top"])
def books(request) -> Iterator[Books]:
    """A register in each market; whatever a test makes it do, its facts are right in the end."""
    books = Books(request.param)
    yield books
    assert list(checked(books.facts))
    assert len({fact.id for fact in books.facts}) == len(books.facts)


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
    assert found["partlySold"] == [{"line": "w2", "pieces": 2}]
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


def test_a_voided_basket_is_a_fact_with_its_reason_and_its_attempts(books):
    books.add(COAT)
    attempt = books.card()
    total = books.total
    books.do(do.Learn(attempt, Declined("refused"), "answer"))
    books.do(do.VoidBasket("customer left"))
    (voided,) = books.all("retail.basket.voided.v1")
    assert (voided["reason"], voided["lines"], voided["amountMinor"], voided["currencyCode"]) == ("customer left", 1, total, books.market.currency)
    assert [found["attemptId"] for found in voided["attempts"]] == [attempt]
    assert voided["attempts"][0]["state"] == "declined"


def test_an_attempt_that_is_settled_late_without_a_sale_is_a_fact_of_its_own(books):
    books.add(COAT)
    attempt = books.card()
    books.do(do.Learn(attempt, Unknown("silence"), "answer"))
    books.do(do.Learn(attempt, NotFound(), "query", transport_settled=True))
    (settled,) = books.all("retail.payment.settled.v1")
    assert (settled["cause"], settled["attempt"]["attemptId"], settled["attempt"]["state"]) == ("query", attempt, "not_processed")
    assert settled["transactionId"] == books.state.basket.id


def test_a_late_yes_that_completes_the_sale_is_told_by_the_sale(books):
    books.add(COAT)
    attempt = books.card()
    total = books.total
    books.do(do.Learn(attempt, Unknown("silence"), "answer"))
    books.do(do.Park("coat"))
    books.approve(attempt, total, "query")
    assert books.sale["attempts"][0]["state"] == "approved"
    assert [fact["attempt"]["attemptId"] for fact in books.all("retail.payment.settled.v1")] == [attempt]


def test_a_persons_decision_says_who_and_how_they_know(books):
    books.add(COAT)
    attempt = books.card()
    books.approve(attempt, books.total + 1)
    books.do(do.Review(attempt, False, "not on the terminal's list " + "x" * 50))
    (settled,) = books.all("retail.payment.settled.v1")
    assert settled["cause"].startswith("review by 1001: not on the terminal's list")
    assert settled["attempt"]["reason"] == "review"


def test_a_card_payment_that_was_undone_is_told_and_stays_on_the_sale(books):
    books.add(COAT)
    books.add(SOCKS)
    first = books.card(5_000)
    books.approve(first, 5_000)
    books.do(do.StartVoid(books.state.basket.tenders[0].id, "void-1", "VREF"))
    books.approve("void-1", 5_000)
    (settled,) = books.all("retail.payment.settled.v1")
    assert (settled["attempt"]["kind"], settled["attempt"]["state"]) == ("void", "approved")
    books.do(do.PayCash(None))
    assert [tender["kind"] for tender in books.sale["tenders"]] == ["cash"]
    assert [(attempt["kind"], attempt["state"]) for attempt in books.sale["attempts"]] == [("sale", "voided"), ("void", "approved")]


def test_a_shift_is_opened_with_its_float_and_closed_with_the_cash_it_should_hold(books):
    books.add(COAT)
    total = books.total
    books.do(do.PayCash(30_000))
    shift = books.state.shift.id
    books.do(do.CloseShift())
    (opened,) = books.all("retail.shift.opened.v1")
    assert (opened["floatMinor"], opened["shiftId"], opened["operatorId"]) == (10_000, shift, AYSE.id)
    (closed,) = books.all("retail.shift.closed.v1")
    assert (closed["sales"], closed["expectedCashMinor"], closed["shiftId"], closed["operatorId"]) == (1, 10_000 + total, shift, AYSE.id)


@pytest.mark.parametrize("open_shift", [True, False])
def test_the_service_coming_up_is_a_fact_with_and_without_a_shift(open_shift):
    books = Books()
    state = books.state if open_shift else Register()
    fact = started(state, Origin("0001", "02", "7", "EUR"), books.now_ms, "f-1", boot="boot-1", version="0.1.0", clean_stop=False)
    (read,) = checked([fact])
    assert (read.boot_id, read.version, read.clean_stop, read.epoch) == ("boot-1", "0.1.0", False, "7")
    assert read.business_day_date == ("2026-11-22" if open_shift else "")


def test_events_that_are_nobody_elses_business_make_no_facts(books):
    count = len(books.facts)
    books.add(COAT)
    books.do(do.Suspend("scarf"))
    books.do(do.Recall(books.state.suspended[0].id))
    books.do(do.SignIn(replace(AYSE, id="1003")))
    assert len(books.facts) == count


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


@pytest.mark.parametrize("typed", ["4111 1111 1111 1111", "call 4111111111111111 back"])
def test_a_card_number_typed_into_a_free_text_is_kept_nowhere(books, typed):
    books.do(do.AddDepartment("Fashion", "standard", typed, 2500, pieces(1)))
    books.do(do.DiscountBasket(do.Cut(typed, amount_minor=1)))
    books.do(do.Suspend(typed))
    books.do(do.Recall(books.state.suspended[0].id))
    attempt = books.card()
    books.approve(attempt, books.total + 1)
    books.do(do.Review(attempt, False, typed))
    books.do(do.VoidBasket(typed))
    written = msgspec.json.encode([repr(books.events), [as_json(fact) for fact in books.facts]]).decode()
    assert "1111" in written
    assert "4111" not in written
