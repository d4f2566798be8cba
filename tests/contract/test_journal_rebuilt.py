"""``edge-agent journal verify`` makes what is kept beside the events once more out of them, and says the first difference."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.reading import Reading
from edge_agent.domain.register import Register
from edge_agent.domain.shift import Operator
from edge_agent.domain.tender import Declined, Unknown
from edge_agent.service import paying
from edge_agent.service.codec import read_state, write_state
from sync.journal_rebuilt import _state_difference, rebuilt_problems
from tests.support_journal import raw
from tests.support_register import MARIA
from tests.support_shop import Rig, register

COAT = b"4006381333931"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paying, "ASK_SECONDS", (0.01, 0.01))


async def scanned(rig: Rig) -> None:
    await rig.till.scanned(Reading(COAT, "scanner", rig.core.ports.clock.now_ms()))


async def until(rig: Rig, condition) -> None:
    async with asyncio.timeout(5):
        while not condition(rig):
            await asyncio.sleep(0.002)


async def a_day(folder: Path) -> None:
    """Cash, cards that are declined, approved, undone and unclear, a customer who is forgotten, baskets aside with and without a name, a second shift."""
    async with register(folder) as rig:
        await rig.till.day.open("1001", 10_000, "")
        await rig.till.clienteling.chosen(MARIA.id, "")
        await scanned(rig)
        await rig.till.paying.cash(None, "")
        await scanned(rig)
        await rig.till.set_aside(do.Suspend("Mrs Fernandez, blue bag"), "")
        await rig.till.clienteling.chosen(MARIA.id, "")
        await scanned(rig)
        await rig.till.discount(None, do.Cut("worn", 10_000), "")
        rig.terminal.answers.put_nowait(Declined("refused"))
        await rig.till.paying.card(5_000, "")
        await until(rig, lambda rig: rig.core.state.basket.open_attempt is None)
        rig.terminal.approve(5_000)
        await rig.till.paying.card(5_000, "")
        await until(rig, lambda rig: rig.core.state.basket.settled_minor == 5_000)
        paid = next(tender.id for tender in rig.core.state.basket.tenders if tender.settled_minor)
        rig.terminal.approve(5_000)
        await rig.till.paying.give_back(paid, "")
        await until(rig, lambda rig: rig.core.state.basket.settled_minor == 0)
        rig.terminal.findings = [Unknown("silent")]
        rig.terminal.answers.put_nowait(Unknown("lost"))
        await rig.till.paying.card(None, "")
        await until(rig, lambda rig: rig.presenter.snapshot().payment.attempt.can_park)
        await rig.till.set_aside(do.Park("later"), "")
        assert await rig.core.forget([MARIA.id])
        assert rig.journal.verify().problems == ()


async def found(folder: Path, harm: str, *values: object) -> tuple[str, ...]:
    async with register(folder) as rig:
        rig.terminal.findings = [Unknown("silent")]
        assert rig.journal.verify().problems == ()
    with raw(folder) as db:
        assert db.execute(harm, values).rowcount == 1
    async with register(folder) as rig:
        rig.terminal.findings = [Unknown("silent")]
        return rig.journal.verify().problems


async def test_what_was_made_of_a_days_events_is_what_they_give_again(tmp_path: Path) -> None:
    await a_day(tmp_path)
    with raw(tmp_path) as db:
        counts = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("sale", "attempt", "state")]
    assert counts == [1, 4, 1]


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        ("UPDATE sale SET body = CAST(replace(CAST(body AS TEXT), 'EUR', 'USD') AS BLOB)", "in the list of sales with another body"),
        ("UPDATE sale SET digits = 0", "in the list of sales with another digits"),
        ("UPDATE sale SET customer = 'c-omar'", "in the list of sales with another customer"),
        ("UPDATE attempt SET state = 'approved', approved_minor = 5000 WHERE state = 'declined'", "in the list of attempts with another state"),
        ("UPDATE attempt SET amount_minor = 1 WHERE kind = 'void'", "in the list of attempts with another amount_minor"),
        ("DELETE FROM attempt WHERE kind = 'void'", "is not in the list of attempts."),
        ("UPDATE attempt SET id = '0' WHERE kind = 'void'", "of which no event tells."),
    ],
)  # fmt: skip
async def test_the_first_difference_is_said(tmp_path: Path, harm: str, told: str) -> None:
    await a_day(tmp_path)
    problems = await found(tmp_path, harm)
    assert [problem for problem in problems if told in problem], problems
    assert "Fernandez" not in str(problems)


async def test_a_state_that_is_not_of_its_events_is_said_by_where_it_differs(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await rig.till.day.open("1001", 10_000, "")
        await scanned(rig)
        await rig.till.paying.cash(None, "")
    with raw(tmp_path) as db:
        stored = read_state(db.execute("SELECT snapshot FROM state").fetchone()[0])
    wrong = write_state(msgspec.structs.replace(stored, cash_minor=stored.cash_minor - 5_000))
    assert await found(tmp_path, "UPDATE state SET snapshot = ?", wrong) == (
        "The register's state, stored as of event 6, is not what the events give: cash_minor differs.",
    )  # fmt: skip
    with raw(tmp_path) as db:
        db.execute("UPDATE state SET snapshot = ?", (write_state(stored),))
    empty = write_state(msgspec.structs.replace(Register(), receipts=stored.receipts))
    assert "shift differs" in (await found(tmp_path, "UPDATE state SET snapshot = ?", empty))[0]


async def test_an_epoch_that_counts_its_receipts_on_differs_in_nothing(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await rig.till.day.open("1001", 10_000, "")
    with raw(tmp_path) as db:
        row = db.execute("SELECT snapshot FROM state").fetchone()
        body = write_state(msgspec.structs.replace(read_state(row[0]), receipts=1_000_000))
        db.execute("UPDATE state SET snapshot = ?", (body,))
    async with register(tmp_path) as rig:
        assert rig.journal.verify().sound
        await scanned(rig)
        await rig.till.paying.cash(None, "")
        assert rig.journal.verify().sound


async def test_a_difference_is_for_somebody_to_look_at_and_stops_no_selling(tmp_path: Path) -> None:
    await a_day(tmp_path)
    with raw(tmp_path) as db:
        assert db.execute("UPDATE sale SET digits = 0").rowcount == 1
    async with register(tmp_path) as rig:
        rig.terminal.findings = [Unknown("silent")]
        verified = rig.journal.verify()
        assert (verified.sound, verified.damaged) == (False, False)
        await scanned(rig)
        assert (rig.journal.stopped, rig.core.desk.stopped) == (None, None)
        assert rig.core.state.basket is not None


def test_the_order_in_which_rights_lie_in_memory_is_no_difference() -> None:
    differ = 0
    for seed in range(200):
        rights = [f"right.{seed}.{number}" for number in range(8)]
        one, other = (Register(operator=Operator("s1", "Ayse", frozenset(each))) for each in (rights, rights[::-1]))
        differ += list(one.operator.rights) != list(other.operator.rights)
        assert list(_state_difference(write_state(one), other, 1)) == []
    assert differ, "no two sets lay in another order: nothing was tried"


async def test_a_state_of_an_older_version_lacks_what_that_did_not_know_and_differs_in_nothing(tmp_path: Path) -> None:
    await a_day(tmp_path)
    with raw(tmp_path) as db:
        stored = msgspec.json.decode(db.execute("SELECT snapshot FROM state").fetchone()[0])
        assert stored.pop("last_sale") is not None
        db.execute("UPDATE state SET snapshot = ?", (msgspec.json.encode(stored),))
        problems = tuple(rebuilt_problems(db))
    assert problems == ()
