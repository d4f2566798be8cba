"""What a person decided about a payment and the terminal, asked on, contradicts: asked until it is certain, told everywhere, kept until somebody saw to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.domain.errors import NotAllowed, NotNow, OutOfBounds
from edge_agent.domain.tender import Approved, Attempt, AttemptState, CardResult, Declined, Finding, NotFound, Unknown
from edge_agent.ports import FactDraft, Notice
from edge_agent.service import checking, paying
from sync.contract.facts import Reported
from tests.support_counter import COAT, SOCKS, eventually, impatient, opened, replayed, scan  # noqa: F401 - a fixture
from tests.support_facts import checked
from tests.support_shop import Rig, ScriptedTerminal, register
from tui.app import SAID_AT_START
from tui.messages import Words
from tui.said import STANDING

YES = Approved(19_900, "EUR", CardResult(provider_ref="p1", last_four="1111"))
DEAD = Unknown("unreachable")


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paying, "REVIEW_AFTER_SECONDS", 0.02)
    monkeypatch.setattr(paying, "ASK_SLOWLY_SECONDS", 0.01)
    monkeypatch.setattr(checking, "CHECK_SECONDS", 0.01)


async def decided(rig: Rig, *, moved: bool) -> str:
    """A coat by card; the terminal is dead from the middle of it on, until a manager decides."""
    rig.terminal.findings[:] = [DEAD]
    await opened(rig)
    await scan(rig, COAT)
    await rig.till.paying.card(None, "")
    rig.terminal.answers.put_nowait(Unknown("connection_lost"))
    await eventually(lambda: rig.core.state.basket.open_attempt.state is AttemptState.NEEDS_REVIEW)
    attempt: str = rig.core.state.basket.open_attempt.id
    await rig.till.paying.review(attempt, moved, "so says its list", "")
    return attempt


def contradictions(rig: Rig) -> Iterator[dict]:
    lines = (json.loads(line) for line in b"".join(rig.journal.export()).splitlines())
    return (fact["data"] for fact in lines if fact.get("type") == "retail.payment.contradicted.v1")


def standing(rig: Rig) -> tuple[Notice, ...]:
    return rig.till.paying.checking.standing()


async def test_no_money_moved_says_a_manager_and_the_terminal_comes_back_with_an_approval(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        attempt = await decided(rig, moved=False)
        await rig.till.paying.cash(20_000, "")
        rig.terminal.findings[:] = [YES]
        await eventually(lambda: rig.presenter.snapshot().notice and rig.presenter.snapshot().notice.key == "notice.payment_to_give_back")
        shown = rig.presenter.snapshot().notice.shown
        assert shown == {"amount": "199,00 EUR", "receipt": "R-0001-02-000001", "terminal": "T1", "attempt": attempt}
        (fact,) = contradictions(rig)
        assert (fact["task"], fact["amountMinor"], fact["receiptCode"], fact["moneyMoved"]) == ("give_back", 19_900, "R-0001-02-000001", False)
        assert (fact["attempt"]["state"], fact["attempt"]["approvedMinor"], fact["handled"]) == ("approved", 19_900, False)
        assert rig.core.desk.last_sale.tenders[-1].settled_minor == 19_900, "the sale stays as it was paid"
        asked = len(rig.terminal.queried)
        await asyncio.sleep(0.05)
        assert len(rig.terminal.queried) == asked, "what is certain is not asked again"


@pytest.mark.parametrize("finding", [Declined("refused"), NotFound()])
async def test_money_moved_says_a_manager_and_the_terminal_has_no_such_payment(tmp_path: Path, finding: Finding) -> None:
    async with register(tmp_path) as rig:
        await decided(rig, moved=True)
        rig.terminal.findings[:] = [finding]
        await eventually(lambda: rig.presenter.snapshot().notice.key == "notice.payment_missing")
        (fact,) = contradictions(rig)
        assert (fact["task"], fact["amountMinor"], fact["receiptCode"], fact["moneyMoved"]) == ("collect", 19_900, "R-0001-02-000001", True)


@pytest.mark.parametrize("moved", [True, False])
async def test_the_terminal_took_more_than_was_decided(tmp_path: Path, moved: bool) -> None:
    async with register(tmp_path) as rig:
        await decided(rig, moved=moved)
        rig.terminal.findings[:] = [Approved(29_900, "EUR", YES.result)]
        await eventually(lambda: standing(rig))
        (notice,) = standing(rig)
        owed = 10_000 if moved else 29_900
        assert (notice.key, notice.shown["amount"]) == ("notice.payment_to_give_back", "100,00 EUR" if moved else "299,00 EUR")
        (fact,) = contradictions(rig)
        assert (fact["task"], fact["amountMinor"], fact["attempt"]["approvedMinor"]) == ("give_back", owed, 29_900)
        assert replayed(rig) == rig.core.state


@pytest.mark.parametrize("moved", [True, False])
@pytest.mark.parametrize(
    ("finding", "reported"),
    [
        (Approved(19_900, "USD", YES.result), "199,00 USD"),
        (Approved(29_900, "JPY", YES.result), "29900 JPY"),
        (Approved(29_900, "KWD", YES.result), "29.900 KWD"),
        (Unknown("wrong_amount"), ""),
    ],
)
async def test_the_terminal_took_what_nobody_can_count(tmp_path: Path, finding: Finding, reported: str, moved: bool) -> None:
    async with register(tmp_path) as rig:
        attempt = await decided(rig, moved=moved)
        rig.terminal.findings[:] = [finding]
        await eventually(lambda: standing(rig))
        (notice,) = standing(rig)
        assert notice.key == ("notice.payment_reported" if reported else "notice.payment_differs")
        assert (notice.shown["amount"], notice.shown.get("reported", "")) == ("199,00 EUR", reported)
        assert reported in notice.text
        (fact,) = contradictions(rig)
        assert (fact["task"], fact["amountMinor"], fact["attempt"]["state"]) == ("clarify", 19_900, "needs_review")
        said = fact["attempt"].get("reported")
        assert said == ({"amountMinor": finding.amount_minor, "currencyCode": finding.currency} if isinstance(finding, Approved) else None)
        await rig.till.paying.handled(attempt, "put right at T1", "")
        assert standing(rig) == ()
        assert replayed(rig) == rig.core.state


async def test_who_decides_sees_what_the_terminal_reported(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        rig.terminal.findings[:] = [DEAD]
        await opened(rig)
        await scan(rig, COAT)
        await rig.till.paying.card(None, "")
        rig.terminal.answers.put_nowait(Unknown("connection_lost"))
        await eventually(lambda: rig.core.state.basket.open_attempt.state is AttemptState.NEEDS_REVIEW)
        assert rig.presenter.snapshot().payment.attempt.reported == ""
        rig.terminal.findings[:] = [Approved(29_900, "EUR", YES.result)]
        await eventually(lambda: rig.presenter.snapshot().payment.attempt.reported)
        shown = rig.presenter.snapshot().payment.attempt
        assert (shown.reported, shown.reason, shown.state) == ("299,00 EUR", "wrong_amount", "needs_review")


@pytest.mark.parametrize(("moved", "finding"), [(True, YES), (False, Declined("refused")), (False, NotFound())])
async def test_a_terminal_that_agrees_ends_it_in_silence(tmp_path: Path, moved: bool, finding: Finding) -> None:
    async with register(tmp_path) as rig:
        await decided(rig, moved=moved)
        said = len(rig.core.desk.notices)
        rig.terminal.findings[:] = [finding]
        await eventually(lambda: not rig.core.state.reviewed)
        assert len(rig.core.desk.notices) == said
        assert list(contradictions(rig)) == []


async def test_not_found_is_believed_only_when_nothing_that_was_sent_can_still_arrive(tmp_path: Path) -> None:
    async with register(tmp_path, terminal=ScriptedTerminal(settle=60_000)) as rig:
        await decided(rig, moved=True)
        rig.terminal.findings[:] = [NotFound()]
        before = len(rig.terminal.queried)
        await eventually(lambda: len(rig.terminal.queried) > before + 3)
        assert rig.core.state.reviewed[0].found is None
        rig.terminal.findings[:] = [YES]
        await eventually(lambda: not rig.core.state.reviewed)


async def test_the_asking_and_the_notice_go_on_after_a_restart_until_a_manager_notes_what_was_done(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        attempt = await decided(rig, moved=False)
        await rig.till.paying.cash(None, "")
    async with register(tmp_path, terminal=ScriptedTerminal(findings=[YES])) as rig:
        await eventually(lambda: list(contradictions(rig)))
    async with register(tmp_path, terminal=ScriptedTerminal(findings=[DEAD])) as rig:
        assert rig.presenter.snapshot().notice.key == "notice.payment_to_give_back"
        assert rig.presenter.snapshot().notice.until_ms == 0
        await scan(rig, SOCKS)
        assert rig.presenter.snapshot().notice.key == "notice.payment_to_give_back", "no act of the associate's takes it away"
        await rig.till.day.sign_in("1002", "")
        with pytest.raises(NotAllowed):
            await rig.till.paying.handled(attempt, "given back", "")
        await rig.till.day.sign_in("1001", "")
        with pytest.raises(OutOfBounds):
            await rig.till.paying.handled(attempt, " ", "")
        await rig.till.paying.handled(attempt, "refunded at T1", "")
        assert rig.presenter.snapshot().notice.key == "notice.contradiction_handled"
        assert rig.till.paying.checking.standing() == ()
        _, fact = contradictions(rig)
        assert (fact["handled"], fact["note"], fact["operatorId"]) == (True, "refunded at T1", "1001")
        with pytest.raises(NotNow):
            await rig.till.paying.handled(attempt, "again", "")
        assert replayed(rig) == rig.core.state


async def test_the_next_customers_payment_goes_before_the_question(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await decided(rig, moved=False)
        await rig.till.paying.cash(None, "")
        asking, given_up = asyncio.Event(), asyncio.Event()

        async def slowly(attempt: Attempt) -> Finding:
            asking.set()
            try:
                await asyncio.Event().wait()
            finally:
                given_up.set()
            return DEAD

        query, rig.terminal.query = rig.terminal.query, slowly
        await asking.wait()
        await scan(rig, SOCKS)
        await rig.till.paying.card(None, "")
        await given_up.wait()
        rig.terminal.query = query
        before = len(rig.terminal.queried)
        await asyncio.sleep(0.05)
        assert len(rig.terminal.queried) == before, "nothing is asked while a payment is under way"
        rig.terminal.findings[:] = [YES]
        rig.terminal.approve(1_250)
        await eventually(lambda: list(contradictions(rig)))
        assert rig.core.state.receipts == 2


async def test_what_the_terminal_never_answers_is_let_go_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "CHECK_MS_MAX", 30)
    async with register(tmp_path) as rig:
        await decided(rig, moved=False)
        await asyncio.sleep(0.1)
        assert rig.core.state.reviewed, "a clock that was set does not end it"
        monkeypatch.setattr(checking, "CHECK_SECONDS_MIN", 0.05)
        await eventually(lambda: not rig.core.state.reviewed)


async def test_a_bug_in_a_driver_does_not_end_the_asking(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await decided(rig, moved=False)
        query = rig.terminal.query

        async def broken(attempt: Attempt) -> Finding:
            rig.terminal.query = query
            raise ZeroDivisionError

        rig.terminal.findings[:] = [YES]
        rig.terminal.query = broken
        await eventually(lambda: list(contradictions(rig)))


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("key", [checking.GIVE_BACK, checking.COLLECT, checking.REPORTED, checking.DIFFERS, checking.VOID_OWED])
def test_both_languages_say_amount_receipt_and_what_to_do(language: str, key: str) -> None:
    words = Words(language)
    shown = {"amount": "199,00 EUR", "receipt": "R-1", "terminal": "T1", "attempt": "a", "reported": "299,00 USD"}
    text, hint = words(key, **shown), words(f"{key}.hint", **shown)
    assert "199,00 EUR" in text
    assert "R-1" in text or key == checking.VOID_OWED
    assert "F9 N" in hint
    assert key != checking.REPORTED or "299,00 USD" in text
    assert key in STANDING
    assert key in SAID_AT_START


@pytest.mark.parametrize(
    ("finding", "task", "reported"),
    [
        (YES, "give_back", None),
        (Approved(29_900, "EUR", YES.result), "give_back", None),
        (Approved(29_900, "JPY", YES.result), "clarify", Reported(amount_minor=29_900, currency_code="JPY")),
        (Unknown("wrong_amount"), "clarify", None),
    ],
)
def test_what_is_told_is_what_central_reads(tmp_path: Path, finding: Finding, task: str, reported: Reported | None) -> None:
    async def told() -> list[FactDraft]:
        async with register(tmp_path) as rig:
            commit, drafts = rig.refusing.commit, []

            async def noting(made):
                drafts.extend(made.facts)
                return await commit(made)

            rig.refusing.commit = noting
            attempt = await decided(rig, moved=False)
            rig.terminal.findings[:] = [finding]
            await eventually(lambda: standing(rig))
            await rig.till.paying.handled(attempt, "given back", "")
            return [fact for fact in drafts if fact.type == "retail.payment.contradicted.v1"]

    first, second = checked(asyncio.run(told()))
    assert (first.task, first.handled, second.handled, second.note) == (task, False, True, "given back")
    assert first.attempt.reported == second.attempt.reported == reported
