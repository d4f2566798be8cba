"""The shop's own rules for codes: templates, prefixes and scale labels, and what a wrong configuration is told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.domain.code import DEFAULT_RULES, CodeRules, CouponCode, GtinCode, LoyaltyCode, PrefixRule, WeighedCode, WeighedRule
from edge_agent.domain.errors import ConfigError
from edge_agent.domain.template import Template
from tests.support_codes import ARTICLE, US, keyed, refused, scanned


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
    assert [rule.pattern for rule in CodeRules.parse({}, currency="JPY").weighed] == ["21.....{NNDDD}"]


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
        ({"expects_aim": "yes"}, "codes", "expects_aim", "yes"),
        ({"separators": "A"}, "codes", "separators", "A"),
        ({"currency": "EUR"}, "codes", "currency", "currency"),
    ],
)
def test_a_wrong_configuration_says_section_key_expected_and_got(config: dict[str, object], section: str, key: str, got: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CodeRules.parse(config)
    shown = caught.value.args_shown
    assert (shown["section"], shown["key"], shown["got"]) == (section, key, got)
    assert shown["expected"] in caught.value.message


def test_a_price_in_a_label_may_not_be_finer_than_the_store_s_money() -> None:
    with pytest.raises(ConfigError, match=r"\[codes.weighed\] price: expected at most 0 decimals, as JPY has, got '22.....{NNNDD}'"):
        CodeRules.parse({"weighed": {"price": "22.....{NNNDD}"}}, currency="JPY")
    assert CodeRules.parse({"weighed": {"price": "22.....{NNDDD}"}}, currency="KWD")
    assert CodeRules.parse({"weighed": {"price": "22.....{NNDDD}"}}), "while the store is not known"


@pytest.mark.parametrize(
    ("config", "section", "key", "other"),
    [
        ({"weighed": {"weight": "22.....{NNDDD}", "price": "22.....{NNNDD}"}}, "codes.weighed", "price", "22.....{NNDDD}"),
        ({"weighed": {"weight": "21.....{NNDDD}", "count": "2......{NNNNN}"}}, "codes.weighed", "count", "21.....{NNDDD}"),
        ({"weighed": {"price": ["22.....{NNNDD}", "22....*{NNNDD}"]}}, "codes.weighed", "price", "22.....{NNNDD}"),
        ({"weighed": {"price": "2.....*{NNDD}", "weight": "02.....{NNDDD}"}}, "codes.weighed", "weight", "2.....*{NNDD}"),  # a UPC-A with its zero
        ({"prefixes": {"loyalty": "LOY{9:8}", "cart": "LOY{9:8}"}}, "codes.prefixes", "cart", "LOY{9:8}"),
        ({"prefixes": {"loyalty": ["A####", "LOY{9:8-12}"], "cart": "L{X:12}"}}, "codes.prefixes", "cart", "LOY{9:8-12}"),
        ({"prefixes": {"loyalty": "LOY{9:8}", "cart": "loy[{9:8}]"}}, "codes.prefixes", "cart", "LOY{9:8}"),  # the same when typed
        ({"prefixes": {"order": "ORD-{X:4-20}", "receipt": "ORDER{9:6}"}}, "codes.prefixes", "receipt", "ORD-{X:4-20}"),  # typed without its hyphen
        ({"prefixes": {"loyalty": "https://a.de/{id}", "cart": "https://A.de/[C{9:4}]/"}}, "codes.prefixes", "cart", "https://a.de/{id}"),
        ({"prefixes": {"loyalty": "https://a.de/{id}", "cart": "https://a.de/c?c=[#]"}}, "codes.prefixes", "cart", "https://a.de/{id}"),
        ({"prefixes": {"loyalty": "29{9:11}", "cart": "2{9:12}"}}, "codes.prefixes", "cart", "29{9:11}"),
        ({"prefixes": {"loyalty": "4###########", "cart": "04{9:11}"}}, "codes.prefixes", "cart", "4###########"),  # a UPC-A with its zero
        ({"prefixes": {"loyalty": "{X:13}", "cart": "{9:13}"}}, "codes.prefixes", "cart", "{X:13}"),
        ({"first": {"coupon": "LOY{9:8}"}}, "codes.first", "coupon", "LOY{9:8-12}"),  # as delivered
        ({"first": {"loyalty": "{9:13}"}, "prefixes": {"cart": "29{9:11}"}}, "codes.prefixes", "cart", "{9:13}"),
        ({"first": {"loyalty": "2{9:12}"}, "weighed": {"weight": "21.....{NNDDD}"}}, "codes.weighed", "weight", "2{9:12}"),
        ({"prefixes": {"loyalty": "21{9:11}"}}, "codes.prefixes", "loyalty", "21.....{NNDDD}"),
    ],
)
def test_two_patterns_that_a_code_can_fit_are_refused(config: dict[str, object], section: str, key: str, other: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CodeRules.parse(config)
    shown = caught.value.args_shown
    assert (shown["section"], shown["key"]) == (section, key)
    assert f"expected codes of its own, none of those of [{section.partition('.')[0]}." in caught.value.message
    assert repr(other) in str(shown["expected"])


@pytest.mark.parametrize(
    "config",
    [
        {"weighed": {"weight": "22.....{NNDDD}", "price": "23.....{NNNDD}"}},
        {"weighed": {"weight": ["21.....0{NDDD}", "21.....1{NDDD}"]}} | {"prefixes": {"loyalty": "29{9:10}"}},  # of 12 digits
        {"prefixes": {"loyalty": "LOY{9:8}", "cart": "LOY{9:9}"}},
        {"prefixes": {"loyalty": "LOY-{X:8}", "cart": "LOY{9:9-12}"}},
        {"prefixes": {"loyalty": "https://a.de/l/{id}", "cart": "https://a.de/L/{id}", "order": "https://b.de/l/{id}"}},
        {"prefixes": {"loyalty": "https://a.de/{id}", "cart": "CART-{W:1-64}"}},
        {"prefixes": {"loyalty": "{9:13}", "cart": "{9:14}"}},  # gives way to labels and articles, and has the rest
        {"prefixes": {"loyalty": "{9:13}"}, "first": {"gift_card": "29{9:11}"}},
        {"first": {"loyalty": "2{9:12}"}},  # and no labels of its own
    ],
)
def test_patterns_that_leave_each_other_their_codes_are_taken(config: dict[str, object]) -> None:
    assert CodeRules.parse(config)


TEMPLATES = st.lists(st.sampled_from(["A", "b", "1", "-", "#", "{9:1-3}", "{X:2}", "{A:1}", "{W:1-2}", "{B:2}"]), min_size=1, max_size=4).map("".join)


@settings(max_examples=400, deadline=None)
@given(TEMPLATES, TEMPLATES, st.text("AaBb1-", min_size=1, max_size=7), st.booleans())
def test_no_code_fits_two_templates_that_are_taken_together(loyalty: str, cart: str, text: str, typed: bool) -> None:
    try:
        rules = CodeRules.parse({"prefixes": {"loyalty": loyalty, "cart": cart}})
    except ConfigError:
        return
    assert [rule.kind for rule in rules.prefixes if rule.read(text, keyed=typed)] != ["loyalty", "cart"]


def test_what_the_configuration_does_not_mention_stays_as_it_is() -> None:
    rules = CodeRules.parse({"first": {"loyalty": "29###########"}})

    assert rules.prefixes[0] == PrefixRule.parse("loyalty", "29###########", first=True)
    assert rules.prefixes[1:] == DEFAULT_RULES.prefixes
    assert rules.weighed == DEFAULT_RULES.weighed
    assert CodeRules.parse({}) == DEFAULT_RULES
