"""How long what was said to the associate stands, and what time it is on a counter where nothing happens."""

from __future__ import annotations

from msgspec.structs import replace

from edge_agent.domain.reading import Reading
from edge_agent.service.notices import ASKED_MS, SAID_MS
from tests.support_enrolled import SetClock
from tests.support_shop import Rig, register


def standing_still(rig: Rig) -> SetClock:
    clock = SetClock(rig.core.ports.clock.now_ms())
    rig.core.ports = replace(rig.core.ports, clock=clock)
    return clock


def said(rig: Rig) -> str:
    notice = rig.presenter.snapshot().notice
    return notice.key if notice is not None else ""


async def test_what_only_says_that_something_happened_goes_by_itself_and_stays_in_the_list(tmp_path):
    async with register(tmp_path) as rig:
        clock = standing_still(rig)
        await rig.till.day.open("1001", 0, "")
        clock.wall_ms += SAID_MS - 1
        assert said(rig) == "notice.shift_opened"
        clock.wall_ms += 1
        assert said(rig) == ""
        assert [notice.key for notice in rig.core.desk.notices] == ["notice.shift_opened"]


async def test_what_asks_for_something_stands_until_somebody_acts_and_never_needs_a_key_to_go(tmp_path):
    async with register(tmp_path) as rig:
        clock = standing_still(rig)
        await rig.till.day.open("1001", 0, "")
        await rig.till.scanned(Reading(b"2900000000001", "scanner", clock.now_ms()))
        clock.wall_ms += SAID_MS * 10
        assert said(rig) == "code_unknown.article"
        await rig.till.scanned(Reading(b"4006381333931", "scanner", clock.now_ms()))
        assert said(rig) == ""

        rig.core.tell("notice.suspended", "info", "The basket is suspended.", "F7 brings it back.")
        clock.wall_ms += ASKED_MS - 1
        assert said(rig) == "notice.suspended"
        clock.wall_ms += 1
        assert said(rig) == ""


async def test_a_snapshot_says_what_time_it_is_when_it_is_asked_for(tmp_path):
    async with register(tmp_path) as rig:
        clock = standing_still(rig)
        rig.core.changed()
        first = rig.presenter.snapshot()
        clock.wall_ms += 3_600_000
        later = rig.presenter.snapshot()
        assert (later.view, later.at_ms) == (first.view, clock.wall_ms)
