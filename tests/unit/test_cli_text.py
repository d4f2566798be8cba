"""What IT reads on the command line: one subject a line, times for people, one line per event and per change."""

from __future__ import annotations

import doctest
import json
import re
from typing import Any

import msgspec
import pytest

from edge_agent import cli_text
from edge_agent.cli_text import WITHHELD, changed_lines, device_line, event_json, event_line, needs_somebody, status_lines, unreachable, verified
from edge_agent.client import WHY, ServiceUnreachable
from edge_agent.views import DeviceView, EventView, FeedView, JournalView, LeftOutView, LinkView, StatusView, StreamView, VerificationView
from sync.push import NETWORK_HINT
from sync.push_standing import HINTS

NOW = 1_795_352_820_000
MOMENT = r"2026-11-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d"
SCANNER = DeviceView("scanner", "serial_scanner", "ready", NOW, readings=3)
PRINTER = DeviceView("printer", "receipt_printer", "absent", NOW, "device_absent", "Refused.", "Check the port.")
BODY = json.dumps({"shift": {"id": "s" * 300}})
EVENT = EventView(12, NOW, "ShiftOpened", BODY)


def health(**other: Any) -> StatusView:
    """A service that is well, but for what is said otherwise."""
    link = LinkView("in_step", NOW - 3_720_000, 0)
    journal = JournalView("/var/lib/edge-agent/journal.db", 5_200_000, 1_234, "good")
    streams = [StreamView("trade", 12, 12, 0, None)]
    well = StatusView("0.1.0", "b", NOW - 266_400_000, NOW, "02", "0001", "ready", link, [], streams, journal, NOW - 90_000, None, None)
    return msgspec.structs.replace(well, **other)


def test_a_register_that_is_well_says_so_a_line_a_subject() -> None:
    lines = status_lines(health())
    assert lines[0] == "register     0001/02, ready to sell"
    assert re.fullmatch(rf"service      version 0.1.0, up 3 d 2 h, since {MOMENT}", lines[1])
    assert lines[2:4] == ["central      in step for 1 h 2 min, no facts wait", "journal      good, 1234 events, 5.2 MB, /var/lib/edge-agent/journal.db"]
    assert re.fullmatch(rf"articles     copy as of {MOMENT}, 1 min 30 s ago", lines[4])
    assert lines[5:] == ["customers    no copy yet", "  trade      12 of 12 acknowledged", "devices      none configured"]
    assert not needs_somebody(health())


def test_a_payment_to_give_back_needs_somebody() -> None:
    owed = health(attention=["Too much was paid. Give it back."])
    assert "NEEDS YOU    Too much was paid. Give it back." in status_lines(owed)
    assert needs_somebody(owed)


def test_what_is_wrong_stands_with_its_reason_and_what_to_do_and_only_what_needs_somebody_is_an_exit_code() -> None:
    waiting = [StreamView("trade", 14, 12, 2, NOW - 61_000)]
    offline = health(link=LinkView("offline", NOW - 5_000, 2, "unreachable", "No answer.", "Check the network."), streams=waiting)
    assert status_lines(offline)[2:5] == [
        "central      not reached (the shop sells on) for 5 s, 2 facts wait on disk",
        "             No answer.",
        "             Check the network.",
    ]
    assert "  trade      12 of 14 acknowledged, 2 waiting, the oldest for 1 min 1 s" in status_lines(offline)
    refused = health(link=LinkView("offline", NOW - 5_000, 0, "refused_404", "GET /edge/v1/registers/.../cursor: 404.", "Check the address."))
    assert status_lines(refused)[2:5] == [
        "central      answers, and refuses what this register asks (the shop sells on) for 5 s, no facts wait",
        "             GET /edge/v1/registers/.../cursor: 404.",
        "             Check the address.",
    ]
    idle = health(link=LinkView("offline", NOW - 5_000, 0, "no_progress", "Central answers, but takes nothing.", "Report this."))
    assert status_lines(idle)[2].startswith("central      answers, and takes no facts (the shop sells on)")
    withheld = health(link=LinkView("in_step", NOW - 5_000, 0, quarantined=3, withheld=1))
    assert status_lines(withheld)[2:4] == [
        "central      in step for 5 s, no facts wait, 2 in quarantine at central, 1 fact withheld",
        f"             {WITHHELD}",
    ]
    stopped = health(phase="stopped", journal=JournalView("", 0, 0, "stopped", "The disk is full. Make room."))
    assert status_lines(stopped)[0] == "register     0001/02, STOPPED: nothing can be sold"
    assert "             The disk is full. Make room." in status_lines(stopped)
    frozen = health(link=LinkView("frozen", NOW, 0, "fork"))
    assert [needs_somebody(now) for now in (offline, stopped, frozen, withheld)] == [False, True, True, True]


