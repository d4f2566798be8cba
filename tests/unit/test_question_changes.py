"""The question whose basket it is says what a yes would change, and a yes then changes exactly that."""

from __future__ import annotations

from pathlib import Path

from edge_agent.domain.reading import Reading
from edge_agent.service.clienteling import KEEP, REPLACE
from tests.support_shop import MARIAS_CART, MemoryCentral, Rig, register

COAT, SOCKS, MARIA_CARD, OMAR_CARD = "4006381333931", "4006381333948", "LOY0000000001", "LOY0000000002"


async def scan(rig: Rig, text: str) -> None:
    await rig.till.scanned(Reading(text.encode(), "scanner", rig.core.ports.clock.now_ms()))


def said(rig: Rig) -> tuple[int, int, int]:
    """Before, after, and what leaves, as the question says now."""
    question = rig.presenter.snapshot().question
    assert question is not None
    assert question.total is not None
    return question.total.before.minor, question.total.after.minor, question.leaves


async def answer(rig: Rig, word: str) -> None:
    await rig.till.clienteling.answered(rig.core.desk.question.id, word, "")


async def test_prices_and_the_former_customers_cart_are_in_the_question_and_follow_the_basket(tmp_path: Path) -> None:
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await rig.till.day.open("1001", 0, "")
        await scan(rig, COAT)
        await scan(rig, MARIA_CARD)
        await scan(rig, MARIAS_CART.id)
        assert rig.presenter.snapshot().basket.to_pick == 2
        await scan(rig, OMAR_CARD)
        assert said(rig) == (17_900, 19_900, 2)
        await scan(rig, SOCKS)  # picked while the question is open: one piece less leaves, and its price is in both totals
        assert said(rig) == (17_900 + 1_250, 19_900 + 1_250, 1)
        before, after, leaves = said(rig)
        held = rig.presenter.snapshot().basket
        await answer(rig, REPLACE)
        now = rig.presenter.snapshot().basket
        assert (held.total.minor, now.total.minor, held.to_pick - now.to_pick, now.articles) == (before, after, leaves, held.articles)


async def test_a_no_changes_nothing_of_it(tmp_path: Path) -> None:
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await rig.till.day.open("1001", 0, "")
        await scan(rig, COAT)
        await scan(rig, MARIA_CARD)
        await scan(rig, OMAR_CARD)
        assert said(rig) == (17_900, 19_900, 0)
        await answer(rig, KEEP)
        assert rig.presenter.snapshot().basket.total.minor == 17_900


async def test_equal_prices_are_said_as_such(tmp_path: Path) -> None:
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await rig.till.day.open("1001", 0, "")
        await scan(rig, SOCKS)
        await scan(rig, OMAR_CARD)
        await scan(rig, MARIA_CARD)
        assert said(rig) == (1_250, 1_250, 0)


async def test_what_would_be_refused_promises_nothing(tmp_path: Path) -> None:
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await rig.till.day.open("1001", 0, "")
        await scan(rig, COAT)
        await scan(rig, OMAR_CARD)
        await rig.till.paying.cash(19_000, "")
        await scan(rig, MARIA_CARD)  # her price is less than what is paid
        question = rig.presenter.snapshot().question
        assert (question.total, question.leaves) == (None, 0)
