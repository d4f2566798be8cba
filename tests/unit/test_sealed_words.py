"""What a basket set aside was called may be somebody's name: it is sealed in the journal, comes back, and goes when the person is forgotten."""

from __future__ import annotations

import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.events import BasketSuspended, SaleParked
from edge_agent.domain.reading import Reading
from edge_agent.domain.tender import Unknown
from edge_agent.ports import EventRow
from edge_agent.service.codec import event_row, read_event, read_state, write_state
from tests.support_journal import raw
from tests.support_register import COAT, MARIA, Memory
from tests.support_shop import register

LABEL = "Mrs Fernandez, blue bag"


@pytest.mark.parametrize("event", [BasketSuspended("b-1", LABEL, 5, "c-maria"), SaleParked("b-1", LABEL, 5), BasketSuspended("b-1", "", 5)])
def test_a_label_is_sealed_under_its_customer_or_its_basket_and_read_back(event):
    row = event_row(event)
    assert LABEL.encode() not in row.body
    assert (row.person, row.personal) == ((event.customer or "b-1", LABEL.encode()) if event.label else ("", b""))
    assert read_event(row) == event


def test_once_the_person_is_forgotten_the_label_is_empty():
    row = event_row(BasketSuspended("b-1", LABEL, 5, "c-maria"))
    assert read_event(EventRow(row.type, row.body, row.person, b"")).label == ""


def test_a_label_that_an_older_version_wrote_is_still_read():
    body = b'{"basket":"b-1","label":"red scarf","at_ms":5}'
    assert read_event(EventRow("BasketSuspended", body)) == BasketSuspended("b-1", "red scarf", 5)


def test_the_stored_state_has_neither_a_customers_name_nor_what_their_basket_was_called():
    till = Memory()
    till.do(do.AttachCustomer(MARIA, "card"))
    till.add(COAT)
    till.do(do.Suspend(LABEL))
    till.add(COAT)
    till.do(do.Suspend("red scarf"))
    body = write_state(till.state)
    assert LABEL.encode() not in body
    assert MARIA.name.encode() not in body
    assert [basket.label for basket in read_state(body).suspended] == ["", "red scarf"]


@pytest.mark.parametrize("known", [True, False])
async def test_no_event_in_the_journal_holds_the_label_in_the_open(tmp_path, known):
    async with register(tmp_path) as rig:
        await rig.till.day.open("1001", 10_000, "")
        if known:
            await rig.till.clienteling.chosen("c-maria", "")
        await rig.till.scanned(Reading(b"4006381333931", "scanner", rig.core.ports.clock.now_ms()))
        basket = rig.core.state.basket.id
        await rig.till.set_aside(do.Suspend(LABEL), "")
        assert rig.presenter.snapshot().suspended[0].label == LABEL
        await rig.till.recall(basket, "")
        await rig.till.paying.card(None, "")
        rig.terminal.findings = [Unknown("no_answer")]
        rig.terminal.answers.put_nowait(Unknown("connection_lost"))
        while not rig.presenter.snapshot().payment.attempt.can_park:
            await rig.core.wait_beyond(rig.core.view, 5.0)
        await rig.till.set_aside(do.Park(LABEL), "")
        with raw(tmp_path) as db:
            stored = [row[0] for row in db.execute("SELECT body FROM event")]
        assert not [body for body in stored if b"Fernandez" in body]
        assert await rig.journal.forget("c-maria" if known else basket)
