"""What stands on a receipt, as golden text: EDGE_UPDATE_GOLDEN=1 makes what is written now the golden text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.cart import Lost
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


def paid_by(card: CardResult) -> list[str]:
    """What stands under the card on a receipt."""
    till = Memory()
    till.add(COAT)
    till.do(do.Learn(till.card(19_900), Approved(19_900, "EUR", card), "answer"))
    lines = layout(printed(only(till), GERMANY), 42)
    at = next(at for at, line in enumerate(lines) if line.startswith("Karte"))
    return lines[at + 1 : lines.index("", at)]


def test_where_the_terminal_gave_its_lines_they_stand_as_it_gave_them_and_nothing_of_ours_beside_them():
    own = ("Visa", "************8557", "kontaktlos", "Genehmigungs-Nr.  148557", "  Betrag        199,00 EUR")
    assert paid_by(CardResult("p-1", "148557", "Visa", "8557", receipt_lines=own)) == list(own)


@pytest.mark.parametrize("none", [(), ("", "  ")])
def test_where_the_terminal_gave_no_lines_ours_say_which_card_it_was(none: tuple[str, ...]):
    assert paid_by(CardResult("p-1", "148557", "Visa", "8557", receipt_lines=none)) == ["  **** 8557 148557"]
    assert paid_by(CardResult("p-1", "148557", receipt_lines=none)) == ["  148557"]
    assert paid_by(CardResult("p-1", receipt_lines=none)) == []


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


def test_a_label_s_price_stands_beside_the_one_that_it_replaces():
    till = Memory()
    till.add(COAT, gtin="04006381333931", price_minor=5_000)
    till.do(do.PayCash(5_000))
    assert "  Preis vom Etikett, statt 199,00" in layout(printed(only(till), GERMANY), 42)


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


def test_of_many_lines_that_stay_online_only_their_number_is_printed():
    till = Memory()
    till.do(do.AttachCustomer(MARIA, "loyalty"))
    wanted = [(f"w{at}", f"SKU-{at}", 2, 1250) for at in range(6)]
    till.do(do.LoadCart(cart(*wanted), LEASE, {sku: (replace(SOCKS, sku=sku), OFFERS["SOCKS"]) for _, sku, *_ in wanted}))
    till.add(COAT)
    till.do(do.PayCash(None))
    told = [row for row in layout(printed(only(till), GERMANY), 48) if "Online-Warenkorb" in row]
    assert told == ["12 Artikel bleiben in Ihrem Online-Warenkorb"]


def test_what_stays_online_is_named_with_its_variant():
    till = Memory()
    till.do(do.AttachCustomer(MARIA, "loyalty"))
    till.do(do.LoadCart(cart(("w1", "COAT", 1, 19900)), LEASE, {"COAT": (COAT, GOLD["COAT"])}))
    till.add(SOCKS)
    till.do(do.PayCash(2_000))
    assert "1 x Wool coat, navy, 38: bleibt in Ihrem Online-Warenkorb" in " ".join(" ".join(layout(printed(only(till), GERMANY), 42)).split())


@pytest.mark.parametrize("why", ["gone", "taken", "run_out"])
def test_of_a_cart_that_is_not_held_any_more_nothing_is_said_to_stay_online(why: str):
    till = Memory()
    till.do(do.AttachCustomer(MARIA, "loyalty"))
    till.do(do.LoadCart(cart(("w1", "COAT", 1, 19900)), LEASE, {"COAT": (COAT, GOLD["COAT"])}))
    till.do(do.MoveLease(LEASE, replace(LEASE, lost=Lost(why, 1))))
    till.add(SOCKS)
    till.do(do.PayCash(2_000))
    assert "Online-Warenkorb" not in " ".join(layout(printed(only(till), GERMANY), 42))
    assert only(till).cart_lines_left == (frozenset() if why == "gone" else {"w1"})


@pytest.mark.parametrize("breaks", ["\n", "\r\n", "\u2028", "\x85", "\x0b", "\t\n "])
def test_no_name_writes_a_line_of_its_own_on_the_receipt(breaks: str):
    till = Memory()
    till.add(replace(COAT, name=f"Coat{breaks}TOTAL 0.01", variant=f"M{breaks}L"))
    till.do(do.DiscountLine(till.state.basket.lines[0].id, do.Cut(f"Sale{breaks}Free", percent_milli=1_000)))
    till.do(do.PayCash(None))
    lines = layout(printed(only(till), GERMANY, letterhead=(f"Berlin{breaks}Gift", f"\u202eStr. 1{breaks}x")), 80)
    assert [line for line in lines if line.lstrip().startswith(("TOTAL 0.01", "L ", "Free", "Gift", "x"))] == []
    assert any(line.startswith("Coat TOTAL 0.01, M L") for line in lines)
    assert any(line.startswith("  Sale Free") for line in lines)
    assert not any("\u202e" in line for line in lines)
