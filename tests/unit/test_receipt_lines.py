from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain.receipt import (
    BARCODE_CHARACTERS_MAX,
    QR_BYTES_MAX,
    Align,
    Barcode,
    Cut,
    Feed,
    Pair,
    PrintJob,
    QrCode,
    Receipt,
    Rule,
    Text,
    as_copy,
    layout,
    pair,
    width,
    wrap,
)


def receipt(*lines: object) -> Receipt:
    return Receipt(lines, copy=False, code="R-0001-02-000123")  # type: ignore[arg-type]  # tests write the union's members


SALE = receipt(
    Text("Käserei Müller", bold=True, double=True, align=Align.CENTER),
    Text("Marktgasse 12", align=Align.CENTER),
    Rule(),
    Pair("Bergkäse am Stück, 12 Monate gereift", "8,75 A"),
    Text("  0,350 kg x 25,00 €/kg"),
    Pair("Milch 1 l", "1,19 A"),
    Rule(),
    Pair("TOTAL €", "9,94", bold=True, double=True),
    Feed(),
    Barcode("R-0001-02-000123"),
    QrCode("R-0001-02-000123"),
    Text("Seite 1", align=Align.RIGHT),
    Cut(),
)


def test_a_receipt_is_laid_out_for_narrow_paper() -> None:
    assert layout(SALE, 32) == [
        "         Käserei Müller",
        "         Marktgasse 12",
        "--------------------------------",
        "Bergkäse am Stück, 12 Monate",
        "gereift                   8,75 A",
        "  0,350 kg x 25,00 €/kg",
        "Milch 1 l                 1,19 A",
        "--------------------------------",
        "TOTAL €                     9,94",
        "",
        "    ||| R-0001-02-000123 |||",
        "     [QR] R-0001-02-000123",
        "                         Seite 1",
    ]


def test_a_double_pair_breaks_where_the_paper_does() -> None:
    assert layout(receipt(Pair("GESAMTBETRAG", "1.234,56", double=True)), 32) == ["GESAMTBETRAG", "                        1.234,56"]


def test_a_cut_between_two_pieces_is_shown_and_the_last_one_is_not() -> None:
    assert layout(receipt(Text("one"), Cut(), Text("two"), Cut()), 16) == ["one", "- - - - - - - -", "two"]


def test_wide_characters_take_two_columns() -> None:
    assert layout(receipt(Pair("牛乳 1 l", "2,10"), Text("緑茶", align=Align.RIGHT)), 16) == ["牛乳 1 l    2,10", "            緑茶"]


def test_an_amount_and_its_currency_are_not_torn_apart() -> None:
    assert wrap("noch offen 12,50\u00a0€", 16) == ["noch offen", "12,50\u00a0€"]


def test_a_long_word_is_torn_and_an_indent_is_kept() -> None:
    assert wrap("  https://shop.example/receipt/1", 16) == ["  https://shop.e", "  xample/receipt", "  /1"]


def test_a_pair_whose_amount_does_not_fit_puts_it_on_its_own_line() -> None:
    assert pair("Sixteen wide txt", "9,99", 16) == ["Sixteen wide txt", "            9,99"]
    assert pair("", "9,99", 16) == ["            9,99"]
    assert pair("only left", "", 16) == ["only left"]


def test_control_characters_do_not_reach_the_paper() -> None:
    assert wrap("a\x1bp\x00b\x7f\tc\r\nd", 16) == ["apb c", "d"]


def test_a_copy_says_so_at_both_ends_and_is_cut_once() -> None:
    lines = layout(as_copy(SALE, "KOPIE"), 32)
    assert [number for number, line in enumerate(lines) if line.strip() == "KOPIE"] == [0, len(lines) - 1]
    assert as_copy(SALE, "KOPIE").copy
    assert as_copy(SALE, "KOPIE").lines[-1] == Cut()


def test_a_reprint_is_marked_and_opens_no_drawer() -> None:
    with pytest.raises(AssertionError, match="says on its paper"):
        PrintJob("1", SALE, copy=True)
    with pytest.raises(AssertionError, match="opens no drawer"):
        PrintJob("1", as_copy(SALE, "COPY"), copy=True, open_drawer=True)
    assert PrintJob("1", as_copy(SALE, "COPY"), copy=True).copy


@pytest.mark.parametrize("wrong", [lambda: QrCode(""), lambda: QrCode("€" * QR_BYTES_MAX), lambda: Barcode(""), lambda: Barcode("é")])
def test_a_code_without_data_or_beyond_its_limit_is_a_bug(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(AssertionError):
        wrong()


def test_the_limits_of_codes_are_inclusive() -> None:
    assert QrCode("x" * QR_BYTES_MAX)
    assert Barcode("0" * BARCODE_CHARACTERS_MAX)
    with pytest.raises(AssertionError):
        Barcode("0" * (BARCODE_CHARACTERS_MAX + 1))


texts = st.text(max_size=200)


@given(text=texts, columns=st.integers(16, 64))
def test_no_line_is_wider_than_the_paper_and_nothing_visible_is_lost(text: str, columns: int) -> None:
    lines = wrap(text, columns)
    assert all(width(line) <= columns for line in lines)
    assert visible("".join(lines)) == visible(text)


@given(left=texts, right=st.text(max_size=40), columns=st.integers(16, 64), double=st.booleans())
def test_pairs_keep_within_the_paper_and_lose_nothing(left: str, right: str, columns: int, double: bool) -> None:
    lines = layout(receipt(Pair(left, right, double=double)), columns)
    assert all(width(line) <= columns for line in lines)
    assert sorted(visible("".join(lines))) == sorted(visible(left + right))


@given(text=texts, columns=st.integers(16, 64), align=st.sampled_from(Align), double=st.booleans())
def test_texts_keep_within_the_paper(text: str, columns: int, align: Align, double: bool) -> None:
    lines = layout(receipt(Text(text, double=double, align=align)), columns)
    assert all(width(line) <= columns for line in lines)


def visible(text: str) -> str:
    return "".join(character for character in text if unicodedata.category(character)[0] not in "ZC")
