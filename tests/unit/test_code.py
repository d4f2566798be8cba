"""What each kind of reading becomes, what is refused and why, and that no bytes whatever bring out anything but ours."""

from __future__ import annotations

import contextlib
import inspect
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_agent.domain import card_data, code, code_refusal, gs1, gtin, quantity, weighed
from edge_agent.domain.card_data import SHOWN_CHARS_MAX, is_card_number, shown_text
from edge_agent.domain.code import (
    DEFAULT_RULES,
    TEXT_CHARS_MAX,
    CartCode,
    Code,
    CodeRules,
    CouponCode,
    GtinCode,
    LoyaltyCode,
    PrefixRule,
    ReceiptCode,
    StaffCode,
    TagUid,
    Unrecognised,
    WeighedCode,
    WeighedRule,
    understand,
)
from edge_agent.domain.errors import CodeInvalid, ConfigError
from edge_agent.domain.reading import Reading, Source, TagKind
from edge_agent.domain.template import Template
from tests.support_symbols import CORPUS, READ_AT_MS, Symbol

ARTICLE = GtinCode("04006381333931", "4006381333931")
US = CodeRules.parse({"upc_market": True, "currency": "USD", "weighed": {"price": "2.....*{NNDD}"}})


def scanned(payload: bytes, aim: str = "", rules: CodeRules = DEFAULT_RULES) -> Code:
    return understand(Reading(payload, "scanner", READ_AT_MS, aim=aim), rules)


def keyed(text: str, rules: CodeRules = DEFAULT_RULES) -> Code:
    return understand(Reading(text.encode(), "keyboard", READ_AT_MS, Source.KEYED), rules)


def tapped(payload: bytes, tag: TagKind) -> Code:
    return understand(Reading(payload, "nfc", READ_AT_MS, Source.NFC, tag=tag))


def outcome(reading: Reading, rules: CodeRules) -> Code | CodeInvalid:
    try:
        return understand(reading, rules)
    except CodeInvalid as error:
        return error


def refused(payload: bytes, aim: str = "", rules: CodeRules = DEFAULT_RULES) -> CodeInvalid:
    with pytest.raises(CodeInvalid) as caught:
        scanned(payload, aim, rules)
    assert caught.value.hint == code_refusal.HINTS[caught.value.reason]
    return caught.value


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


# ---- GTIN and UPC


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
        (b"x" * (TEXT_CHARS_MAX + 1), "]Q1", "length"),
    ],
)
def test_what_is_no_code_is_refused_with_a_reason(payload: bytes, aim: str, reason: str) -> None:
    assert refused(payload, aim).reason == reason


def test_a_refusal_of_unknown_text_does_not_repeat_it() -> None:
    assert "Jane" not in refused(b"BEGIN:VCARD\nN:Doe;Jane\nEND:VCARD", "]Q1").message


def test_digits_of_other_scripts_are_text() -> None:
    assert scanned("٤٠٠٦٣٨١٣٣٣٩٣١".encode()) == Unrecognised("٤٠٠٦٣٨١٣٣٣٩٣١")


# ---- what people type


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


# ---- tags


def test_a_tag_with_text_or_a_link_is_read_like_a_symbol() -> None:
    assert tapped(b"LOY12345678", TagKind.NDEF_TEXT) == LoyaltyCode("LOY12345678")
    assert tapped(b"https://shop.example/cart/CART-7K3M9P2Q", TagKind.NDEF_URI) == CartCode("CART-7K3M9P2Q")
    assert tapped(b"https://id.gs1.org/01/04006381333931/21/A1", TagKind.NDEF_URI) == GtinCode("04006381333931", "4006381333931", serial="A1")
    assert tapped("مرحبا".encode(), TagKind.NDEF_TEXT) == Unrecognised("مرحبا")


def test_a_fixed_identifier_of_a_tag_identifies() -> None:
    assert tapped(b"04A1B2C3D4E580", TagKind.FIXED_UID) == TagUid("04A1B2C3D4E580")


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


# ---- payment card data


