"""Until a feed was here whole once, nobody is told that something is unknown, and the screen says what is still on its way."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_agent.copies import SAID_SECONDS, Copies
from edge_agent.domain.errors import CodeUnknown
from edge_agent.ports import Coming, Link, LinkReport
from edge_agent.views import CheckBadge, ComingView, LinkView, NoticeView, Problem
from tests.support_drawing import DE, EN, joined, shown
from tests.support_service import ScriptedService
from tests.support_shop import register
from tests.support_snapshots import CLOSED, READY
from tests.support_till import StandingClock, till
from tui.drawing import head

SOCKS_CODE = "4006381333948"
ARTICLES = ComingView("catalogue", 1_250, 10_000)


class Told:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def test_a_feed_is_coming_until_there_is_a_copy_of_it_and_again_when_that_is_lost() -> None:
    held, coming, told, clock = {"prices"}, {}, Told(), StandingClock()
    copies = Copies(("catalogue", "prices"), held.__contains__, coming, clock, told)
    assert coming == {"catalogue": Coming("catalogue")}
    for rows in range(1_000, 9_000, 1_000):
        copies.told("catalogue", rows, 10_000)
    assert coming["catalogue"] == Coming("catalogue", 8_000, 10_000)
    assert told.count == 0, "a picture per thousand rows is more than anybody sees"
    clock.seconds += 2 * SAID_SECONDS
    copies.told("catalogue", 9_000, 10_000)
    copies.told("prices", 0, None)
    assert told.count == 1
    held.add("catalogue")
    copies.told("catalogue", 0, None)
    assert (coming, told.count) == ({}, 2)
    held.discard("prices")
    copies.told("prices", 0, None)
    assert (coming, told.count) == ({"prices": Coming("prices")}, 3)


async def test_what_has_not_come_yet_is_not_called_unknown(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        desk, people, catalogue = rig.core.desk, rig.core.ports.people, rig.core.ports.catalogue
        desk.coming["staff"] = Coming("staff")
        with pytest.raises(CodeUnknown) as refused:
            await rig.till.day.open("9999", 0, "")
        assert refused.value.key == "code_unknown.badge_coming"
        await rig.till.day.open("1001", 0, "")  # a part of it is here already
        del desk.coming["staff"]
        with pytest.raises(CodeUnknown, match="belongs to nobody"):
            await rig.till.day.sign_in("9999", "")
        rows, catalogue.rows = catalogue.rows, ()
        for feed, key in (("", "no_price"), ("prices", "price_coming")):
            desk.coming = {feed: Coming(feed)}
            with pytest.raises(CodeUnknown) as refused:
                await rig.till.counter.entered(SOCKS_CODE, "")
            assert refused.value.key == f"code_unknown.{key}"
        catalogue.rows, catalogue.articles = rows, ()
        for feed, key in (("", "article"), ("catalogue", "article_coming")):
            desk.coming = {feed: Coming(feed)}
            with pytest.raises(CodeUnknown) as refused:
                await rig.till.counter.entered(SOCKS_CODE, "")
            assert refused.value.key == f"code_unknown.{key}"
        assert rig.core.state.basket is None
        assert people.operator("9999") is None


async def test_the_snapshot_says_what_is_coming(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        rig.core.desk.coming["catalogue"] = Coming("catalogue", 1_250, 10_000)
        assert rig.presenter.snapshot().link.coming == [ARTICLES]
        rig.core.desk.link = LinkReport(Link.IN_STEP, 0)
        assert rig.presenter.snapshot().link.coming == [ARTICLES]


def test_a_register_is_not_in_step_before_it_has_everything_once() -> None:
    link = LinkView("in_step", 0, 0, coming=[ARTICLES, ComingView("staff", 0)])
    for words, says in ((EN, "▲ coming from central: articles 12 %, staff"), (DE, "▲ kommt von der Zentrale: Artikel 12 %, Mitarbeiter")):
        for cells in (60, 120):
            foot = joined(head.status(shown(replace(READY, link=link), words), cells))
            assert says in foot
            assert words("link.in_step") not in foot
        away = joined(head.status(shown(replace(READY, link=replace(link, state="offline")), words), 160))
        assert words("link.not_here", feeds="").rstrip() in away
        assert words("link.offline", since="").split(" {")[0][:12] in away


async def test_a_badge_that_cannot_be_known_yet_is_asked_for_again_and_the_reason_stays_on_the_screen() -> None:
    service = ScriptedService(replace(CLOSED, notice=NoticeView("notice.back", "good", "Central answers again.")))
    problem = Problem("about:blank", "Unknown", 404, "Not yet.", "code_unknown.badge_coming", "It comes.", {"code": "1001"})
    service.on(CheckBadge, lambda snapshot, command: problem)
    async with till(service) as counter:
        await counter.type("1001")
        await counter.press("enter")
        await counter.sees("The list of staff has not come from central yet.", "Who opens this register?")
        service.publish(notice=None)  # what was said before is over; what is said now is not
        await counter.until(lambda: counter.app.picture.snapshot.notice is None, "the newer picture")
        assert "The list of staff has not come" in counter.text()