@pytest.mark.parametrize("link", [
    LinkView("offline", NOW - 5_000, 2, "unreachable", "No answer.", NETWORK_HINT),
    LinkView("offline", NOW - 5_000, 0, "refused_404", "Not found."),
    LinkView("offline", NOW - 5_000, 0, "no_progress", "Nothing is taken."),
    *(LinkView("frozen" if reason in ("fork", "chain") else "sending", NOW, 0, reason, "Why.", hint) for reason, hint in HINTS.items()),
])  # fmt: skip
def test_where_selling_has_stopped_nothing_says_that_it_goes_on(link: LinkView) -> None:
    sells, stopped = "\n".join(status_lines(health(link=link))), "\n".join(status_lines(health(link=link, phase="stopped")))
    assert re.search("sells on|elling goes on", sells)
    assert not re.search("sells on|elling goes on", stopped)


def test_where_the_journal_cannot_be_opened_central_is_not_called_out_of_reach() -> None:
    link = LinkView("offline", NOW - 5_000, 0, "stopped", "The journal cannot be opened; nothing is sent.")
    assert status_lines(health(link=link, phase="stopped", streams=[]))[2:4] == [
        "central      not asked, how many facts wait cannot be read",
        "             The journal cannot be opened; nothing is sent.",
    ]


def test_a_device_is_one_line_with_its_readings_and_what_to_do() -> None:
    assert device_line(SCANNER) == "● scanner      serial_scanner   ready     3 readings"
    assert device_line(PRINTER) == "○ printer      receipt_printer  absent                   Refused. Check the port."
    assert device_line(msgspec.structs.replace(SCANNER, dropped=2)) == "● scanner      serial_scanner   ready     3 readings, 2 dropped"
    told = device_line(msgspec.structs.replace(SCANNER, state="degraded", readings=0, dropped=1, detail="It sends no CR."))
    assert told == "○ scanner      serial_scanner   degraded  0 readings, 1 dropped  It sends no CR."


def test_a_watch_prints_what_changed_alone() -> None:
    assert len(list(changed_lines(None, [SCANNER, PRINTER], NOW))) == 2
    assert list(changed_lines([SCANNER, PRINTER], [SCANNER, PRINTER], NOW)) == []
    (line,) = changed_lines([SCANNER, PRINTER], [msgspec.structs.replace(SCANNER, readings=4), PRINTER], NOW)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  ● scanner      serial_scanner   ready     4 readings", line)


def test_an_event_is_one_line_cut_to_the_terminal_and_whole_when_asked() -> None:
    cut, whole = event_line(EVENT, 100), event_line(EVENT, None)
    assert (len(cut), cut[-1]) == (100, "…")
    assert whole.endswith(BODY)
    assert re.match(rf" +12  {MOMENT}  ShiftOpened ", cut)
    assert len(event_line(EVENT, 10)) == cli_text.WIDTH_MIN
    assert json.loads(event_json(EVENT)) == {
        "position": 12,
        "at_ms": NOW,
        "at": "2026-11-22T13:07:00.000+00:00",
        "type": "ShiftOpened",
        "body": json.loads(BODY),
    }


def test_a_verification_counts_and_says_sound_or_how_many_problems() -> None:
    assert verified(VerificationView(1, 2, [])) == "1 event and 2 facts looked at: sound."
    assert verified(VerificationView(3, 1, ["Event 2 is missing."])) == "3 events and 1 fact looked at: 1 problem:"


@pytest.mark.parametrize("reason", WHY)
def test_a_service_that_does_not_answer_is_said_with_where_and_what_to_do(reason: str) -> None:
    message, hint = unreachable(ServiceUnreachable(reason, "/run/edge-agent/api.sock"))
    assert message == f"The service does not answer: /run/edge-agent/api.sock: {WHY[reason]}."
    assert ("usermod -aG edge-till" in hint) == (reason == "denied")
    assert ("systemctl status edge-agent" in hint) == (reason != "denied")


def test_the_examples_hold() -> None:
    assert doctest.testmod(cli_text).failed == 0


def test_each_feed_that_waits_is_shown_with_its_reason_and_nobody_elses_line() -> None:
    lines = status_lines(health(feeds_waiting=[FeedView("prices", "Cut off.\nregister     9999/99, ready to sell\u202e")]))
    assert lines[6] == "  prices     waits: Cut off. register     9999/99, ready to sell "


def test_rows_of_a_feed_that_were_left_out_are_counted_with_the_newest_reason() -> None:
    lines = status_lines(health(left_out=[LeftOutView("prices", 3, "Row P1: in USD."), LeftOutView("staff", 1, "Row S1: no badge.")]))
    assert lines[6:8] == ["  prices     3 rows left out: Row P1: in USD.", "  staff      1 row left out: Row S1: no badge."]


def test_what_central_says_of_itself_begins_no_line_of_its_own() -> None:
    link = LinkView("offline", NOW - 1000, 0, detail="a\r\njournal      good\x1b[2J", hint="b\u2028c")
    lines = status_lines(health(link=link))
    assert lines[3:5] == ["             a journal      good [2J", "             b c"]