@pytest.mark.parametrize(
    "payload",
    [
        b";4111111111111111=25121010000012300000?",
        b"4111111111111111=2512101",
        b"4111111111111111D25121010000012300000F",
        b"%B4111111111111111^DOE/JANE^2512101000000000?;4111111111111111=2512101?",
        b"%B378282246310005^DOE^",
        b"%b5555555555554444^DOE^2512",
        b"%B no digits at all",
        "ö4111111111111111´25121010000012300000_".encode(),  # the stripe through a keyboard of another country
        b"4111111111111111",
        b"4111 1111 1111 1111",
        b"3782-822463-10005",
        b"2223003122003222",
        b"6011111111111117",
        b"6212345678901232",
    ],
)
@pytest.mark.parametrize("source", [Source.BARCODE, Source.KEYED])
def test_payment_card_data_is_refused_without_a_digit_of_it(payload: bytes, source: Source) -> None:
    with pytest.raises(CodeInvalid) as caught:
        understand(Reading(payload, "reader", READ_AT_MS, source))
    assert caught.value.reason == "card_data"
    assert not re.search("[0-9]", f"{caught.value.message} {caught.value.hint} {caught.value.args_shown}")
    assert "terminal" in caught.value.hint


def test_a_card_number_inside_other_text_is_masked() -> None:
    assert scanned(b"card 4111111111111111 please") == Unrecognised("card ************1111 please")


def test_a_wallets_one_time_code_is_masked() -> None:
    assert scanned(b"134567890123456784") == Unrecognised("**************6784")
    assert scanned(b"281234567890123456") == Unrecognised("**************3456")


@given(
    st.sampled_from(["4111111111111111", "5555555555554444", "378282246310005", "30569309025904", "3530111333300000", "6759649826438453"]), st.text(max_size=30)
)
def test_no_card_number_is_ever_shown_in_full(number: str, around: str) -> None:
    assert is_card_number(number)
    for text in (around + number, number + around, f"{around} {number} {around}", "-".join(number)):
        assert number not in re.sub("[ -]", "", shown_text(text))
        assert len(shown_text(text)) <= SHOWN_CHARS_MAX


@given(st.text(max_size=200))
def test_shown_text_is_printable_and_short(text: str) -> None:
    shown = shown_text(text)

    assert len(shown) <= SHOWN_CHARS_MAX
    assert all(char.isprintable() for char in shown)


# ---- the shop's own rules


def test_a_template_of_digits_gives_way_to_a_gtin_unless_it_comes_first() -> None:
    after = CodeRules(prefixes=(PrefixRule.parse("loyalty", "{9:13}"),))
    first = CodeRules(prefixes=(PrefixRule.parse("loyalty", "29###########", first=True),))
    card = b"2912345678906"

    assert scanned(b"4006381333931", rules=after) == ARTICLE
    assert scanned(b"4006381333932", rules=after) == LoyaltyCode("4006381333932")  # no article, so no wrong check digit either
    assert scanned(b"4006381333931", rules=CodeRules(prefixes=(PrefixRule.parse("loyalty", "{X:13}"),))) == ARTICLE
    assert scanned(card, rules=first) == LoyaltyCode("2912345678906")
    assert scanned(card, "]E0", rules=first) == LoyaltyCode("2912345678906")
    assert scanned(card, rules=CodeRules()) == GtinCode("02912345678906", "2912345678906")


def test_a_loyalty_card_as_upc_a_is_known_however_it_is_sent() -> None:
    rules = CodeRules(prefixes=(PrefixRule.parse("loyalty", "4###########", first=True),))

    assert scanned(b"412345678903", rules=rules) == scanned(b"0412345678903", "]E0", rules) == LoyaltyCode("412345678903")


def test_a_template_that_begins_with_the_shops_own_range_may_take_what_looks_like_a_card() -> None:
    wide = CodeRules(prefixes=(PrefixRule.parse("gift_card", "{9:16}", first=True),))
    own = CodeRules(prefixes=(PrefixRule.parse("gift_card", "6011{9:12}", first=True),))

    assert refused(b"6011111111111117", rules=wide).reason == "card_data"
    assert type(scanned(b"6011111111111117", rules=own)).__name__ == "GiftCardCode"


def test_eighteen_digits_of_the_shop_are_its_own_even_when_they_begin_like_an_element_string() -> None:
    rules = CodeRules(prefixes=(PrefixRule.parse("gift_card", "{9:18}"),))

    assert type(scanned(b"010400638133393199", rules=rules)).__name__ == "GiftCardCode"


