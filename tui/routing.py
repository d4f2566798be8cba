"""Which screen is on top: what no longer fits is closed, and what the snapshot demands is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from edge_agent.views import QuestionView, Snapshot
from tui.screens.base import Pictured
from tui.screens.confirm import QuestionDialog
from tui.screens.pay import PayScreen
from tui.screens.sign_in import ClosedScreen
from tui.screens.waiting import WaitingScreen
from tui.screens.world import PanelScreen

if TYPE_CHECKING:
    from tui.app import CounterApp


def route(app: CounterApp, snapshot: Snapshot | None, *, lost: bool) -> None:
    """Close and open until the stack of screens fits ``snapshot``; without a service, say that it is waited for. Whoever leaves has no screens."""
    if not app.screen_stack:
        return
    if lost or snapshot is None:
        if not isinstance(app.screen, WaitingScreen):
            app.push_screen(app.waiting_screen())
        return
    panel = _lifted(app, snapshot)
    while len(app.screen_stack) > 1 and not _fits(app.screen, snapshot):
        _leave(app)
    _open_what_it_demands(app, snapshot)
    if panel is not None:
        app.push_screen(panel)


def _lifted(app: CounterApp, snapshot: Snapshot) -> PanelScreen | None:
    """Take the panel off what has to go from under it; it is to be laid there again. A new question closes it: that is asked where one looks."""
    panel, new = app.screen, _unasked(app, snapshot) is not None
    if not isinstance(panel, PanelScreen) or (_fits(app.screen_stack[-2], snapshot) and not new):
        return None
    again = None if new else panel.again()
    _leave(app)
    return again


def _unasked(app: CounterApp, snapshot: Snapshot) -> QuestionView | None:
    """The question that is not on the screen yet."""
    asked = [screen.question.id for screen in app.screen_stack if isinstance(screen, QuestionDialog)]
    return snapshot.question if snapshot.question is not None and snapshot.question.id not in asked else None


def _leave(app: CounterApp) -> None:
    app.left = app.screen
    app.pop_screen()


def _fits(screen: Screen[Any], snapshot: Snapshot) -> bool:
    return isinstance(screen, Pictured) and screen.stays(snapshot)


def _open_what_it_demands(app: CounterApp, snapshot: Snapshot) -> None:
    """Nobody sells before a shift is open; a payment under way is never unseen; a question is asked where one looks."""
    attempt = snapshot.payment.attempt if snapshot.payment else None
    if snapshot.phase == "closed" and not app.has(ClosedScreen):
        _clear(app)
        app.push_screen(ClosedScreen())
    elif attempt is not None and not app.has(PayScreen):
        _clear(app)
        app.push_screen(PayScreen())
    question = _unasked(app, snapshot)
    if question is not None:
        app.push_screen(QuestionDialog(question))


def _clear(app: CounterApp) -> None:
    while len(app.screen_stack) > 1:
        _leave(app)
