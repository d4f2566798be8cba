"""GS1 element strings and Digital Links: what they tell the counter, and what is refused although biip takes it."""

from __future__ import annotations

import pytest
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_messages import GS1Message

from edge_agent.domain.code import Code, CodeRules, GtinCode, Unrecognised, understand
from edge_agent.domain.errors import CodeInvalid
from edge_agent.domain.gs1 import bracketed, elements_of
from edge_agent.domain.reading import Reading
from tests.support_symbols import READ_AT_MS

GTIN = "0104006381333931"
GS = "\x1d"
LINK = "https://brand.example/01/04006381333931"


def scanned(text: str, aim: str = "]C1", *, at_ms: int = READ_AT_MS, rules: CodeRules | None = None) -> Code:
    return understand(Reading(text.encode(), "scanner", at_ms, aim=aim), rules or CodeRules())


def article(text: str, aim: str = "]C1", *, at_ms: int = READ_AT_MS, rules: CodeRules | None = None) -> GtinCode:
    found = scanned(text, aim, at_ms=at_ms, rules=rules)
    assert isinstance(found, GtinCode)
    assert found.gtin == "04006381333931"
    return found


def refusal(text: str, aim: str = "]C1", rules: CodeRules | None = None) -> CodeInvalid:
    with pytest.raises(CodeInvalid) as caught:
        scanned(text, aim, rules=rules)
    return caught.value


# ---- what a symbol tells


@pytest.mark.parametrize("aim", ["]C1", "]e0", "]d2", "]Q3", "]J1", "", "]C0"])
def test_an_element_string_is_read_from_every_carrier_and_without_one(aim: str) -> None:
    assert article(f"{GTIN}10A1{GS}21S1", aim) == GtinCode("04006381333931", "4006381333931", batch="A1", serial="S1")


@pytest.mark.parametrize("text", [f"{GS}{GTIN}10A1", f"{GTIN}10A1{GS}", f"{GTIN}{GS}10A1", "(01)04006381333931(10)A1"])
def test_separators_that_the_standard_tolerates_are_tolerated(text: str) -> None:
    assert article(text, "").batch == "A1"


def test_a_shop_may_name_what_its_scanners_send_for_gs() -> None:
    assert article(f"{GTIN}10A1|21S1", "", rules=CodeRules(separators="|")).serial == "S1"
    assert refusal(f"{GTIN}10A1|21S1", "]C1").reason == "characters"


@pytest.mark.parametrize(
    ("element", "grams"),
    [
        ("3103000412", 412),
        ("3102000412", 4120),
        ("3100000041", 41_000),
        ("3105000412", 4),  # 4.12 g
        ("3105000450", 5),  # halves go up
        ("3202000100", 454),  # one pound
        ("3561000010", 31),  # one troy ounce
        ("3103000000", None),
    ],
)
def test_net_weight_comes_in_grams(element: str, grams: int | None) -> None:
    assert article(f"{GTIN}{element}", "]e0").grams == grams


def test_kilograms_are_taken_before_pounds_where_a_label_has_both() -> None:
    assert article(f"{GTIN}32020009083103000412", "]e0").grams == 412


@pytest.mark.parametrize(
    ("element", "currency", "minor"),
    [
        ("39221644", "EUR", 1644),
        ("392016", "EUR", 1600),
        ("392316440", "EUR", 1644),
        ("392016", "JPY", 16),
        ("393297816" + "44", "EUR", 1644),
        ("393284016" + "44", "USD", 1644),
        ("39220", "EUR", None),
    ],
)
def test_a_price_comes_in_minor_units_of_the_register(element: str, currency: str, minor: int | None) -> None:
    assert article(f"{GTIN}3103000412{element}", "]e0", rules=CodeRules(currency=currency)).price_minor == minor


def test_a_count_of_pieces_is_read() -> None:
    assert article(f"{GTIN}3012").count == 12


