"""A disk that runs full is told of before it stops the selling: in status and at the counter, once down and once up."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.bootstrap import Agent
from edge_agent.cli_text import needs_somebody, status_lines
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import Config, read_config
from edge_agent.disk_room import MB, DiskRoom
from edge_agent.hosting import in_process
from sync.central.serving import EmbeddedCentral
from tests.contract.test_register_with_central import central, enrolled, keys_of  # noqa: F401 - a fixture
from tests.support_central import eventually


def test_it_is_short_below_the_floor_and_has_room_again_well_above_it(tmp_path: Path) -> None:
    left = [300, 201, 200, 199, 190, 205, 219, 221, 300, 50]
    seen = iter(left)
    room = DiskRoom(tmp_path, 200, lambda _: next(seen) * MB)
    looked = [(room.look(), room.short) for _ in left]
    assert [place for place, (changed, _) in enumerate(looked) if changed] == [3, 7, 9]
    assert [short for _, short in looked] == [False] * 3 + [True] * 4 + [False] * 2 + [True]
    assert room.left_mb == 50


def test_a_floor_of_nothing_is_never_reached_and_a_folder_that_is_gone_says_nothing(tmp_path: Path) -> None:
    assert not DiskRoom(tmp_path, 0, lambda _: 0).look()
    gone = DiskRoom(tmp_path / "gone", 200)
    assert (gone.look(), gone.short, gone.left_mb) == (False, False, None)


@pytest.mark.parametrize(("value", "good"), [("0", True), ("5000", True), ("-1", False), ('"much"', False), ("1.5", False)])
def test_the_floor_is_a_whole_number_of_the_configuration(tmp_path: Path, value: str, good: bool) -> None:
    file = tmp_path / "edge.toml"
    file.write_text(f"disk_warn_mb = {value}\n")
    _, mistakes = read_config(file)
    assert (mistakes == []) is good
    assert all("disk_warn_mb" in mistake.message for mistake in mistakes)


async def test_status_and_counter_say_it_while_selling_goes_on(
    tmp_path: Path, central: EmbeddedCentral, monkeypatch: pytest.MonkeyPatch  # noqa: F811 - the fixture
) -> None:  # fmt: skip
    monkeypatch.setattr("edge_agent.bootstrap.JOURNAL_WATCH_SECONDS", 0.01)
    left = [1_000]
    await enrolled(tmp_path / "till", central)
    agent = await Agent.start(Config(state=str(tmp_path / "till"), disk_warn_mb=500), keys_of(tmp_path / "till"), SystemClock(), SystemRandom())
    agent._room = DiskRoom(tmp_path, 500, lambda _: left[0] * MB)
    try:
        async with in_process(agent) as client:
            await eventually(lambda: agent._room.left_mb == 1_000, "it was looked at")
            assert not needs_somebody(await client.status())
            left[0] = 120
            await eventually(lambda: agent.core.desk.notice is not None and agent.core.desk.notice.key == "notice.disk_low", "the counter says it")
            now = await client.status()
            assert (now.journal.disk_low, now.journal.free_mb, now.phase, needs_somebody(now)) == (True, 120, "closed", True)
            assert [line for line in status_lines(now) if line.startswith("DISK LOW") and "120 MB" in line]
            left[0] = 400  # a little more: nothing new
            await eventually(lambda: agent._room.left_mb == 400, "it was looked at again")
            left[0] = 900
            await eventually(lambda: agent.core.desk.notice.key == "notice.disk_room", "and that there is room again")
            assert [notice.key for notice in agent.core.desk.notices] == ["notice.disk_room", "notice.disk_low"]
            assert not needs_somebody(await client.status())
    finally:
        await agent.stop()
