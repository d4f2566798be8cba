"""A register that keeps its facts for tests, and each of them as central reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.events import Event
from edge_agent.domain.market import GERMANY, UNITED_STATES, Market
from edge_agent.domain.register import Register
from edge_agent.domain.tender import Approved, CardResult
from edge_agent.ports import FactDraft
from edge_agent.service.facts import Origin, facts_of
from sync.central.checks import check_sale
from sync.contract import schemas
from sync.contract.envelope import salt_text
from sync.contract.facts import DATA_BY_TYPE, STREAM_BY_TYPE, SaleCompleted
from tests.support_register import COAT, OFFERS, SOCKS, Memory

CARD = CardResult("p-1", "480211", "visa", "1111", "contactless", "pin", "acme-0001", ("Kartenzahlung",))
KNOWN = {"COAT": (COAT, OFFERS["COAT"]), "SOCKS": (SOCKS, OFFERS["SOCKS"])}


class Books(Memory):
    """A register that keeps the facts of everything that it is told."""

    def __init__(self, market: Market = GERMANY) -> None:
        self.facts: list[FactDraft] = []
        super().__init__(market)

    def do(self, command: do.Command) -> tuple[Event, ...]:
        before: Register = self.state
        events = super().do(command)
        origin = Origin("0001", "02", "1", self.market.currency)
        self.facts += facts_of(before, events, origin, self.now_ms, self.new_id)
        return events

    def approve(self, attempt: str, minor: int, cause: str = "answer") -> None:
        self.do(do.Learn(attempt, Approved(minor, self.market.currency, CARD), cause))

    def all(self, type: str) -> list[dict]:
        return [as_json(fact) for fact in self.facts if fact.type == type]

    @property
    def sale(self) -> dict:
        """The data of the only sale."""
        (found,) = self.all("retail.sale.completed.v1")
        return found


def as_json(fact: FactDraft) -> dict:
    return json.loads(msgspec.json.encode(fact.data))


def checked(facts: list[FactDraft]) -> Iterator[object]:
    """Each fact as central reads it, after the published schema, the stream and the sums were found right."""
    for fact in facts:
        data = {"salt": salt_text(bytes(16)), **as_json(fact)}
        assert not list(schemas.faults(fact.type, data))
        assert STREAM_BY_TYPE[fact.type] == fact.stream
        read = msgspec.convert(data, DATA_BY_TYPE[fact.type], strict=True)
        if isinstance(read, SaleCompleted):
            assert check_sale(read) is None
            assert fact.subject == read.transaction_id
        yield read


@pytest.fixture(name="books", params=[GERMANY, UNITED_STATES], ids=["tax_included", "tax_on_top"])
def fixture_books(request) -> Iterator[Books]:
    """A register in each market; whatever a test makes it do, its facts are right in the end."""
    books = Books(request.param)
    yield books
    assert list(checked(books.facts))
    assert len({fact.id for fact in books.facts}) == len(books.facts)
