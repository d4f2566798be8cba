"""The panel that plays the customer and the world; whoever starts the terminal hands one in, or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.message import Message

from edge_agent.views import NoticeView
from tui.drawing.foot import KeyHint
from tui.drawing.line import BLANK, Line, line, wrapped
from tui.panel import Panel
from tui.screens.base import Dialog
from tui.shown import Shown
from tui.widgets.choices import Choices, Option, text_row
from tui.widgets.drawn import Drawn
from tui.work import aside

if TYPE_CHECKING:
    from textual.widget import Widget


class PanelScreen(Dialog):
    """The panel's actions under their headings, beside the counter: what they do is seen there at once.

    Where there is no room beside the counter, the panel closes after each action, and F12 brings it back.
    """

    topic: ClassVar[str] = "panel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("pageup", "choose(-10)", show=False),
        Binding("pagedown", "choose(10)", show=False),
        Binding("enter", "accept", show=False),
        Binding("f12", "leave", show=False),
    ]

    class Done(Message):
        """The panel did something, and says what."""

        def __init__(self, said: str) -> None:
            super().__init__()
            self.said = said

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel
        self._said = ""

    def box(self) -> Iterable[Widget]:
        """Title, actions, what was done last."""
        yield Drawn(lambda shown, cells: [line((self._panel.title, "strong")), BLANK])
        yield Choices(id="choices")
        yield Drawn(self._did, id="said")

    def on_mount(self) -> None:
        """Offer the actions; the counter makes room."""
        super().on_mount()
        self._offer()
        for screen in self.app.screen_stack:
            screen.add_class("-beside")

    def on_unmount(self) -> None:
        """The counter has its whole room again."""
        for screen in self.app.screen_stack:
            screen.remove_class("-beside")

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """Enter, arrows, Esc."""
        words = shown.words
        return [KeyHint("Enter", words("panel.do"), rank=0), KeyHint("↑↓", words("key_does.choose"), rank=0), KeyHint("Esc", words("key_does.back"), rank=0)]

    def _offer(self) -> None:
        options: list[Option] = []
        group = ""
        for action in self._panel.actions():
            if action.group != group:
                group = action.group
                options.append(Option(f"group:{group}", text_row(group, role="accent"), heading=True))
            options.append(Option(action.key, text_row(action.text, action.key if len(action.key) == 1 else "")))
        choices = self.query_one(Choices)
        choices.offer(options, chosen=choices.chosen)

    def _did(self, shown: Shown, cells: int) -> list[Line]:
        return wrapped(self._said, cells, "good") if self._said else []

    def action_choose(self, by: int) -> None:
        """Up and down."""
        self.query_one(Choices).move(by)

    @on(Choices.Clicked)
    def action_accept(self) -> None:
        """Enter does it."""
        chosen = self.query_one(Choices).chosen
        if chosen:
            self._do(chosen)

    def on_key(self, event: events.Key) -> None:
        """A key of one character does its action."""
        for action in self._panel.actions():
            if len(action.key) == 1 and action.key == event.character:
                event.stop()
                self._do(action.key)
                return

    def _do(self, key: str) -> None:
        """Have it done aside, by the application: it goes on when this screen is closed."""
        aside(self.app, partial(self._perform, key), "panel")
        if not self.has_class("-wide"):
            self.dismiss()

    async def _perform(self, key: str) -> None:
        before = self._noticed()
        said = await self._panel.perform(key)
        if self.has_class("-wide") and self.is_attached:
            self.post_message(self.Done(said))
        elif self._noticed() == before:  # what the counter itself said about it is worth more
            self.app.call_later(self.counter.say_notice, NoticeView("", "info", said))

    def _noticed(self) -> NoticeView | None:
        picture = self.counter.picture
        return picture.snapshot.notice if picture is not None else None

    def on_panel_screen_done(self, event: Done) -> None:
        """Say what was done, and look at what can be done now."""
        self._said = event.said
        self._offer()
        self.redraw()