def test_element_strings_without_an_article_are_tried_as_the_shops_own() -> None:
    rules = CodeRules.parse({"prefixes": {"loyalty": "(8018)[{9:18}]", "coupon": "(255)[{9:13}]"}})

    assert scanned(b"8018400638100000000002", "]C1", rules) == LoyaltyCode("400638100000000002")
    assert scanned(b"2554006381333931", "]C1", rules) == CouponCode("4006381333931")
    assert refused(b"8018400638100000000003", "]C1", rules).reason == "check_digit"


def test_a_us_scale_label_is_read_from_a_upc_a() -> None:
    assert scanned(b"212345019955", rules=US) == WeighedCode("12345", None, 1995, None, "2.....*{NNDD}")
    assert scanned(b"0212345019955", "]E0", US) == WeighedCode("12345", None, 1995, None, "2.....*{NNDD}")


def test_a_scale_label_with_a_zero_knows_the_article_only() -> None:
    assert scanned(b"2112345000008") == WeighedCode("12345", None, None, None, "21.....{NNDDD}")


def test_a_price_in_a_label_is_in_the_minor_units_of_the_market() -> None:
    yen = CodeRules(weighed=(WeighedRule.parse("22.....{NNNNN}", "price"),), currency="JPY")
    dinar = CodeRules(weighed=(WeighedRule.parse("22.....{NNNDD}", "price"),), currency="KWD")

    assert scanned(b"2212345019953", rules=yen) == WeighedCode("12345", None, 1995, None, "22.....{NNNNN}")
    assert scanned(b"2212345019953", rules=dinar) == WeighedCode("12345", None, 19950, None, "22.....{NNNDD}")
    assert refused(b"2212345019953", rules=CodeRules(weighed=(WeighedRule.parse("22.....{NNNDD}", "price"),), currency="JPY")).reason == "amount"
    assert [rule.pattern for rule in CodeRules.parse({"currency": "JPY"}).weighed] == ["21.....{NNDDD}"]


def test_a_count_in_a_label_is_read_and_bounded() -> None:
    assert scanned(b"2312345000125", rules=CodeRules.parse({"weighed": {"count": "23.....{NNNNN}"}})) == WeighedCode("12345", None, None, 12, "23.....{NNNNN}")
    assert refused(b"2312345999993", rules=CodeRules.parse({"weighed": {"count": "23.....{NNNNN}"}})).reason == "amount"


@pytest.mark.parametrize(
    ("template", "text", "value"),
    [
        ("LC-##########", "LC-1234567890", "LC-1234567890"),
        ("LC-[##########]", "LC-1234567890", "1234567890"),
        ("https://shop.example/c/{id}", "https://shop.example/c/a_B-9", "a_B-9"),
        ("https://shop.example/c/{id}", "HTTPS://SHOP.example/c/a?utm=1#top", "a"),
        ("https://shop.example/c/{id}", "https://shop.example/c/a/", "a"),
        ("https://shop.example/c/{id}", "https://shop.example/C/a", None),
        ("https://shop.example/c/{id}", "https://shop.example.evil/c/a", None),
        ("https://shop.example/c/{id}", "https://shopXexample/c/a", None),
        ("https://shop.example/c/{id}", "https://shop.example/c/a/b", None),
        ("{A:2}{9:3}", "AB123", "AB123"),
        ("{A:2}{9:3}", "AB12", None),
        ("X{B:4}", "XABCI", None),
        ("X{B:4}\n", "XABCD", ConfigError),
        ("LOY{9:8-12}", "LOY12345678\n", None),
        ("plain", "", ConfigError),
        ("", "", ConfigError),
        ("{9:8-12}", "", ConfigError),  # digits alone need one exact length
        ("{W:1-64}", "", ConfigError),
        ("12{9:1-3}", "", ConfigError),
        ("[LOY]{9:8}", "LOY12345678", "LOY"),
        ("[A#]B[C#]", "", ConfigError),
        ("[A#", "", ConfigError),
        ("A#]", "", ConfigError),
        ("{9:0}", "", ConfigError),
        ("{9:9-8}", "", ConfigError),
        ("A{9:999}", "", ConfigError),
        ("{Q:3}", "", ConfigError),
        ("A{9:", "", ConfigError),
        ("A}#", "", ConfigError),
    ],
)
def test_templates_say_what_the_shops_codes_look_like(template: str, text: str, value: str | type | None) -> None:
    if value is ConfigError:
        with pytest.raises(ConfigError) as caught:
            Template.parse(template)
        assert set(caught.value.args_shown) == {"section", "key", "expected", "got"}
        return
    assert Template.parse(template).match(text) == value


