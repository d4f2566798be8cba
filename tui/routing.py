"""Which screen is on top: what no longer fits is closed, and what the snapshot demands is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from edge_agent.views import Snapshot
from tui.screens.base import Pictured
from tui.screens.confirm import QuestionDialog
from tui.screens.pay import PayScreen
from tui.screens.sign_in import ClosedScreen
from tui.screens.waiting import WaitingScreen

if TYPE_CHECKING:
    from tui.app import CounterApp


def route(app: CounterApp, snapshot: Snapshot | None, *, lost: bool) -> None:
    """Close and open until the stack of screens fits ``snapshot``; without a service, say that it is waited for."""
    if lost or snapshot is None:
        if not isinstance(app.screen, WaitingScreen):
            app.push_screen(app.waiting_screen())
        return
    while len(app.screen_stack) > 1 and not _fits(app.screen, snapshot):
        app.pop_screen()
    _open_what_it_demands(app, snapshot)


def _fits(screen: Screen[Any], snapshot: Snapshot) -> bool:
    return screen.fits(snapshot) if isinstance(screen, Pictured) else False


def _open_what_it_demands(app: CounterApp, snapshot: Snapshot) -> None:
    """Nobody sells before a shift is open; a payment under way is never unseen; a question is asked where one looks."""
    attempt = snapshot.payment.attempt if snapshot.payment else None
    question = snapshot.question
    if snapshot.phase == "closed" and not _on_stack(app, ClosedScreen):
        _clear(app)
        app.push_screen(ClosedScreen())
    elif attempt is not None and not _on_stack(app, PayScreen):
        _clear(app)
        app.push_screen(PayScreen())
    if question is not None and not any(isinstance(screen, QuestionDialog) and screen.question.id == question.id for screen in app.screen_stack):
        app.push_screen(QuestionDialog(question))


def _on_stack(app: CounterApp, kind: type[Screen[Any]]) -> bool:
    return any(isinstance(screen, kind) for screen in app.screen_stack)


def _clear(app: CounterApp) -> None:
    while len(app.screen_stack) > 1:
        app.pop_screen()
