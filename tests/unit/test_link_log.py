"""The log says once that central went away and once that it is back, whatever is sent in between."""

from __future__ import annotations

import structlog

from edge_agent.link_log import FeedLog, LinkLog
from edge_agent.ports import Link, LinkReport


def test_a_change_is_said_once_with_its_reason_and_sending_is_no_change() -> None:
    link = LinkLog()
    with structlog.testing.capture_logs() as lines:
        for state in (Link.SENDING, Link.IN_STEP, Link.SENDING, Link.OFFLINE, Link.OFFLINE, Link.SENDING, Link.IN_STEP, Link.FROZEN, Link.FROZEN, Link.IN_STEP):
            link.told(LinkReport(state, 0, waiting=2, reason="why", detail="Detail.", hint="Hint."))
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("info", "central reached"),
        ("warning", "central not reached"),
        ("info", "central reached"),
        ("error", "central takes nothing from this register"),
        ("info", "central reached"),
    ]
    assert (lines[1]["reason"], lines[1]["detail"], lines[1]["hint"], lines[1]["waiting"]) == ("why", "Detail.", "Hint.", 2)


def test_another_reason_that_somebody_has_to_see_to_is_said_as_well() -> None:
    link = LinkLog()
    with structlog.testing.capture_logs() as lines:
        for reason in ("unreachable", "busy", "unreachable", "no_progress", "no_progress", "refused_401", "busy"):
            link.told(LinkReport(Link.OFFLINE, 0, waiting=2, reason=reason))
    assert [line["reason"] for line in lines] == ["unreachable", "no_progress", "refused_401", "busy"]
    assert [line["event"] for line in lines] == ["central not reached", "central not reached", "central refuses", "central not reached"]


def test_a_fact_that_central_refuses_is_said_and_one_that_is_withheld_is_told_to_somebody() -> None:
    link = LinkLog()
    with structlog.testing.capture_logs() as lines:
        told = [
            link.told(LinkReport(Link.IN_STEP, 0, withheld=1)),  # of an earlier run
            link.told(LinkReport(Link.SENDING, 0, 1, "fact_refused", "Fact 2 of trade.", withheld=1)),
            link.told(LinkReport(Link.SENDING, 0, 1, "fact_refused", "Fact 2 of trade.", withheld=1)),
            link.told(LinkReport(Link.IN_STEP, 0, withheld=2)),
            link.told(LinkReport(Link.IN_STEP, 0, withheld=2)),
        ]
    assert told == [False, False, False, True, False]
    assert [line["event"] for line in lines] == ["central reached", "central refuses a fact", "fact withheld", "central reached"]


def test_a_fact_that_stops_on_the_way_to_central_is_said_as_that_and_not_as_central_refusing_it() -> None:
    link = LinkLog()
    with structlog.testing.capture_logs() as lines:
        for bytes_told in (60_000, 60_000, 70_000):
            link.told(LinkReport(Link.SENDING, 0, 5, "too_large_on_the_way", f"Fact 2 of trade, which has {bytes_told} bytes.", "Have IT raise the limit."))
        link.told(LinkReport(Link.IN_STEP, 0))
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("something on the way to central stops a fact", "warning"),
        ("central reached", "info"),
    ]
    assert (lines[0]["detail"], lines[0]["hint"], lines[0]["waiting"]) == ("Fact 2 of trade, which has 60000 bytes.", "Have IT raise the limit.", 5)


def test_a_feed_that_waits_is_said_with_each_new_reason_and_once_when_it_is_current() -> None:
    feeds = FeedLog()
    with structlog.testing.capture_logs() as lines:
        for reason, problem in (("unreachable", "No network."), ("unreachable", "No network."), ("contract_broken.feed_page", "The page is cut off.")):
            feeds.told("prices", "waiting", problem, 0, reason=reason)
            feeds.told("prices", "importing", "", 0, reason="")
        assert feeds.waiting() == {"prices": "The page is cut off."}
        feeds.told("prices", "current", "", 0, reason="")
        feeds.told("prices", "current", "", 0, reason="")
    assert [(line["event"], line["feed"], line.get("detail", "")) for line in lines] == [
        ("feed waits", "prices", "No network."),
        ("feed waits", "prices", "The page is cut off."),
        ("feed current", "prices", ""),
    ]
    assert feeds.waiting() == {}


def test_one_reason_in_ever_other_words_is_said_once_and_shown_in_the_newest() -> None:
    feeds = FeedLog()
    with structlog.testing.capture_logs() as lines:
        for number, reason in enumerate(("refused_403", "refused_403", "refused_403", "unreachable", "busy", "unreachable")):
            feeds.told("prices", "waiting", f"Request {number}.", 0, reason=reason)
            assert feeds.waiting() == {"prices": f"Request {number}."}
        feeds.told("prices", "current", "", 0, reason="")
        feeds.told("prices", "waiting", "Request 7.", 0, reason="unreachable")
    assert [(line["event"], line.get("reason", "")) for line in lines] == [
        ("feed waits", "refused_403"),
        ("feed waits", "unreachable"),
        ("feed current", ""),
        ("feed waits", "unreachable"),
    ]


def test_rows_that_were_left_out_are_said_with_the_reason_whenever_there_are_more_or_fewer() -> None:
    feeds = FeedLog()
    with structlog.testing.capture_logs() as lines:
        for refused, refusal in ((0, ""), (1, "The price 'A' is in USD."), (1, "The price 'A' is in USD."), (3, "Not a PriceRow."), (0, ""), (1, "Again.")):
            feeds.told("prices", "importing", "", 0, reason="")
            feeds.told("prices", "current", "", refused, refusal, reason="")
    assert [(line["event"], line["log_level"], line["refused"], line["detail"]) for line in lines] == [
        ("feed rows left out", "warning", 1, "The price 'A' is in USD."),
        ("feed rows left out", "warning", 3, "Not a PriceRow."),
        ("feed rows left out", "warning", 1, "Again."),
    ]
    assert feeds.left_out() == {"prices": (1, "Again.")}
    feeds.told("prices", "current", "", 0, "", reason="")
    assert feeds.left_out() == {}
