"""What people see of the journal's events: nothing that somebody could act with, and nobody's name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from edge_agent.domain.cart import Lease
from edge_agent.domain.events import EVENT_TYPES, CartLoaded, OperatorSignedIn, ReceiptTried
from edge_agent.domain.shift import Operator
from edge_agent.ports import EventRow
from edge_agent.service.codec import MASK, SECRETS, event_row, read_event, shown_body

SECRET_SOUNDING = re.compile(r"token|badge|secret|passw|(^|_)(pin|key|cvv|pan|bearer|credential)($|_)")


def fields(shape: Any, seen: set[Any]) -> Iterator[str]:
    """The names of all fields that a value of ``shape`` can have, however deep."""
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        if shape not in seen:
            seen.add(shape)
            for name, held in get_type_hints(shape).items():
                yield name
                yield from fields(held, seen)
    else:
        for held in get_args(shape):
            yield from fields(held, seen)


def test_every_field_of_an_event_that_sounds_like_a_secret_is_one_that_is_masked() -> None:
    seen: set[Any] = set()
    names = {name for event in EVENT_TYPES for name in fields(event, seen)}
    assert len(names) > 80
    assert {name for name in names if SECRET_SOUNDING.search(name)} == SECRETS


def test_the_token_of_a_live_lease_is_masked_and_the_lease_is_still_seen() -> None:
    event = CartLoaded(Lease("cart-7", 3, "tok-live-1", 99))
    row = event_row(event)
    assert json.loads(shown_body(row)) == {"lease": {"cart": "cart-7", "version": 3, "token": MASK, "until_ms": 99}}
    assert read_event(row) == event  # what is stored stays whole


def test_a_lease_without_a_token_still_says_that_it_was_a_copy() -> None:
    assert '"token":""' in shown_body(event_row(CartLoaded(Lease("cart-7", 3, "", 99))))


@pytest.mark.parametrize("deep", [{"sale": {"lease": {"token": "tok-live-1"}}}, {"sale": {"lines": [{"made": [{"badge": "tok-live-1"}]}]}}])
def test_a_secret_is_masked_however_deep_it_is(deep: dict[str, object]) -> None:
    shown = shown_body(EventRow("SaleCompleted", msgspec.json.encode(deep)))
    assert "tok-live-1" not in shown
    assert MASK in shown


def test_an_operator_is_shown_by_number_alone() -> None:
    shown = json.loads(shown_body(event_row(OperatorSignedIn(Operator("1001", "Ayse K.", frozenset({"sale.void"}), "STAFF-1001"), 5))))
    assert shown["operator"] == {"id": "1001", "rights": ["sale.void"]}


def test_a_label_that_an_older_version_wrote_in_the_open_is_not_shown() -> None:
    assert "Fernandez" not in shown_body(EventRow("BasketSuspended", b'{"basket":"b-1","label":"Mrs Fernandez","at_ms":5}'))


def test_an_event_without_secrets_is_shown_as_it_is() -> None:
    assert json.loads(shown_body(event_row(ReceiptTried("s-1", "printed", 5)))) == {"sale": "s-1", "outcome": "printed", "at_ms": 5}
