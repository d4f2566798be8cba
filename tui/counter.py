"""Counter: what screens need of the application that shows them, as one Protocol."""

from __future__ import annotations

from typing import Any, Protocol

from textual.screen import Screen

from edge_agent.client import AgentClient
from edge_agent.views import AnyCommand, NoticeView
from tui.messages import Words
from tui.panel import Panel
from tui.said import Said
from tui.shown import Clock, Shown


class Answers(Protocol):
    """Who wants to know what became of a command."""

    def answered(self, command: AnyCommand, problem: NoticeView | None) -> None:
        """The service carried it out (no problem), or said why not."""


class Counter(Protocol):
    """The application as its screens see it."""

    client: AgentClient
    words: Words
    clock: Clock
    panel: Panel | None
    said: Said
    panel_chosen: str
    """What was done last by the panel: it is marked when the panel comes back."""

    @property
    def picture(self) -> Shown | None:
        """The newest picture; None before the first snapshot."""

    def listen(self) -> None:
        """A screen with a picture is there: keys mean something from now on."""

    def command(self, command: AnyCommand, by: Answers | None = None) -> None:
        """Send a command; commands are carried out in the order in which they were given. ``by`` is told the answer."""

    def say(self, key: str, level: str = "warn", **values: object) -> None:
        """Put a sentence of the catalogue on the notice line."""

    def say_notice(self, notice: NoticeView) -> None:
        """Put this on the notice line, and into the list of messages."""

    def unsay(self, notice: NoticeView) -> None:
        """Take this off the notice line, where it still stands there."""

    def act(self, name: str) -> None:
        """Do an act of the table by its name, or say why not."""

    def go(self, screen: Screen[Any]) -> None:
        """Close what lies on the sale and open this."""

    def lay(self, screen: Screen[Any]) -> None:
        """Open this on top of what is there."""

    def has(self, kind: type[Screen[Any]]) -> bool:
        """Whether a screen of this kind is open, on top or under another."""

    def home(self) -> None:
        """Back to the sale."""

    def set_name_hidden(self, hidden: bool) -> None:
        """Hide or show the customer's name."""