@pytest.mark.parametrize(
    ("template", "text", "value"),
    [
        ("R-{X:1-8}-{X:1-4}-{9:6}", "r-berlin-k1-000123", "R-BERLIN-K1-000123"),
        ("R-{X:1-8}-{X:1-4}-{9:6}", "r berlin k1 000123", None),  # where would the store end?
        ("R-{A:1-8}/{9:6}", "r berlin / 000 123", "R-BERLIN/000123"),
        ("T-{W:4}", "t-aB-9", "T-aB-9"),
        ("T-{W:4}", "t aB 9", None),
        ("K{A:2}", "\u212aAB", None),  # the sign for kelvin is no K
        ("K{A:2}", "ka\u017f", None),  # nor a long s an S
        ("https://shop.example/c/{id}", "https://SHOP.example/C/a", None),
    ],
)
def test_typed_codes_match_where_they_stay_clear(template: str, text: str, value: str | None) -> None:
    assert Template.parse(template).match(text, keyed=True) == value


def test_a_typed_number_is_not_taken_by_a_template_that_is_digits_but_for_hyphens() -> None:
    rules = CodeRules(prefixes=(PrefixRule.parse("order", "####-####"),))

    assert keyed("96385074", rules) == GtinCode("00000096385074", "96385074")
    assert type(keyed("9638-5074", rules)).__name__ == "OrderCode"


@pytest.mark.parametrize(
    ("config", "section", "key", "got"),
    [
        ({"weighted": {}}, "codes", "weighted", "weighted"),
        ({"weighed": {"volume": "21.....{NNDDD}"}}, "codes.weighed", "volume", "volume"),
        ({"weighed": {"weight": "21....{NNDDD}{N}"}}, "codes.weighed", "weight", "21....{NNDDD}{N}"),
        ({"weighed": {"weight": "21.....{NNDDD}."}}, "codes.weighed", "weight", "21.....{NNDDD}."),
        ({"weighed": {"weight": "21.....{NDDDD}"}}, "codes.weighed", "weight", "21.....{NDDDD}"),
        ({"weighed": {"count": "21.....{NNNND}"}}, "codes.weighed", "count", "21.....{NNNND}"),
        ({"weighed": {"weight": "40.....{NNDDD}"}}, "codes.weighed", "weight", "40.....{NNDDD}"),
        ({"weighed": {"weight": "2100000{NNDDD}"}}, "codes.weighed", "weight", "2100000{NNDDD}"),
        ({"weighed": {"weight": 21}}, "codes.weighed", "weight", "21"),
        ({"weighed": ["21.....{NNDDD}"]}, "codes", "weighed", "['21.....{NNDDD}']"),
        ({"prefixes": {"loyality": "LOY#"}}, "codes.prefixes", "loyality", "loyality"),
        ({"first": {"loyalty": ["{9:}"]}}, "codes.first", "loyalty", "{9:}"),
        ({"weighed": {"price": "22.....{NNNDD}"}, "currency": "JPY"}, "codes.weighed", "price", "22.....{NNNDD}"),
        ({"expects_aim": "yes"}, "codes", "expects_aim", "yes"),
        ({"separators": "A"}, "codes", "separators", "A"),
        ({"currency": "euro"}, "codes", "currency", "euro"),
    ],
)
def test_a_wrong_configuration_says_section_key_expected_and_got(config: dict[str, object], section: str, key: str, got: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CodeRules.parse(config)
    shown = caught.value.args_shown
    assert (shown["section"], shown["key"], shown["got"]) == (section, key, got)
    assert shown["expected"] in caught.value.message


def test_what_the_configuration_does_not_mention_stays_as_it_is() -> None:
    rules = CodeRules.parse({"first": {"loyalty": "29###########"}})

    assert rules.prefixes[0] == PrefixRule.parse("loyalty", "29###########", first=True)
    assert rules.prefixes[1:] == DEFAULT_RULES.prefixes
    assert rules.weighed == DEFAULT_RULES.weighed
    assert CodeRules.parse({}) == DEFAULT_RULES


# ---- any bytes

AIMS = st.one_of(st.sampled_from(["", "]E0", "]E3", "]E4", "]E1", "]C1", "]C0", "]e0", "]d2", "]Q3", "]Q1", "]I1", "]J1", "]", "]]]"]), st.text(max_size=4))
ELEMENTS = st.lists(
    st.sampled_from(
        ["01", "04006381333931", "10", "17", "261231", "21", "30", "3103", "000412", "3922", "3932", "978", "\x1d", "(01)", "(10)", "00", "7007", "8006", "A1"]
    ),
    max_size=12,
).map("".join)
LINKS = st.builds(
    "{}{}/01/{}{}".format,
    st.sampled_from(["http://", "https://", "HTTPS://"]),
    st.text(alphabet="a.[]:@%/\u00e9", max_size=8),
    st.sampled_from(["04006381333931", "4006381333931", "96385074", "123456789", "99999999999999999"]),
    st.text(alphabet="/01271?&=%2F#aA+;", max_size=20),
)
PAYLOADS = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=60).map(str.encode),
    st.text(alphabet="0123456789", max_size=40).map(str.encode),
    st.text(alphabet="0123456789 -=^;%B?", max_size=60).map(str.encode),
    ELEMENTS.map(str.encode),
    LINKS.map(str.encode),
)
RULES = (DEFAULT_RULES, US, CodeRules(separators="|~"), CodeRules.parse({"first": {"loyalty": "{9:13}"}, "currency": "XXX"}))


