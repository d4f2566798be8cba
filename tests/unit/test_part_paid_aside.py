"""A sale that is paid in part never keeps the next customer waiting: it is set aside with its money, and what was never paid comes off it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.errors import NotAllowed, NotNow
from edge_agent.domain.tender import Approved, AttemptState, CardResult, Declined, Finding, NotFound, NotProcessed, Unknown
from edge_agent.service import checking, paying
from tests.support_counter import COAT, SOCKS, eventually, impatient, opened, replayed, scan  # noqa: F401 - a fixture
from tests.support_shop import Rig, register

DEAD = Unknown("unreachable")


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paying, "REVIEW_AFTER_SECONDS", 0.02)
    monkeypatch.setattr(paying, "ASK_SLOWLY_SECONDS", 0.01)
    monkeypatch.setattr(checking, "CHECK_SECONDS", 0.01)


async def part_paid(rig: Rig) -> str:
    """A coat of 199.00, of which a card paid 50.00; the tender's id."""
    await opened(rig)
    await scan(rig, COAT)
    rig.terminal.approve(5_000)
    await rig.till.paying.card(None, "")
    await eventually(lambda: rig.core.state.basket.settled_minor == 5_000)
    tender: str = rig.core.state.basket.tenders[0].id
    return tender


async def not_undone(rig: Rig, tender: str, why: str = "unreachable") -> None:
    rig.terminal.answers.put_nowait(NotProcessed(why))
    await rig.till.paying.give_back(tender, "")
    await eventually(lambda: rig.core.state.basket.open_attempt is None)


async def decided_paid(rig: Rig) -> str:
    """A coat of 199.00; of 150.00 by card nobody knows what became, and a manager says that they were paid."""
    rig.terminal.findings[:] = [DEAD]
    await opened(rig)
    await scan(rig, COAT)
    await rig.till.paying.card(15_000, "")
    rig.terminal.answers.put_nowait(Unknown("connection_lost"))
    await eventually(lambda: rig.core.state.basket.open_attempt.state is AttemptState.NEEDS_REVIEW)
    attempt: str = rig.core.state.basket.open_attempt.id
    await rig.till.paying.review(attempt, True, "seen on the card", "")
    return attempt


def told(rig: Rig, kind: str) -> list[dict]:
    lines = (json.loads(line) for line in b"".join(rig.journal.export()).splitlines())
    return [fact["data"] for fact in lines if fact.get("type") == kind]


async def serve(rig: Rig) -> None:
    receipts = rig.core.state.receipts
    await scan(rig, SOCKS)
    await rig.till.paying.cash(None, "")
    assert rig.core.state.receipts == receipts + 1


@pytest.mark.parametrize("command", [do.Suspend("grey scarf"), do.Park("grey scarf")])
async def test_with_money_that_cannot_be_given_back_a_sale_is_set_aside_and_the_next_customer_is_served(tmp_path: Path, command: do.Suspend | do.Park) -> None:
    async with register(tmp_path) as rig:
        await not_undone(rig, await part_paid(rig))
        await rig.till.set_aside(command, "")
        assert rig.core.desk.notice.key == "notice.parked_part_paid"
        await serve(rig)
    async with register(tmp_path) as rig:
        (aside,) = rig.presenter.snapshot().parked
        assert (aside.label, aside.kind, aside.paid.minor, aside.total.minor) == ("grey scarf", "unpaid", 5_000, 19_900)
        with pytest.raises(NotNow) as refused:
            await rig.till.day.close("")
        assert refused.value.key == "not_now.sale_parked_part_paid"
        await rig.till.recall(aside.id, "")
        assert rig.presenter.snapshot().payment.paid.minor == 5_000
        await rig.till.paying.cash(None, "")
        sale = told(rig, "retail.sale.completed.v1")[-1]
        assert [(tender["kind"], tender["settledMinor"]) for tender in sale["tenders"]] == [("card", 5_000), ("cash", 14_900)]
        await rig.till.day.close("")


async def test_money_that_is_only_cash_is_parked_with_its_sale(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, COAT)
        await rig.till.paying.cash(2_000, "")
        await rig.till.set_aside(do.Suspend(""), "")
        await serve(rig)
        with pytest.raises(NotNow):
            await rig.till.day.close("")
        await rig.till.recall(rig.core.state.parked[0].id, "")
        await rig.till.paying.cash(None, "")
        await rig.till.day.close("")
        assert told(rig, "retail.shift.closed.v1")[-1]["expectedCashMinor"] == 10_000 + 19_900 + 1_250


