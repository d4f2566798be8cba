"""A payment that is not clear: who may decide it, from when on, and what it keeps from being done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.errors import NotAllowed, NotNow
from edge_agent.domain.reading import Reading
from edge_agent.domain.tender import Declined, Unknown
from edge_agent.service import paying
from tests.support_shop import Rig, register
from tui.messages import Words

COAT = b"4006381333931"
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paying, "ASK_SECONDS", (0.01, 0.01))
    monkeypatch.setattr(paying, "ASK_SLOWLY_SECONDS", 0.01)


async def eventually(condition: Callable[[], object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


async def parked(rig: Rig) -> None:
    """A coat, asked of the card terminal, whose answer is lost; parked."""
    rig.terminal.findings[:] = [Unknown("still silent")]
    await rig.till.day.open("1001", 0, "")
    await rig.till.scanned(Reading(COAT, "scanner", rig.core.ports.clock.now_ms()))
    await rig.till.paying.card(None, "")
    rig.terminal.answers.put_nowait(Unknown("answer lost"))
    await eventually(lambda: rig.presenter.snapshot().payment.attempt.review_ms)
    await rig.till.set_aside(do.Park(""), "")


async def refused_to_close(rig: Rig) -> NotNow:
    with pytest.raises(NotNow) as caught:
        await rig.till.day.close("")
    return caught.value


async def test_until_its_time_the_screen_and_the_closing_say_from_when_on_a_manager_can_decide(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        now = rig.core.ports.clock.now_ms()
        await parked(rig)
        (aside,) = rig.presenter.snapshot().parked
        assert abs(aside.review_ms - now - paying.REVIEW_AFTER_SECONDS * 1000) < 30_000
        at = datetime.fromtimestamp(aside.review_ms / 1000, BERLIN).strftime("%H:%M")
        refused = await refused_to_close(rig)
        assert (refused.key, refused.args_shown) == ("not_now.sale_parked_until", {"at": at})
        assert at in refused.message
        await rig.till.recall(aside.id, "")
        assert rig.presenter.snapshot().payment.attempt.review_ms == aside.review_ms


async def test_when_its_time_has_come_who_has_the_right_decides_and_the_shift_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paying, "REVIEW_AFTER_SECONDS", 0.2)
    async with register(tmp_path) as rig:
        await parked(rig)
        await eventually(lambda: rig.presenter.snapshot().parked[0].attempt == "needs_review")
        assert (await refused_to_close(rig)).key == "not_now.sale_parked_review"
        await rig.till.recall(rig.presenter.snapshot().parked[0].id, "")
        attempt = rig.presenter.snapshot().payment.attempt
        await rig.till.day.sign_in("1002", "")
        with pytest.raises(NotAllowed):
            await rig.till.paying.review(attempt.id, False, "not on the list", "")
        await rig.till.day.sign_in("1001", "")
        await rig.till.paying.review(attempt.id, False, "not on the list", "")
        assert rig.presenter.snapshot().payment.attempt is None
        assert rig.core.desk.review_at_ms == {}
        await rig.till.void("nobody paid", "")
        await rig.till.day.close("")


async def test_a_parked_sale_that_was_clarified_and_is_not_paid_is_named_as_such(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await parked(rig)
        rig.terminal.findings[:] = [Declined("refused")]
        await eventually(lambda: rig.presenter.snapshot().parked[0].kind == "unpaid")
        assert (await refused_to_close(rig)).key == "not_now.sale_parked_unpaid"
        await rig.till.recall(rig.presenter.snapshot().parked[0].id, "")
        await rig.till.paying.cash(None, "")
        await rig.till.day.close("")


@pytest.mark.parametrize(("language", "said"), [("en", "ten minutes"), ("de", "zehn Minuten")])
def test_the_help_says_the_minutes_that_the_service_waits(language: str, said: str) -> None:
    assert paying.REVIEW_AFTER_SECONDS == 600
    words = Words(language)
    assert said in words("help.aside")
    assert said in words("help.card_unknown")