@settings(max_examples=1500, deadline=None)
@given(PAYLOADS, AIMS, st.sampled_from(Source), st.one_of(st.none(), st.sampled_from(TagKind)), st.integers(-(2**62), 2**62), st.sampled_from(RULES))
@example(b"]", "", Source.BARCODE, None, 0, DEFAULT_RULES)
@example(b"|", "]C1", Source.BARCODE, None, 0, CodeRules(separators="|~"))
@example(b"]Y", "", Source.BARCODE, None, 0, DEFAULT_RULES)
@example(b"7007260101", "]C1", Source.BARCODE, None, 0, DEFAULT_RULES)
@example(b"http://[::1/01/04006381333931", "", Source.BARCODE, None, 0, DEFAULT_RULES)
def test_any_bytes_are_understood_or_refused(payload: bytes, aim: str, source: Source, tag: TagKind | None, at_ms: int, rules: CodeRules) -> None:
    found = outcome(Reading(payload, "device", at_ms, source, aim, tag), rules)
    match found:
        case CodeInvalid():
            assert found.hint == code_refusal.HINTS[found.reason]
        case GtinCode():
            assert re.fullmatch("[0-9]{14}", found.gtin)
            assert found.gtin.endswith(found.shown) or len(found.shown) in (6, 7, 8)
            assert found.grams is None or 1 <= found.grams <= quantity.QUANTITY_GRAMS_MAX
            assert found.count is None or 1 <= found.count <= quantity.QUANTITY_PIECES_MAX
            assert found.price_minor is None or 1 <= found.price_minor <= weighed.PRICE_MINOR_MAX
        case Unrecognised(shown):
            assert 0 < len(shown) <= SHOWN_CHARS_MAX
        case _:
            assert found


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["weighed", "prefixes", "first", "separators", "currency", "x"]),
        st.recursive(
            st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["loyalty", "weight", "price"]), inner, max_size=3),
            max_leaves=5,
        ),
    )
)
def test_any_configuration_is_taken_or_refused(config: dict[str, object]) -> None:
    with contextlib.suppress(ConfigError):
        assert CodeRules.parse(config)


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="LOY[]{}#9AXBW:-0123456789()/. ", max_size=30), st.text(max_size=30))
def test_any_template_is_taken_or_refused_and_matches_in_bounded_time(source: str, text: str) -> None:
    try:
        template = Template.parse(source)
    except ConfigError:
        return
    for keyed_text in (False, True):
        value = template.match(text, keyed=keyed_text)
        assert value is None or value


def test_every_reason_has_a_hint_and_every_hint_a_reason() -> None:
    modules = (card_data, code, gs1, gtin, quantity, weighed)
    used = {reason for module in modules for reason in re.findall(r'refuse\(\s*"(\w+)"', Path(inspect.getfile(module)).read_text())}

    assert used == set(code_refusal.HINTS)
