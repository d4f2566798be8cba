"""The panel that plays the customer and the world; whoever starts the terminal hands one in, or none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import events
from textual.message import Message

from tui.panel import Panel
from tui.screens.lists import ListScreen
from tui.shown import Shown
from tui.widgets.choices import Option, text_row
from tui.work import aside


class PanelScreen(ListScreen):
    """The panel's actions under their headings; the screen stays, so that several things can happen one after another."""

    topic: ClassVar[str] = "panel"
    with_entry: ClassVar[bool] = False

    class Done(Message):
        """The panel did something, and says what."""

        def __init__(self, said: str) -> None:
            super().__init__()
            self.said = said

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel

    def title_text(self, shown: Shown) -> str:
        """The panel's own."""
        return self._panel.title

    async def search(self, text: str) -> tuple[Sequence[Option], str]:
        """The panel's actions under their headings."""
        options: list[Option] = []
        group = ""
        for action in self._panel.actions():
            if action.group != group:
                group = action.group
                options.append(Option(f"group:{group}", text_row(group, role="accent"), heading=True))
            options.append(Option(action.key, text_row(action.text, action.key if len(action.key) == 1 else "")))
        return options, ""

    def takes(self, shown: Shown) -> str:
        """Enter does it."""
        return shown.words("panel.do")

    def take(self, option: str) -> None:
        """Have it done aside."""
        aside(self, partial(self._perform, option), "panel")

    async def _perform(self, key: str) -> None:
        self.post_message(self.Done(await self._panel.perform(key)))

    def on_panel_screen_done(self, event: Done) -> None:
        """Say what was done, and look at what can be done now."""
        self.counter.say("panel.did", "info", what=event.said)
        self.look()

    def on_key(self, event: events.Key) -> None:
        """A key of one character does its action."""
        for action in self._panel.actions():
            if len(action.key) == 1 and action.key == event.character:
                event.stop()
                self.take(action.key)
                return
