"""Payment card data that is read is refused or masked, and never shown in full."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain.card_data import SHOWN_CHARS_MAX, is_card_number, shown_text
from edge_agent.domain.code import Unrecognised, understand
from edge_agent.domain.errors import CodeInvalid
from edge_agent.domain.reading import Reading, Source
from tests.support_codes import scanned
from tests.support_symbols import READ_AT_MS


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
