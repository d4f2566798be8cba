"""Only the lines that differ are painted, and what stands there then is what a whole new picture would show."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest
from textual.geometry import Region
from textual.strip import Strip

from edge_agent.views import LineView, LinkView, Snapshot
from tests.support_snapshots import CART, MARIA, NOW, SUSPENDED, UNKNOWN_CODE, basket, line, payment, selling
from tests.support_till import Till, till
from tui.widgets.basket import Basket
from tui.widgets.drawn import Drawn

STEPS = 25
SIZES = ((120, 40), (80, 24), (60, 20))
replace = msgspec.structs.replace


def next_picture(random: Random, held: list[LineView]) -> Snapshot:
    """Another moment of a sale: a line more, less or changed, a customer, a notice, a figure in the status."""
    match random.randrange(4):
        case 0 | 1 if len(held) < 18:
            held.append(line(len(held) + 1, f"Article {random.randrange(10**6)}", random.randrange(100, 90_000), pieces=random.randint(1, 3)))
        case 2 if len(held) > 1:
            held.pop(random.randrange(len(held)))
        case _:
            at = random.randrange(len(held))
            held[at] = replace(held[at], quantity="7", pieces=7, state=random.choice(("in_hand", "to_pick")))
    shown = basket(*held, changed=random.choice(held), off=random.choice((0, 0, 500)))
    return selling(
        *held, basket=shown, payment=payment(max(0, shown.total.minor)), customer=random.choice((None, MARIA, replace(MARIA, cart=replace(CART, articles=1)))),
        notice=random.choice((None, UNKNOWN_CODE)), suspended=random.choice(([], [SUSPENDED])), link=LinkView("sending", NOW, random.randrange(900)),
    )  # fmt: skip


async def differences(seed: int) -> list[str]:
    """What is on the screen after each step, where it is not what the same screen shows when everything on it is painted anew."""
    random, held, found = Random(seed), [line(1, "Wool coat", 19900)], []
    async with till(selling(*held), size=SIZES[0]) as counter:
        for step in range(STEPS):
            if step % 10 == 9:
                await counter.pilot.resize_terminal(*random.choice(SIZES))
            if random.random() < 0.2:
                await counter.press(random.choice(("up", "down")))
            await counter.shows(next_picture(random, held))
            painted = await settled(counter)
            for widget in counter.app.screen.walk_children():
                widget.refresh()
            if painted != await settled(counter):
                found.append(f"step {step}:\n{painted}")
    return found


async def settled(counter: Till) -> str:
    await counter.pilot.pause(0.05)
    return counter.text()


@pytest.mark.parametrize("seed", range(2))
async def test_what_was_painted_line_by_line_is_the_whole_picture(seed: int) -> None:
    assert await differences(seed) == []


async def test_a_line_that_is_not_painted_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    refresh = Drawn.refresh

    def forgetful(self: Drawn, *regions: Region, **how: Any) -> Drawn:
        return refresh(self, *regions[:-1], **how) if len(regions) > 1 else refresh(self, *regions, **how)

    monkeypatch.setattr(Drawn, "refresh", forgetful)  # the fault has to be planted where the lines are named
    assert await differences(0) != []


async def test_one_more_article_paints_its_line_and_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    render_line = Basket.render_line

    def counted(self: Basket, y: int) -> Strip:
        rows.append(y)
        return render_line(self, y)

    monkeypatch.setattr(Basket, "render_line", counted)  # nothing else tells which rows are painted
    held = [line(number, f"Article {number}", 1000) for number in range(1, 12)]
    async with till(selling(*held)) as counter:
        await settled(counter)
        rows.clear()
        await counter.shows(selling(*held, line(12, "One more", 1000)))
        await settled(counter)
        assert sorted(rows) == [10, 11]
        rows.clear()
        await counter.shows(selling(*held, line(12, "One more", 1000), link=LinkView("sending", NOW, 7)))
        await settled(counter)
        assert rows == []
