"""Quantities that people type, and their bounds."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain.errors import CodeInvalid, OutOfBounds
from edge_agent.domain.quantity import QUANTITY_GRAMS_MAX, QUANTITY_PIECES_MAX, Quantity, Unit


@pytest.mark.parametrize(
    ("typed", "amount", "unit"),
    [
        ("3", 3, Unit.PIECE),
        (" 12 ", 12, Unit.PIECE),
        ("3x", 3, Unit.PIECE),
        ("3 ×", 3, Unit.PIECE),
        ("007", 7, Unit.PIECE),
        ("9999", 9999, Unit.PIECE),
        ("0,412 kg", 412, Unit.GRAM),
        ("0.412kg", 412, Unit.GRAM),
        ("1,5 KG", 1500, Unit.GRAM),
        ("2kg", 2000, Unit.GRAM),
        ("0,05\u00a0kg", 50, Unit.GRAM),
        ("412 g", 412, Unit.GRAM),
        ("412g", 412, Unit.GRAM),
        ("999,999 kg", QUANTITY_GRAMS_MAX, Unit.GRAM),
    ],
)
def test_what_people_type_is_a_quantity(typed: str, amount: int, unit: Unit) -> None:
    assert Quantity.parse(typed) == Quantity(amount, unit)


@pytest.mark.parametrize(
    "typed", ["", " ", "three", "1,5", "1.000", "-3", "+3", "0,4125 kg", "1,5 g", ",5 kg", "5 lb", "3 kg kg", "٣", "1e3", "3" * 5000, "kg"]
)
def test_what_is_none_is_refused_with_the_forms_that_are(typed: str) -> None:
    with pytest.raises(CodeInvalid) as caught:
        Quantity.parse(typed)
    assert caught.value.key == "code_invalid.quantity"
    assert "412 g" in caught.value.hint


@pytest.mark.parametrize("typed", ["0", "0 kg", "0,000 kg", "0 g", "10000", "1000 kg", "1000000 g", "99999999999999999999"])
def test_bounds_are_kept(typed: str) -> None:
    with pytest.raises(OutOfBounds) as caught:
        Quantity.parse(typed)
    assert caught.value.key == "out_of_bounds.quantity"
    assert caught.value.hint


@pytest.mark.parametrize(("amount", "unit"), [(0, Unit.PIECE), (-1, Unit.PIECE), (QUANTITY_PIECES_MAX + 1, Unit.PIECE), (QUANTITY_GRAMS_MAX + 1, Unit.GRAM)])
def test_no_quantity_outside_them_exists(amount: int, unit: Unit) -> None:
    with pytest.raises(OutOfBounds):
        Quantity(amount, unit)


@given(
    st.one_of(
        st.builds(Quantity, st.integers(1, QUANTITY_PIECES_MAX), st.just(Unit.PIECE)),
        st.builds(Quantity, st.integers(1, QUANTITY_GRAMS_MAX), st.just(Unit.GRAM)),
    )
)
def test_what_is_shown_reads_back(quantity: Quantity) -> None:
    assert Quantity.parse(quantity.shown(",")) == quantity
    assert Quantity.parse(quantity.shown(".")) == quantity


@given(st.text(max_size=30))
def test_any_text_is_a_quantity_or_refused(typed: str) -> None:
    with contextlib.suppress(CodeInvalid, OutOfBounds):
        assert Quantity.parse(typed).amount > 0