async def test_a_sale_that_is_not_paid_and_whose_payment_is_clear_is_not_parked(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await opened(rig)
        await scan(rig, COAT)
        with pytest.raises(NotNow):
            await rig.till.set_aside(do.Park(""), "")
        await rig.till.set_aside(do.Suspend(""), "")
        assert rig.core.state.suspended[0].settled_minor == 0


@pytest.mark.parametrize("aside", [True, False])
@pytest.mark.parametrize(("finding", "left"), [(NotFound(), 0), (Declined("refused"), 0), (Approved(4_000, "EUR", CardResult()), 4_000)])
async def test_what_the_terminal_proves_was_not_paid_is_due_again(tmp_path: Path, finding: Finding, left: int, aside: bool) -> None:
    async with register(tmp_path) as rig:
        await decided_paid(rig)
        if aside:
            await rig.till.set_aside(do.Suspend(""), "")
        rig.terminal.findings[:] = [finding]
        await eventually(lambda: rig.core.desk.notice is not None and rig.core.desk.notice.key == checking.DUE_AGAIN)
        missing = 15_000 - left
        assert rig.core.desk.notice.shown == {"amount": f"{missing // 100},00 EUR"}
        assert rig.till.paying.checking.standing() == ()
        if aside:
            await serve(rig)
            await rig.till.recall(rig.core.state.parked[0].id, "")
        assert rig.core.state.basket.settled_minor == left
        first, second = told(rig, "retail.payment.contradicted.v1")
        assert (first["task"], first["amountMinor"], first["handled"], second["handled"]) == ("collect", missing, False, True)
        await rig.till.paying.cash(None, "")
        sale = told(rig, "retail.sale.completed.v1")[-1]
        paid = [(tender["kind"], tender["settledMinor"]) for tender in sale["tenders"]]
        assert paid == [*([("card", left)] if left else []), ("cash", 19_900 - left)]
        await eventually(lambda: not rig.core.state.receipts_due)
        assert replayed(rig) == rig.core.state


async def test_what_was_never_paid_needs_nothing_given_back_to_void_the_sale(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        attempt = await decided_paid(rig)
        rig.terminal.findings[:] = [NotFound()]
        await eventually(lambda: rig.core.state.basket.settled_minor == 0)
        with pytest.raises(NotNow):
            await rig.till.paying.handled(attempt, "once more", "")
        await rig.till.void("the customer left", "")
        await rig.till.day.close("")


async def test_a_void_that_the_terminal_did_after_all_takes_the_money_off_the_sale(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        tender = await part_paid(rig)
        rig.terminal.findings[:] = [DEAD]
        rig.terminal.answers.put_nowait(Unknown("connection_lost"))
        await rig.till.paying.give_back(tender, "")
        await eventually(lambda: rig.core.state.basket.open_attempt.state is AttemptState.NEEDS_REVIEW)
        await rig.till.paying.review(rig.core.state.basket.open_attempt.id, False, "not on its list", "")
        assert rig.core.state.basket.settled_minor == 5_000
        rig.terminal.findings[:] = [Approved(5_000, "EUR", CardResult())]
        await eventually(lambda: rig.core.state.basket.settled_minor == 0)
        assert [attempt.state for attempt in rig.core.state.basket.attempts] == [AttemptState.VOIDED, AttemptState.APPROVED]
        assert replayed(rig) == rig.core.state


async def test_what_the_terminal_cannot_give_back_a_manager_voids_and_it_stays_to_be_given_back(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        tender = await part_paid(rig)
        with pytest.raises(NotNow):  # the terminal is asked first
            await rig.till.void("the customer left", "")
        await not_undone(rig, tender)
        attempt = rig.core.state.basket.tenders[0].attempts[0].id
        await rig.till.void("the customer left", "")
        await rig.till.day.close("")
        (voided,) = told(rig, "retail.basket.voided.v1")
        (task,) = told(rig, "retail.payment.contradicted.v1")
        assert [(one["kind"], one["state"]) for one in voided["attempts"]] == [("sale", "approved_partial"), ("void", "not_processed")]
        assert (task["task"], task["amountMinor"], task["handled"], task["transactionId"]) == ("give_back", 5_000, False, voided["transactionId"])
    async with register(tmp_path) as rig:
        (notice,) = rig.till.paying.checking.standing()
        assert (notice.key, notice.shown["amount"]) == (checking.VOID_OWED, "50,00 EUR")
        assert "contradicts" not in notice.text
        await rig.till.day.open("1001", 0, "")
        await rig.till.paying.handled(attempt, "paid back in cash", "")
        assert rig.till.paying.checking.standing() == ()
        assert told(rig, "retail.payment.contradicted.v1")[-1]["note"] == "paid back in cash"
        assert replayed(rig) == rig.core.state


async def test_who_may_not_decide_about_payments_does_not_void_what_is_paid(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await not_undone(rig, await part_paid(rig))
        await rig.till.day.sign_in("1002", "")
        with pytest.raises(NotAllowed):
            await rig.till.void("the customer left", "")
        await rig.till.set_aside(do.Suspend(""), "")
        await serve(rig)


async def test_cash_beside_it_is_handed_back_before_the_sale_is_void(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await not_undone(rig, await part_paid(rig))
        await rig.till.paying.cash(2_000, "")
        with pytest.raises(NotNow):
            await rig.till.void("the customer left", "")
        await rig.till.paying.give_back(rig.core.state.basket.tenders[1].id, "")
        await rig.till.void("the customer left", "")


async def test_a_decision_that_nothing_confirmed_is_to_be_given_back_as_well_when_its_sale_is_void(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await decided_paid(rig)
        await not_undone(rig, rig.core.state.basket.tenders[0].id, "original_unknown")
        await rig.till.void("the customer left", "")
        (task,) = told(rig, "retail.payment.contradicted.v1")
        assert (task["task"], task["amountMinor"], task["moneyMoved"]) == ("give_back", 15_000, True)
        assert [notice.key for notice in rig.till.paying.checking.standing()] == [checking.VOID_OWED]
        assert replayed(rig) == rig.core.state


async def test_what_a_card_paid_in_part_and_got_back_is_listed_as_that_part(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        tender = await part_paid(rig)
        rig.terminal.approve(5_000)
        await rig.till.paying.give_back(tender, "")
        await eventually(lambda: rig.core.state.basket.open_attempt is None)
        (listed,) = rig.presenter.snapshot().payment.tenders
        assert (listed.state, listed.amount.minor) == ("voided", 5_000)
