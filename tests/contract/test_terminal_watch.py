"""The watch over a terminal tells once that it went, since when, and that it is back."""

from __future__ import annotations

from drivers.contract import DeviceReport, DeviceState
from drivers.terminals.watch import TerminalWatch
from tests.support_terminal import CounterLinkRig, fixture_rig, running, until  # noqa: F401 - a fixture


class HandClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ms = 1_000

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000


async def test_a_watch_tells_once_that_the_terminal_went_and_since_when_and_once_that_it_is_back(rig: CounterLinkRig) -> None:
    clock, told = HandClock(), list[DeviceReport]()
    watch = TerminalWatch(rig.driver(connect_seconds=0.5), clock, told.append, look_seconds=0.01)
    async with running(watch.run()):  # type: ignore[arg-type]  # it never ends by itself
        await until(lambda: watch.report.state is DeviceState.READY, "answers")
        clock.ms = 2_000
        rig.refuse(True)
        await until(lambda: watch.report.reason == "unreachable", "gone")
        clock.ms = 3_000
        rig.refuse(False)
        rig.dead(True)
        await until(lambda: watch.report.reason == "not_answering", "gone in another way")
        clock.ms = 4_000
        rig.dead(False)
        await until(lambda: watch.report.state is DeviceState.READY, "back")
    assert [(report.state.value, report.reason, report.since_ms, report.generation) for report in told] == [
        ("ready", "", 1_000, 1),
        ("lost", "unreachable", 2_000, 1),
        ("lost", "not_answering", 2_000, 1),
        ("ready", "", 4_000, 2),
    ]
    assert told[1].detail
    assert told[1].hint


async def test_a_terminal_that_never_answered_is_absent_not_lost(rig: CounterLinkRig) -> None:
    rig.refuse(True)
    report = await TerminalWatch(rig.driver(), HandClock(), lambda _: None).look()
    assert (report.state, report.generation) == (DeviceState.ABSENT, 0)