@pytest.mark.parametrize(
    ("element", "expiry"),
    [
        ("17261231", "2026-12-31"),
        ("17280200", "2028-02-29"),  # day 00: the end of the month
        ("17261200", "2026-12-31"),
        ("17760101", "2076-01-01"),
        ("17770101", "1977-01-01"),
        ("70032612312359", "2026-12-31"),
        ("15261231", ""),  # best before is not a day after which it must not be sold
    ],
)
def test_the_last_day_of_sale_is_an_iso_date(element: str, expiry: str) -> None:
    assert article(f"{GTIN}{element}").expiry == expiry


def test_the_century_of_a_date_depends_on_when_it_was_read() -> None:
    in_2080 = 3_481_000_000_000

    assert article(f"{GTIN}17010101", at_ms=in_2080).expiry == "2101-01-01"


def test_a_range_of_harvest_dates_is_two_dates() -> None:
    """biip reads the second date as an hour and refuses the symbol."""
    assert article(f"{GTIN}7007260101260131")
    assert refusal(f"{GTIN}7007260101260231").reason == "date"


def test_a_symbol_without_a_gtin_is_shown_as_printed() -> None:
    assert scanned("4104006381333931") == Unrecognised("(410)4006381333931")
    assert bracketed(elements_of(f"10A1{GS}21S1")) == "(10)A1(21)S1"


# ---- no identifier is guessed


@pytest.mark.parametrize("digits", ["7032069804988", "1012345678904", "2112345678900", "3103000412006", "0012345678905", "01234565"])
def test_an_ean_without_an_identifier_is_never_an_element_string(digits: str) -> None:
    found = scanned(digits, "")

    assert isinstance(found, GtinCode)
    assert found.gtin.endswith(digits)
    assert not found.batch
    assert not found.serial
    assert not found.expiry


def test_a_gtin_after_01_is_one_also_without_an_identifier() -> None:
    assert article(GTIN, "")
    assert article(f"{GTIN}3103000412", "").grams == 412
    assert scanned("0104006381333932", "") == Unrecognised("0104006381333932")


# ---- what biip takes and we refuse


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0104006381333932", "check_digit"),  # biip sets gtin_error and goes on
        ("00340123450000000001", "check_digit"),
        ("4104006381333932", "check_digit"),
        ("800301234567890121AB", "check_digit"),
        ("800604006381333932" + "0102", "check_digit"),
        ("0104006381333931" + "10" + "A" * 20 + "21S1", "separator_lost"),  # biip cuts at twenty characters and reads on
        (f"{GTIN}2421234567", "separator_lost"),
        (f"{GTIN}30", "element_string"),  # an empty count
        (f"{GTIN}10", "element_string"),
        (f"{GTIN}10{GS}21S1", "element_string"),
        (f"{GTIN}{GS}{GS}21S1", "element_string"),
        (f"{GTIN}10A1{GS}10A2", "conflict"),
        ("01040063813339310112345678901231", "conflict"),
        (f"{GTIN}0204006381333931", "conflict"),
        (f"{GTIN}375", "conflict"),
        (f"{GTIN}31030004123102000041", "conflict"),
        (f"{GTIN}3103000412392216443{GS}393297816443", "conflict"),
        (f"{GTIN}17260230", "date"),
        (f"{GTIN}17261300", "element_string"),
        (f"{GTIN}17260001", "date"),
        (f"{GTIN}70032612002359", "date"),
        (f"{GTIN}3100999999", "amount"),
        (f"{GTIN}3010000", "amount"),
        (f"{GTIN}39231", "amount"),
        (f"{GTIN}3922999999999", "amount"),
        (f"{GTIN}39328401644", "currency"),
        (f"{GTIN}99", "element_string"),
        (f"{GTIN}10A B", "characters"),
        (f"{GTIN}10Ä", "characters"),
        ("010400638133393", "element_string"),
        ("XYZ", "element_string"),
        ("5901234123457", "element_string"),  # a GS1-128 must begin with an identifier
    ],
)
def test_a_broken_element_string_is_refused(text: str, reason: str) -> None:
    assert refusal(text).reason == reason


