"""What each kind of reading becomes, what is refused and why."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain import card_data, code, code_refusal, gs1, gtin, quantity, weighed
from edge_agent.domain.code import TEXT_CHARS_MAX, CartCode, Code, CodeRules, GtinCode, LoyaltyCode, ReceiptCode, StaffCode, TagUid, Unrecognised
from edge_agent.domain.errors import CodeInvalid
from edge_agent.domain.reading import TagKind
from tests.support_codes import ARTICLE, US, keyed, refused, scanned, tapped
from tests.support_symbols import CORPUS, Symbol


@pytest.mark.parametrize("symbol", CORPUS, ids=lambda symbol: symbol.name)
def test_every_symbol_of_the_corpus_is_understood_with_its_identifier(symbol: Symbol) -> None:
    assert scanned(symbol.payload, symbol.aim) == symbol.code


# One zint symbol reads differently without its identifier: a carton's (00) is then 20 digits and nothing more.
@pytest.mark.parametrize("symbol", [symbol for symbol in CORPUS if symbol.name != "carton"], ids=lambda symbol: symbol.name)
def test_every_other_symbol_of_the_corpus_is_understood_without_its_identifier(symbol: Symbol) -> None:
    assert scanned(symbol.payload) == symbol.code


@pytest.mark.parametrize("symbol", CORPUS, ids=lambda symbol: symbol.name)
def test_an_identifier_that_the_driver_left_in_the_payload_is_taken_off(symbol: Symbol) -> None:
    assert scanned(symbol.aim.encode() + symbol.payload) == symbol.code


def test_an_identifier_stays_in_the_text_where_the_shop_says_that_none_is_sent() -> None:
    assert scanned(b"]E04006381333931", rules=CodeRules(expects_aim=False)) == Unrecognised("]E04006381333931")


@pytest.mark.parametrize(
    ("payload", "aim", "expected"),
    [
        (b"4006381333931", "", ARTICLE),
        (b" 4006381333931\r\n", "", ARTICLE),
        (b"96385074", "", GtinCode("00000096385074", "96385074")),
        (b"012345678905", "", GtinCode("00012345678905", "012345678905")),
        (b"012345678905", "]E0", GtinCode("00012345678905", "012345678905")),  # a scanner set up to send UPC-A as it is printed
        (b"14006381333938", "", GtinCode("14006381333938", "14006381333938")),
        (b"14006381333938", "]I0", GtinCode("14006381333938", "14006381333938")),
        (b"01234565", "", GtinCode("00000001234565", "01234565")),  # right as both
        (b"01234565", "]E4", GtinCode("00000001234565", "01234565")),
        (b"01234565", "]E0", GtinCode("00012345000065", "01234565")),
        (b"04252614", "", GtinCode("00042100005264", "04252614")),  # right as UPC-E only
        (b"0425261", "]E0", GtinCode("00042100005264", "0425261")),
        (b"425261", "]E0", GtinCode("00042100005264", "425261")),
        (b"978030640615754", "]E3", GtinCode("09780306406157", "9780306406157")),
        (b"978030640615751299", "]E3", GtinCode("09780306406157", "9780306406157")),
        (b"0060992011187]E112", "]E0", GtinCode("00060992011187", "060992011187")),  # Datalogic sends the add-on as a second symbol
        (b"96385074]E212345", "]E4", GtinCode("00000096385074", "96385074")),
    ],
)
def test_numbers_of_articles_are_read_in_every_length_and_form(payload: bytes, aim: str, expected: GtinCode) -> None:
    assert scanned(payload, aim) == expected


@pytest.mark.parametrize(
    ("digits", "upc_a"), [("01234505", "012000003455"), ("01234531", "012300000451"), ("01234543", "012340000053"), ("01234558", "012345000058")]
)
def test_every_ending_of_a_upc_e_is_expanded(digits: str, upc_a: str) -> None:
    """GS1 General Specifications 5.2.2.4.2: the sixth digit says where the zeros were."""
    seven = digits[:7]
    wanted = upc_a[:-1]

    found = scanned(seven.encode(), "]E0")

    assert isinstance(found, GtinCode)
    assert found.gtin[2:-1] == wanted


def test_without_an_identifier_a_market_of_upc_prefers_it() -> None:
    assert scanned(b"01234565", rules=US) == GtinCode("00012345000065", "01234565")
    assert scanned(b"425261", rules=US) == GtinCode("00042100005264", "425261")
    assert scanned(b"425261") == Unrecognised("425261")
    assert scanned(b"96385074", rules=US) == GtinCode("00000096385074", "96385074")


@pytest.mark.parametrize(
    ("payload", "aim", "message"),
    [
        (b"4006381333932", "", "Invalid GTIN-13 check digit in '4006381333932': expected 1, got 2."),
        (b"4006381333932", "]E0", "Invalid GTIN-13 check digit in '4006381333932': expected 1, got 2."),
        (b"96385075", "", "Invalid GTIN-8 check digit in '96385075': expected 4, got 5."),
        (b"96385075", "]E4", "Invalid GTIN-8 check digit in '96385075': expected 4, got 5."),
        (b"01234566", "]E0", "Invalid UPC-E check digit in '01234566': expected 5, got 6."),
        (b"012345678904", "", "Invalid GTIN-12 check digit in '012345678904': expected 5, got 4."),
        (b"14006381333930", "]I1", "Invalid GTIN-14 check digit in '14006381333930': expected 8, got 0."),
        (b"2112345004122", "", "Invalid GTIN-13 check digit in '2112345004122': expected 9, got 2."),
    ],
)
def test_a_wrong_check_digit_is_refused_with_the_expected_one(payload: bytes, aim: str, message: str) -> None:
    error = refused(payload, aim)

    assert error.message == message
    assert error.key == "code_invalid.check_digit"
    assert error.args_shown["expected"] in message
    assert "again" in error.hint


@given(st.from_regex(r"[1-9][0-9]{11}", fullmatch=True), st.integers(1, 9))
def test_no_single_wrong_check_digit_gets_through(payload: str, off_by: int) -> None:
    from biip.checksums import gs1_standard_check_digit

    right = gs1_standard_check_digit(payload)
    rules = CodeRules()  # without scale labels

    assert scanned(f"{payload}{right}".encode(), rules=rules) == GtinCode(f"0{payload}{right}", f"{payload}{right}")
    assert refused(f"{payload}{(right + off_by) % 10}".encode(), rules=rules).reason == "check_digit"


@pytest.mark.parametrize(
    ("payload", "aim", "reason"),
    [
        (b"400638133393", "]E4", "length"),
        (b"40063813", "]E1", "not_a_code"),
        (b"12", "]E1", "not_a_code"),
        (b"40063813339311", "]E0", "length"),
        (b"ABC", "]E0", "characters"),
        ("٤٠٠٦٣٨١٣٣٣٩٣١".encode(), "]E0", "characters"),
        (b"00000000", "", "not_a_code"),
        (b"0000000000000", "]E0", "not_a_code"),
        (b"000000", "]E0", "not_a_code"),
        (b"21234565", "]E0", "not_a_code"),  # there is no UPC-E of number system 2
        (b"", "", "empty"),
        (b" \r\n", "", "empty"),
        (b"\x1d", "]C1", "empty"),
        (b"", "]e0", "empty"),
        (b"", "]C1", "empty"),
        (b"AB\x00C", "", "characters"),
        (b"[)>\x1e06\x1dP123\x1e\x04", "]d1", "characters"),
        (b"BEGIN:VCARD\nN:Doe;Jane\nEND:VCARD", "]Q1", "characters"),
        (b"x" * (TEXT_CHARS_MAX + 1), "]Q1", "too_long"),
    ],
)
def test_what_is_no_code_is_refused_with_a_reason(payload: bytes, aim: str, reason: str) -> None:
    assert refused(payload, aim).reason == reason


def test_a_refusal_of_unknown_text_does_not_repeat_it() -> None:
    assert "Jane" not in refused(b"BEGIN:VCARD\nN:Doe;Jane\nEND:VCARD", "]Q1").message


def test_digits_of_other_scripts_are_text() -> None:
    assert scanned("٤٠٠٦٣٨١٣٣٣٩٣١".encode()) == Unrecognised("٤٠٠٦٣٨١٣٣٣٩٣١")


@pytest.mark.parametrize("text", ["4006381333931", "4006381 333931", "4-006381-333931", " 400 638 133 393 1 ", "(01) 04006381333931", "4006381\u00a0333931"])
def test_a_typed_number_may_hold_spaces_and_hyphens(text: str) -> None:
    assert keyed(text) == ARTICLE


def test_a_scanned_number_may_not() -> None:
    assert scanned(b"4006381-333931") == Unrecognised("4006381-333931")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("loy 1234-5678", LoyaltyCode("LOY12345678")),
        ("cart7k3m9p2q", CartCode("CART-7K3M9P2Q")),
        ("Cart 7K3M 9P2Q", CartCode("CART-7K3M9P2Q")),
        ("r0001 02 000123", ReceiptCode("R-0001-02-000123")),
        ("staff 42", StaffCode("STAFF-42")),
        ("(01)04006381333931 (10)AB-1", GtinCode("04006381333931", "4006381333931", batch="AB-1")),
    ],
)
def test_a_typed_code_is_written_as_the_shop_writes_it(text: str, expected: Code) -> None:
    assert keyed(text) == expected


def test_a_typed_plu_stays_as_it_is() -> None:
    assert keyed("4011") == Unrecognised("4011")


def test_a_tag_with_text_or_a_link_is_read_like_a_symbol() -> None:
    assert tapped(b"LOY12345678", TagKind.NDEF_TEXT) == LoyaltyCode("LOY12345678")
    assert tapped(b"https://shop.example/cart/CART-7K3M9P2Q", TagKind.NDEF_URI) == CartCode("CART-7K3M9P2Q")
    assert tapped(b"https://id.gs1.org/01/04006381333931/21/A1", TagKind.NDEF_URI) == GtinCode("04006381333931", "4006381333931", serial="A1")
    assert tapped("مرحبا".encode(), TagKind.NDEF_TEXT) == Unrecognised("مرحبا")


@pytest.mark.parametrize("uid", ["04A1B2C3D4E580", "08A1B2C3D4E580", "A108B2C3"])  # only four bytes that begin with 08 are random
def test_a_fixed_identifier_of_a_tag_identifies(uid: str) -> None:
    assert tapped(uid.encode(), TagKind.FIXED_UID) == TagUid(uid)


@pytest.mark.parametrize(
    ("payload", "tag", "reason", "advice"),
    [
        (b"", TagKind.RANDOM_UID, "random_uid", "phone"),
        (b"08A1B2C3", TagKind.FIXED_UID, "random_uid", "phone"),
        (b"", TagKind.BANK_CARD, "bank_card", "terminal"),
        (b"", TagKind.UNREADABLE, "unreadable", "still"),
        (b"", TagKind.FIXED_UID, "unreadable", "still"),
        (b"not hex", TagKind.FIXED_UID, "unreadable", "still"),
        (b"\xff\xfe", TagKind.FIXED_UID, "unreadable", "still"),
        (b"", TagKind.NDEF_TEXT, "empty", "again"),
    ],
)
def test_a_tag_that_identifies_nobody_is_refused_with_what_to_do(payload: bytes, tag: TagKind, reason: str, advice: str) -> None:
    with pytest.raises(CodeInvalid) as caught:
        tapped(payload, tag)
    assert caught.value.reason == reason
    assert advice in caught.value.hint


# --- refusals --------------------------------------------------------------------------------------------------------------------


def test_every_reason_has_a_hint_and_every_hint_a_reason() -> None:
    modules = (card_data, code, gs1, gtin, quantity, weighed)
    used = {reason for module in modules for reason in re.findall(r'refuse\(\s*"(\w+)"', Path(inspect.getfile(module)).read_text())}

    assert used == set(code_refusal.HINTS)
