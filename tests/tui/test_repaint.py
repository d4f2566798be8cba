"""What is painted of a change is the same to the last cell as Textual's own way of painting it, whatever changes on whatever screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip

from tests.support_snapshots import COAT, MARIA, PRALINES, READY, SALE, SCARF, SOCKS, UNKNOWN_CODE, basket, selling
from tests.support_till import Till, till
from tui.repaint import RowsThatChanged

FULL = selling(COAT, SOCKS, PRALINES, customer=MARIA)
LONG = [replace(SOCKS, id=f"line-{number}", name=f"Socks {number}") for number in range(30)]


class Both:
    """Paints every change in both ways, and keeps how many rows each drew."""

    def __init__(self) -> None:
        self.updates = 0
        self.different: list[str] = []
        self.rows = {"ours": 0, "theirs": 0}

    def paint(self, held: RowsThatChanged, ours, theirs) -> ChopsUpdate | None:
        dirty = set(held._dirty_regions)
        made = ours(held)
        held._dirty_regions |= dirty
        usual = theirs(held)
        self.updates += made is not None
        if (made and cells(made)) != (usual and cells(usual)):
            self.different.append(f"{sorted(dirty)}")
        return made


def cells(update: ChopsUpdate) -> list[tuple[int, list[tuple[int, Strip | None]]]]:
    """What an update puts on the rows that it has."""
    return [(y, sorted(update.chops[y].items())) for y in sorted({y for y, _, _ in update.spans})]


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    """Every change that a test brings about is painted twice and compared."""
    looking = Both()
    ours, theirs, renders = RowsThatChanged.render_partial_update, Compositor.render_partial_update, Compositor._get_renders

    def counted(held: Compositor, crop: Region | None = None):
        for region, clip, strips in renders(held, crop):
            looking.rows["theirs"] += len(strips)
            yield region, clip, strips

    wanted = RowsThatChanged._wanted_renders

    def counted_ours(held: RowsThatChanged, rows):
        for region, clip, strips in wanted(held, rows):
            looking.rows["ours"] += len(strips)
            yield region, clip, strips

    monkeypatch.setattr(Compositor, "_get_renders", counted)
    monkeypatch.setattr(RowsThatChanged, "_wanted_renders", counted_ours)
    monkeypatch.setattr(RowsThatChanged, "render_partial_update", lambda held: looking.paint(held, ours, theirs))
    yield looking
    assert looking.different == []
    assert looking.updates > 0


async def scan_by_scan(at: Till) -> None:
    for count in range(1, len(LONG)):
        await at.shows(selling(*LONG[:count]))


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_articles_that_come_one_after_another(both: Both, size: tuple[int, int]) -> None:
    async with till(READY, size) as at:
        await scan_by_scan(at)
        await at.press("up", "up", "pageup", "down")
        await at.type("3*40063")
        await at.press("escape", "escape")
    assert both.rows["ours"] < both.rows["theirs"] * 0.6


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_boxes_and_screens_over_the_sale(both: Both, size: tuple[int, int]) -> None:
    async with till(FULL, size) as at:
        for key in ("f1", "escape", "f4", "escape", "f3", "escape", "f9", "escape", "f8", "escape", "q", "escape", "f10", "escape", "f6", "escape"):
            await at.press(key)
            await at.shows(replace(FULL, basket=basket(COAT, SOCKS, PRALINES, SCARF)))
            await at.shows(FULL)
        await at.shows(replace(FULL, notice=UNKNOWN_CODE))
        await at.shows(replace(READY, last_sale=SALE))


async def test_a_window_that_changes_its_size(both: Both) -> None:
    async with till(FULL) as at:
        for size in ((80, 24), (60, 20), (120, 40)):
            await at.pilot.resize_terminal(*size)
            await at.pilot.pause()
            await at.shows(replace(FULL, notice=UNKNOWN_CODE))
            await at.shows(FULL)