@pytest.mark.parametrize("text", ["(01)04006381333932", "(01)0400638133393", "(9)12345", "(01)04006381333931(10)", "(01)04006381333931(55)A"])
def test_a_broken_element_string_as_printed_is_refused_or_text(text: str) -> None:
    try:
        found = scanned(text, "")
    except CodeInvalid:
        return
    assert isinstance(found, Unrecognised)


def test_an_element_that_stands_twice_with_one_value_is_one() -> None:
    assert article(f"{GTIN}10A1{GS}10A1").batch == "A1"


def test_a_lost_separator_inside_twenty_characters_leaves_the_gtin_right() -> None:
    """Nothing in the symbol tells a lot that swallowed the serial from a lot that looks like it; the scanner has to send GS."""
    assert article(f"{GTIN}10ABC12321A1") == GtinCode("04006381333931", "4006381333931", batch="ABC12321A1")


def test_the_checks_are_needed_because_biip_takes_these() -> None:
    """When one of these fails, biip has become stricter and a check of ours may go."""
    for text in ("0104006381333932", f"{GTIN}10{'A' * 20}21S1", f"{GTIN}30", f"{GTIN}10A1{GS}10A2", f"{GTIN}0204006381333931"):
        assert GS1Message.parse(text).element_strings
    for url in (f"{LINK}?10=", f"{LINK}?10=A&10=B", "https://brand.example/01/17", f"{LINK}?9999=1", f"{LINK}?21=A&02=04006381333931"):
        assert GS1DigitalLinkURI.parse(url).element_strings


# ---- Digital Link


@pytest.mark.parametrize(
    "url",
    [
        LINK,
        "http://id.gs1.org/01/04006381333931",
        "HTTPS://BRAND.EXAMPLE/some/path/01/04006381333931",
        "https://brand.example:8443/01/04006381333931?linkType=gs1:pip",
        "https://brand.example/01/04006381333931#top",
        "https://brand.example/414/01/04006381333931",  # a part of the way that looks like another key
        "https://brand.example/01/4006381333931",  # as versions before 1.2 allowed
    ],
)
def test_a_digital_link_of_any_domain_is_its_article(url: str) -> None:
    assert article(url, "]Q1")
    assert article(url, "")
    assert article(url, "]d2")


def test_a_digital_link_tells_what_an_element_string_tells() -> None:
    assert article(f"{LINK}/22/V1/10/A%2F1/21/S1?17=261231&3103=000412&utm=mail", "]Q1") == GtinCode(
        "04006381333931", "4006381333931", batch="A/1", serial="S1", expiry="2026-12-31", grams=412
    )


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://brand.example/01/04006381333932", "check_digit"),
        ("https://brand.example/01/400638133", "digital_link"),  # zeros left out
        ("https://brand.example/01/0004006381333931", "digital_link"),
        (f"{LINK}/21/S1/10/A1", "digital_link"),  # the standard's order is batch, serial
        (f"{LINK}/10", "digital_link"),
        (f"{LINK}/10/", "digital_link"),
        (f"{LINK}?10=", "element_string"),
        (f"{LINK}?10=A&10=B", "conflict"),
        (f"{LINK}/10/A?10=B", "conflict"),
        (f"{LINK}?9999=1", "digital_link"),
        (f"{LINK}?17=260230", "date"),
        (f"{LINK}?02=04006381333931", "conflict"),
        (f"{LINK}?3932=8401644", "currency"),
    ],
)
def test_a_broken_digital_link_is_refused(url: str, reason: str) -> None:
    assert refusal(url, "]Q1").reason == reason


@pytest.mark.parametrize(
    "url",
    [
        "https://brand.example/",
        "https://brand.example/2026/01/15/news",
        "https://brand.example/01/about",
        "https://brand.example/00/340123450000000000",
        "http://[::1",
    ],
)
def test_any_other_link_is_text(url: str) -> None:
    assert scanned(url, "]Q1") == Unrecognised(url if len(url) <= 40 else url[:39] + "…")
