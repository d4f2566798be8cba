"""Counter Link's parser: any bytes give an answer or our own refusal, and no card number survives it."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from drivers.terminals.counter_link.kept import RECEIPT_LINES_MAX, TEXT_CHARS_MAX, card_result
from drivers.terminals.counter_link.lines import Result, parse
from edge_agent.domain.card_data import is_card_number
from edge_agent.domain.errors import FrameRejected

CARDS = ("4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "30569309025904", "3530111333300000")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=6),
    max_leaves=12,
)
CARD_MEMBERS = ("approval", "brand", "entryMode", "verification", "merchantAccount", "lastFour", "receiptLines", "providerRef", "pan")
known_members = st.fixed_dictionaries(
    {"say": st.sampled_from(["hello", "step", "result", "status", "abort", "totals", "x"])},
    optional={
        "ref": st.sampled_from(["7P28CAXD4T", "short", 7]), "outcome": st.sampled_from(["approved", "declined", "cancelled", "refused"]) | json_values,
        "state": st.sampled_from(["done", "in_flight", "not_found"]) | json_values, "amountMinor": st.integers() | json_values,
        "currency": st.sampled_from(["EUR", "eur"]) | json_values, "card": json_values, "step": st.text(max_size=50), "reason": st.text(max_size=50),
        "by": st.text(max_size=50), "totals": json_values, "busy": json_values, "counterLink": json_values, "terminal": st.text(max_size=40),
        "accepted": json_values, "offline": json_values,
    },
)  # fmt: skip


@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_refused(line: bytes) -> None:
    _parsed(line)


@given(known_members | json_values)
def test_any_json_is_an_answer_or_refused(members: object) -> None:
    _parsed(json.dumps(members).encode())


@given(st.text(max_size=200), st.sampled_from(CARDS), st.sampled_from(["", " ", "-"]), st.text(max_size=200), st.sampled_from(CARD_MEMBERS))
def test_no_card_number_survives_in_what_is_kept(before: str, number: str, between: str, after: str, member: str) -> None:
    if before[-1:].isdigit() or after[:1].isdigit() or (member == "providerRef" and re.search("[A-Za-z]", before + after)):
        return  # digits beside it make another number of it; a reference with a letter is told apart by the letter
    grouped = between.join(number[place : place + 4] for place in range(0, len(number), 4))
    text = before + grouped + after
    kept = card_result({member: [text, text] if member == "receiptLines" else text})
    for value in astuple(kept):
        for part in value if isinstance(value, tuple) else (value,):
            assert number not in re.sub("[ -]", "", part)


@pytest.mark.parametrize("number", CARDS)
def test_the_numbers_of_that_test_are_cards(number: str) -> None:
    assert is_card_number(number)


def test_what_is_kept_is_bounded_and_printable() -> None:
    kept = card_result({"brand": "b" * 1_000, "receiptLines": ["l\x1b[2J" * 500] * 5_000, "providerRef": "R" * 5_000, "lastFour": "12345"})
    assert len(kept.brand) == len(kept.provider_ref) == TEXT_CHARS_MAX
    assert len(kept.receipt_lines) == RECEIPT_LINES_MAX
    assert all(line.isprintable() and len(line) <= TEXT_CHARS_MAX for line in kept.receipt_lines)
    assert kept.last_four == ""


def test_a_refusal_shows_nothing_of_the_line() -> None:
    with pytest.raises(FrameRejected) as refused:
        parse(b'{"say":"4111111111111111"}')
    assert "4111" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_decline_may_carry_the_card_too() -> None:
    answer = parse(b'{"say":"result","ref":"7P28CAXD4T","outcome":"declined","reason":"refused","card":{"lastFour":"1111"}}')
    assert isinstance(answer, Result)
    assert answer.card.last_four == "1111"


def _parsed(line: bytes) -> None:
    try:
        parse(line)
    except FrameRejected:
        return  # ours; anything else fails the test
