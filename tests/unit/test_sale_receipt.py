"""What stands on a receipt, as golden text: EDGE_UPDATE_GOLDEN=1 makes what is written now the golden text."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.labels import LABELS, labels
from edge_agent.domain.market import GERMANY, SWEDEN, UNITED_STATES, Market
from edge_agent.domain.receipt import Barcode, QrCode, Receipt, Text, layout
from edge_agent.domain.sale import Sale
from edge_agent.domain.sale_receipt import Letterhead, sale_receipt
from edge_agent.domain.tender import Approved, CardResult
from edge_agent.formats import Formats
from tests.support_register import COAT, GOLD, LEASE, MARIA, OFFERS, PRALINES, SOCKS, Memory, cart, grams, pieces

GOLDEN = Path(__file__).parent / "golden"
CARD = CardResult("p-1", "480211", "visa", "1111", "contactless", receipt_lines=("Kartenzahlung kontaktlos", "Genehmigt 480211"))


def printed(sale: Sale, market: Market, *, copy: bool = False, letterhead: tuple[str, ...] = ("Berlin Mitte", "Friedrichstr. 1, 10117 Berlin")) -> Receipt:
    formats = Formats(market)
    head = Letterhead(letterhead, labels(market.locale), formats.decimal, formats.amount, formats.moment)
    return sale_receipt(sale, head, operator="Ayse K.", copy=copy)


def golden(name: str, receipt: Receipt, columns: int = 42) -> None:
    lines = layout(receipt, columns)
    assert max(map(len, lines)) <= columns
    text = "\n".join(lines) + "\n"
    path = GOLDEN / f"receipt_{name}.txt"
    if os.environ.get("EDGE_UPDATE_GOLDEN") == "1":
        path.write_text(text)
    assert text == path.read_text()


def only(till: Memory) -> Sale:
    (sale,) = till.sales
    return sale


def test_german_cash_with_discounts_and_weighed_goods():
    till = Memory()
    till.add(COAT)
    till.add(SOCKS, pieces(2))
    till.add(PRALINES, grams(412))
    till.do(do.DiscountLine(till.state.basket.lines[0].id, do.Cut("Winterangebot", percent_milli=20_000)))
    till.do(do.DiscountBasket(do.Cut("Eröffnung", amount_minor=64)))
    till.do(do.PayCash(25_000))
    golden("de_cash", printed(only(till), GERMANY))


def test_german_card_with_member_price_and_what_stays_online():
    till = Memory()
    till.do(do.AttachCustomer(MARIA, "loyalty"))
    till.do(do.LoadCart(cart(("w1", "COAT", 1, 19900), ("w2", "SOCKS", 3, 1250)), LEASE, {"COAT": (COAT, GOLD["COAT"]), "SOCKS": (SOCKS, OFFERS["SOCKS"])}))
    till.do(do.AddArticle(COAT, GOLD["COAT"], pieces(1), serial="SN-4711", batch="L7"))
    till.add(SOCKS)
    attempt = till.card(10_000)
    till.do(do.Learn(attempt, Approved(10_000, "EUR", CARD), "answer"))
    till.do(do.PayCash(10_000))
    golden("de_card_and_cart", printed(only(till), GERMANY))


def test_a_copy_says_so_at_both_ends_and_is_otherwise_the_same():
    till = Memory()
    till.add(COAT)
    till.do(do.PayCash(None))
    original, copy = (layout(printed(only(till), GERMANY, copy=copy), 42) for copy in (False, True))
    assert [line for line in copy if "KOPIE" not in line] == original
    assert [at for at, line in enumerate(copy) if "KOPIE" in line] == [2, len(copy) - 3]
    receipt = printed(only(till), GERMANY, copy=True)
    assert receipt.copy
    golden("de_copy", receipt)


def test_american_with_tax_on_top():
    till = Memory(UNITED_STATES)
    till.add(COAT)
    till.add(PRALINES, grams(412))
    till.do(do.DiscountBasket(do.Cut("grand opening", percent_milli=10_000)))
    till.do(do.PayCash(30_000))
    golden("en_tax_on_top", printed(only(till), UNITED_STATES, letterhead=("Fifth Avenue", "New York, NY 10010")))


def test_swedish_with_cash_rounding():
    till = Memory(SWEDEN)
    till.add(COAT)
    till.add(SOCKS)  # 211.50 kronor
    till.do(do.PayCash(50_000))
    golden("sv_rounding", printed(only(till), SWEDEN, letterhead=("Stockholm City",)))


def test_long_names_wrap_on_narrow_paper_and_no_amount_is_torn():
    till = Memory()
    article = replace(COAT, name="Wollmantel mit abnehmbarer Kapuze und Donaudampfschifffahrtskapitänsknöpfen", variant="marineblau meliert, 38")
    till.add(article, pieces(12))
    till.do(do.AddDepartment("Fashion", "standard", "", 999_999, pieces(1)))
    till.do(do.PayCash(None))
    sale = only(till)
    receipt = printed(sale, GERMANY, letterhead=("Kaufhaus an der Friedrichstraße Berlin Mitte",))
    golden("de_long_names", receipt, columns=32)
    amounts = [line.split()[-1] for line in layout(receipt, 32) if line.strip()]
    assert "12.387,99" in amounts  # 12 x 199,00 and 9.999,99


def test_a_name_from_the_catalogue_commands_no_printer():
    till = Memory()
    till.add(replace(COAT, name="Coat\x1bp\x00\x19\x19 \x1d(k", variant="a\nb"))
    till.do(do.PayCash(None))
    text = "\n".join(layout(printed(only(till), GERMANY), 42))
    assert all(character.isprintable() for character in text.replace("\n", ""))


def test_a_sale_that_costs_nothing_has_a_receipt_without_tenders():
    till = Memory()
    till.add(SOCKS)
    till.do(do.DiscountBasket(do.Cut("Geschenk", percent_milli=100_000)))
    till.do(do.PayCash(None))
    golden("de_gift", printed(only(till), GERMANY))


def test_scanning_a_receipt_finds_it_again():
    till = Memory()
    till.add(COAT)
    till.do(do.PayCash(None))
    receipt = printed(only(till), GERMANY)
    assert receipt.code == "R-0001-02-000001"
    assert [line.data for line in receipt.lines if isinstance(line, QrCode | Barcode)] == [receipt.code, receipt.code]


@pytest.mark.parametrize("language", LABELS)
def test_every_language_has_every_word(language):
    assert LABELS[language].keys() == LABELS["en"].keys()
    assert all(word.strip() for word in LABELS[language].values())


def test_a_language_that_is_not_written_yet_is_english_and_says_nothing_twice():
    assert labels("fi_FI") == LABELS["en"]
    till = Memory()
    till.add(COAT)
    till.do(do.PayCash(None))
    texts = [line.text for line in printed(only(till), replace(GERMANY, locale="fi_FI")).lines if isinstance(line, Text)]
    assert "Served by Ayse K." in texts
