"""Says in the log, once each, that central cannot be reached or takes nothing, and that it can be reached again; the same for each feed of its."""

from __future__ import annotations

import structlog

from edge_agent.ports import Link, LinkReport

PASSING = ("unreachable", "busy")
"""Reasons that follow each other while a network, or central, is down."""

HELD_UP = {"fact_refused": "central refuses a fact", "too_large_on_the_way": "something on the way to central stops a fact"}
"""What is said when everything is sent but one fact, and those of its stream after it, by reason."""

log = structlog.get_logger(__name__)


class LinkLog:
    """Remembers what was said last; ``told`` hears every report of the link."""

    def __init__(self) -> None:
        self._said: tuple[Link, str] | None = None
        self._withheld: int | None = None

    def told(self, report: LinkReport) -> bool:
        """Log what is news: another state, or another reason for it. True when one more fact was withheld since the last report.

        SENDING and IN_STEP are both good: going from one to the other happens with every sale. A network that comes and goes is one reason.
        """
        known, self._withheld = self._withheld, report.withheld
        withheld = known is not None and report.withheld > known
        if withheld:
            log.error("fact withheld", withheld=report.withheld, hint="Another fact took its place at central; its bytes are kept here, for repair.")
        state = Link.IN_STEP if report.link is Link.SENDING else report.link
        untold = report.reason in PASSING or (state is Link.IN_STEP and report.reason not in HELD_UP)
        news = (state, "" if untold else report.reason)
        if news != self._said:
            self._said = news
            self._log(state, report)
        return withheld

    def _log(self, state: Link, report: LinkReport) -> None:
        match state:
            case Link.OFFLINE:
                event = "central refuses" if report.reason.startswith("refused_") else "central not reached"
                log.warning(event, reason=report.reason, detail=report.detail, hint=report.hint, waiting=report.waiting)
            case Link.FROZEN:
                log.error("central takes nothing from this register", reason=report.reason, detail=report.detail, hint=report.hint, waiting=report.waiting)
            case Link.IN_STEP if report.reason in HELD_UP:
                log.warning(HELD_UP[report.reason], reason=report.reason, detail=report.detail, hint=report.hint, waiting=report.waiting)
            case Link.IN_STEP:
                log.info("central reached", waiting=report.waiting)


class FeedLog:
    """Remembers which feeds wait and why; ``told`` hears every report of a feed."""

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}
        self._said: dict[str, str] = {}
        self._refused: dict[str, tuple[int, str]] = {}

    def left_out(self) -> dict[str, tuple[int, str]]:
        """Of which feeds rows were left out since the service began: how many, and why the newest."""
        return {feed: told for feed, told in self._refused.items() if told[0]}

    def waiting(self) -> dict[str, str]:
        """The feeds that wait, and for what."""
        return dict(self._waiting)

    def told(self, feed: str, phase: str, problem: str, refused: int, refusal: str = "", *, reason: str) -> None:
        """Log that a feed begins to wait, that it waits for another reason now, that it is current again, and that rows of it were left out, and why.

        ``problem`` may be another sentence each time that central is asked: ``reason`` decides whether that is news.
        """
        if phase != "importing" and refused != self._refused.get(feed, (0, ""))[0]:
            self._refused[feed] = refused, refusal
            if refused:
                log.warning("feed rows left out", feed=feed, refused=refused, detail=refusal, hint="What was here under the same keys stays.")
        if phase == "waiting":
            self._waiting[feed] = problem
            kind = "" if reason in PASSING else reason
            if self._said.get(feed) != kind:
                self._said[feed] = kind
                log.warning("feed waits", feed=feed, reason=reason, detail=problem)
        elif phase == "current" and feed in self._waiting:
            del self._waiting[feed], self._said[feed]
            log.info("feed current", feed=feed, refused=refused)
