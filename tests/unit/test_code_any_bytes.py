"""Whatever bytes are read, whatever is configured and whatever a template says: nothing comes out but values and errors of ours."""

from __future__ import annotations

import contextlib
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_agent.domain import code_refusal, quantity, weighed
from edge_agent.domain.card_data import SHOWN_CHARS_MAX
from edge_agent.domain.code import DEFAULT_RULES, CodeRules, GtinCode, Unrecognised
from edge_agent.domain.errors import CodeInvalid, ConfigError
from edge_agent.domain.reading import Reading, Source, TagKind
from edge_agent.domain.template import Template
from tests.support_codes import US, outcome

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
RULES = (DEFAULT_RULES, US, CodeRules(separators="|~"), CodeRules.parse({"first": {"loyalty": "{9:13}"}}, currency="XXX"))


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
