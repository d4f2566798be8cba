"""The supervisor: states, generations, back-off, logs that say it once, and other devices that go on whatever one does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
import structlog

from drivers.contract import DeviceState, Driver, Hands
from drivers.session import Pace, backoff_seconds
from drivers.supervisor import Supervisor
from edge_agent.clock import SystemClock
from edge_agent.domain.errors import DeviceAbsent, DeviceBusy, DeviceDenied, DeviceError, DeviceLost
from edge_agent.domain.reading import Reading
from tests.support import HalfRandom, Listener, wait_until

QUICK = Pace(presence_seconds=0.01, backoff_first_seconds=0.01, backoff_seconds_max=0.04, steady_seconds=0.05)


class Gadget:
    """A driver that a test holds in its hands: what is there, what opening raises, what serving does."""

    kind = "gadget"

    def __init__(self, name: str = "gadget", *, there: bool = True) -> None:
        self.name = name
        self.there = there
        self.refuses: Exception | None = None
        self.serves: Callable[[Hands], None] = self.idle
        self.opened: list[float] = []
        self.closed = 0
        self.sessions: list[Hands] = []
        self.lost = threading.Event()

    def present(self) -> bool:
        return self.there

    def open(self) -> None:
        self.opened.append(time.monotonic())
        if self.refuses is not None:
            raise self.refuses

    def serve(self, hands: Hands) -> None:
        self.sessions.append(hands)
        self.serves(hands)

    def close(self) -> None:
        self.closed += 1

    def idle(self, hands: Hands) -> None:
        while not hands.stop.wait(0.005):
            if self.lost.is_set():
                self.lost.clear()
                raise DeviceLost("The wire is gone.", hint="Check the cable.")

    def reading(self, payload: bytes = b"x") -> Reading:
        return Reading(payload, self.name, 0, generation=self.sessions[-1].generation)


@contextmanager
def supervised(*drivers: Driver, pace: Pace = QUICK, news: Listener | None = None) -> Iterator[tuple[Supervisor, Listener]]:
    news = news or Listener()
    supervisor = Supervisor(drivers, SystemClock(), HalfRandom(), news.reading, news.report, pace=pace)
    supervisor.start()
    try:
        yield supervisor, news
    finally:
        assert supervisor.stop() == ()


def logged(entries: list[structlog.typing.EventDict]) -> list[tuple[str, str]]:
    return [(entry["log_level"], entry["event"]) for entry in entries]


def test_a_device_goes_from_absent_through_opening_to_ready() -> None:
    gadget = Gadget(there=False)
    with supervised(gadget) as (supervisor, news):
        absent = news.wait_state("gadget", DeviceState.ABSENT)
        assert (absent.generation, absent.reason, bool(absent.hint)) == (0, "device_absent", True)
        assert gadget.opened == []
        gadget.there = True
        ready = news.wait_state("gadget", DeviceState.READY)
        assert (ready.generation, ready.reason, ready.detail, ready.hint) == (1, "", "", "")
        assert news.states("gadget") == [("absent", "device_absent"), ("opening", ""), ("ready", "")]
        assert supervisor.reports() == (ready,)
    assert gadget.closed >= 1


def test_a_lost_device_stays_lost_while_it_is_away_and_comes_back_in_a_new_generation() -> None:
    gadget = Gadget()
    with supervised(gadget) as (_, news):
        news.wait_state("gadget", DeviceState.READY)
        gadget.there = False
        gadget.lost.set()
        lost = news.wait_state("gadget", DeviceState.LOST, reason="device_lost")
        away = news.wait_state("gadget", DeviceState.LOST, reason="device_absent")
        assert away.since_ms == lost.since_ms
        gadget.there = True
        assert news.wait_state("gadget", DeviceState.READY).generation == 2
        assert news.states("gadget")[2:] == [("lost", "device_lost"), ("lost", "device_absent"), ("opening", ""), ("ready", "")]


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (DeviceAbsent("Nothing answers.", hint="Switch it on."), DeviceState.ABSENT, "device_absent"),
        (DeviceBusy("In use.", hint="Stop the other program."), DeviceState.LOST, "device_busy"),
        (DeviceDenied("Not allowed.", hint="Run usermod."), DeviceState.LOST, "device_denied"),
        (DeviceError("Two of them.", hint="Say which.", reason="device_ambiguous"), DeviceState.LOST, "device_ambiguous"),
    ],
)
def test_a_device_that_does_not_open_says_why_and_what_to_do_once(error: DeviceError, state: DeviceState, reason: str) -> None:
    gadget = Gadget()
    gadget.refuses = error
    with supervised(gadget) as (_, news):
        report = news.wait_state("gadget", state, reason=reason)
        assert (report.detail, report.hint, report.generation) == (error.message, error.hint, 0)
        wait_until(lambda: len(gadget.opened) >= 5, "five tries")
        assert news.states("gadget") == [("opening", ""), (state.value, reason)]
        gadget.refuses = None
        news.wait_state("gadget", DeviceState.READY, generation=1)
        assert news.states("gadget")[2:] == [("ready", "")]


def test_tries_come_apart_further_and_further_up_to_a_bound() -> None:
    gadget = Gadget()
    gadget.refuses = DeviceBusy("In use.", hint="Stop the other program.")
    pace = Pace(backoff_first_seconds=0.02, backoff_seconds_max=0.08)
    with supervised(gadget, pace=pace):
        wait_until(lambda: len(gadget.opened) >= 6, "six tries")
    apart = [after - before for before, after in pairwise(gadget.opened)]
    assert all(gap >= 0.75 * whole for gap, whole in zip(apart, [0.02, 0.04, 0.08, 0.08, 0.08], strict=False))


def test_the_wait_is_between_half_and_the_whole_of_its_step_and_ends_at_ten_seconds() -> None:
    for failures, whole in [(1, 0.5), (2, 1.0), (5, 8.0), (6, 10.0), (1_000_000, 10.0)]:
        assert backoff_seconds(Pace(), failures, 0.0) == whole
        assert whole / 2 <= backoff_seconds(Pace(), failures, 0.999_999) < whole


def test_a_poke_tries_at_once() -> None:
    one, other = Gadget("one", there=False), Gadget("other", there=False)
    with supervised(one, other, pace=Pace(presence_seconds=600.0)) as (supervisor, news):
        news.wait_state("one", DeviceState.ABSENT)
        news.wait_state("other", DeviceState.ABSENT)
        one.there = other.there = True
        supervisor.poke("one")
        news.wait_state("one", DeviceState.READY)
        assert other.opened == []
        supervisor.poke("nobody")
        supervisor.poke()
        news.wait_state("other", DeviceState.READY)


def test_a_poke_leaves_a_session_that_works_alone() -> None:
    gadget = Gadget()
    with supervised(gadget) as (supervisor, news):
        news.wait_state("gadget", DeviceState.READY)
        for _ in range(20):
            supervisor.poke("gadget")
        gadget.sessions[0].emit(gadget.reading())
        news.wait_readings(1)
        assert len(gadget.opened) == 1


def test_a_reservation_is_reported_once_and_taken_back() -> None:
    gadget = Gadget()

    def serve(hands: Hands) -> None:
        for _ in range(3):
            hands.degraded("paper_low", "Little paper is left.")
        hands.degraded("", "")
        hands.stop.wait()

    gadget.serves = serve
    with supervised(gadget) as (_, news):
        wait_until(lambda: len(news.states("gadget")) >= 4, "four reports")
        assert news.states("gadget") == [("opening", ""), ("ready", ""), ("degraded", "paper_low"), ("ready", "")]


def test_a_drivers_bug_loses_its_own_device_is_retried_and_leaves_the_others_alone() -> None:
    broken, sound = Gadget("broken"), Gadget("sound")

    def fail(hands: Hands) -> None:
        raise KeyError("4006381333931 is what was read")

    broken.serves = fail
    with structlog.testing.capture_logs() as entries, supervised(broken, sound) as (supervisor, news):
        lost = news.wait_state("broken", DeviceState.LOST, reason="driver_failed")
        assert "KeyError" in lost.detail
        assert "test_supervisor.py:" in lost.detail
        wait_until(lambda: len(broken.opened) >= 4, "it is tried again")
        news.wait_state("sound", DeviceState.READY)
        sound.sessions[0].emit(sound.reading())
        news.wait_readings(1)
        broken.serves = broken.idle
        wait_until(lambda: supervisor.reports()[0].state is DeviceState.READY, "the mended driver is ready")
    assert "4006381333931" not in repr(entries) + repr(news.reports)


@pytest.mark.parametrize("where", ["present", "open", "close"])
def test_a_bug_anywhere_in_a_driver_is_its_own_loss_only(where: str) -> None:
    class Buggy(Gadget):
        armed = True

        def present(self) -> bool:
            return self._fail("present") or super().present()

        def open(self) -> None:
            self._fail("open")
            super().open()

        def close(self) -> None:
            self._fail("close")
            super().close()

        def _fail(self, step: str) -> bool:
            if self.armed and step == where:
                raise ZeroDivisionError
            return False

    gadget = Buggy()
    if where == "close":
        gadget.refuses = DeviceBusy("In use.", hint="Stop the other program.")
    with supervised(gadget) as (_, news):
        news.wait_state("gadget", DeviceState.LOST, reason="driver_failed")
        gadget.armed, gadget.refuses = False, None
        news.wait_state("gadget", DeviceState.READY)


def test_a_driver_that_ends_by_itself_is_lost_too() -> None:
    gadget = Gadget()
    gadget.serves = lambda hands: None
    with supervised(gadget) as (_, news):
        news.wait_state("gadget", DeviceState.LOST, reason="session_ended")


def test_the_log_says_once_that_a_device_is_down_and_once_that_it_is_back() -> None:
    gadget = Gadget()
    with structlog.testing.capture_logs() as entries, supervised(gadget) as (_, news):
        news.wait_state("gadget", DeviceState.READY)
        assert entries == []
        wait_until(lambda: time.monotonic() - gadget.opened[0] > 2 * QUICK.steady_seconds, "the session is steady")
        gadget.refuses = DeviceBusy("In use.", hint="Stop the other program.")
        gadget.lost.set()
        wait_until(lambda: len(gadget.opened) >= 6, "five more tries")
        gadget.there, gadget.refuses = False, None
        news.wait_state("gadget", DeviceState.LOST, reason="device_absent")
        gadget.there = True
        news.wait_state("gadget", DeviceState.READY, generation=2)
        wait_until(lambda: len(entries) == 2, "both lines")
    assert logged(entries) == [("warning", "device down"), ("info", "device up")]
    assert entries[0]["device"] == "gadget"
    assert entries[0]["reason"] == "device_lost"
    assert entries[0]["hint"] == "Check the cable."


def test_a_device_that_worked_for_a_while_is_tried_again_as_soon_as_after_its_first_failure() -> None:
    gadget = Gadget()
    rounds, pace = 12, Pace(presence_seconds=0.01, backoff_first_seconds=0.01, backoff_seconds_max=3_600.0, steady_seconds=0.02)
    with supervised(gadget, pace=pace) as (_, news):
        for generation in range(1, rounds + 1):  # were every loss counted on, the last wait alone would be twenty seconds
            news.wait_state("gadget", DeviceState.READY, generation=generation)
            wait_until(lambda: time.monotonic() - gadget.opened[-1] > 2 * pace.steady_seconds, "the session is steady")
            gadget.lost.set()
        news.wait_state("gadget", DeviceState.READY, generation=rounds + 1)


def test_a_device_that_opens_and_fails_over_and_over_fills_no_log() -> None:
    gadget = Gadget()

    def fail(hands: Hands) -> None:
        raise DeviceLost("Again.", hint="Check the cable.")

    mended = threading.Event()

    def work(hands: Hands) -> None:
        mended.set()
        gadget.idle(hands)

    gadget.serves = fail
    with structlog.testing.capture_logs() as entries, supervised(gadget):
        wait_until(lambda: len(gadget.sessions) >= 8, "eight short sessions")
        gadget.serves = work
        assert mended.wait(5.0)
        assert logged(entries) == [("warning", "device down")]
        gadget.sessions[-1].emit(gadget.reading())
        wait_until(lambda: len(entries) == 2, "what it reads shows that it is up")
    assert logged(entries) == [("warning", "device down"), ("info", "device up")]


def test_a_reading_of_an_ended_session_is_known_by_its_generation() -> None:
    gadget = Gadget()
    with supervised(gadget) as (supervisor, news):
        news.wait_state("gadget", DeviceState.READY, generation=1)
        late, late_reading = gadget.sessions[0], gadget.reading(b"late")
        gadget.lost.set()
        news.wait_state("gadget", DeviceState.READY, generation=2)
        gadget.sessions[1].emit(gadget.reading(b"new"))
        late.emit(late_reading)
        readings = news.wait_readings(2)
        assert [(reading.payload, reading.generation) for reading in readings] == [(b"new", 2), (b"late", 1)]
        assert supervisor.reports()[0].generation == 2
        assert supervisor.reports()[0].readings == 2


def test_a_listener_that_fails_ends_no_session() -> None:
    gadget = Gadget()

    class Failing(Listener):
        def reading(self, reading: Reading) -> None:
            super().reading(reading)
            raise RuntimeError(repr(reading.payload))

    news = Failing()
    with structlog.testing.capture_logs() as entries, supervised(gadget, news=news):
        news.wait_state("gadget", DeviceState.READY)
        for count in (1, 2):
            gadget.sessions[0].emit(gadget.reading(b"4006381333931"))
            assert len(news.wait_readings(count)) == count
        assert len(gadget.opened) == 1
    assert set(logged(entries)) == {("error", "listener failed")}
    assert "4006381333931" not in repr(entries)


def test_stop_ends_every_thread_whatever_its_device_is_doing() -> None:
    working, absent, waiting = Gadget("working"), Gadget("absent", there=False), Gadget("waiting")
    waiting.refuses = DeviceBusy("In use.", hint="Stop the other program.")
    news = Listener()
    pace = Pace(presence_seconds=600, backoff_first_seconds=600, backoff_seconds_max=600)
    supervisor = Supervisor([working, absent, waiting], SystemClock(), HalfRandom(), news.reading, news.report, pace=pace)
    supervisor.start()
    news.wait_state("working", DeviceState.READY)
    news.wait_state("absent", DeviceState.ABSENT)
    news.wait_state("waiting", DeviceState.LOST)
    assert supervisor.stop() == ()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("device-")] == []
    assert working.closed == 1
    assert supervisor.stop() == ()


def test_stop_names_the_device_whose_driver_does_not_let_go() -> None:
    stuck, sound = Gadget("stuck"), Gadget("sound")
    let_go = threading.Event()

    def hold(hands: Hands) -> None:
        let_go.wait(30)

    stuck.serves = hold
    news = Listener()
    supervisor = Supervisor([stuck, sound], SystemClock(), HalfRandom(), news.reading, news.report, pace=Pace(stop_seconds_max=0.1))
    supervisor.start()
    news.wait_state("stuck", DeviceState.READY)
    news.wait_state("sound", DeviceState.READY)
    with structlog.testing.capture_logs() as entries:
        assert supervisor.stop() == ("stuck",)
    assert logged(entries) == [("error", "devices do not stop")]
    let_go.set()
    assert supervisor.stop() == ()


def test_stop_before_start_is_nothing() -> None:
    assert Supervisor([Gadget()], SystemClock(), HalfRandom(), print, print).stop() == ()


def test_reports_are_there_from_the_beginning_in_the_order_of_the_configuration() -> None:
    supervisor = Supervisor([Gadget("b"), Gadget("a")], SystemClock(), HalfRandom(), print, print)
    assert [(report.name, report.state, report.generation) for report in supervisor.reports()] == [("b", DeviceState.ABSENT, 0), ("a", DeviceState.ABSENT, 0)]


def test_two_devices_of_one_name_are_a_bug() -> None:
    with pytest.raises(AssertionError):
        Supervisor([Gadget("a"), Gadget("a")], SystemClock(), HalfRandom(), print, print)
