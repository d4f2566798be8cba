"""The panel that plays the customer and the world; whoever starts the terminal hands one in, or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.message import Message

from edge_agent.views import NoticeView
from tui.acts import ACTS
from tui.drawing.foot import KeyHint
from tui.drawing.line import Line, line, wrapped
from tui.panel import Panel
from tui.screens.base import CounterScreen, Dialog
from tui.shown import Shown
from tui.widgets.choices import Choices, Option, text_row
from tui.widgets.drawn import Drawn
from tui.work import aside

if TYPE_CHECKING:
    from textual.widget import Widget


class PanelScreen(Dialog):
    """The panel's actions under their headings, beside the counter: what they do is seen there at once.

    It stands between the counter's header and its notice line, so that message, keys and status stay in sight. Where there is no room
    beside the basket the panel lies over it and closes after each action; F12 brings it back with the cursor where it was. A new question
    closes it, too: over a question F12 opens it again.
    """

    topic: ClassVar[str] = "panel"
    keys_below: ClassVar[bool] = True
    tells_beside: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "end(-1)", show=False),
        Binding("end", "end(1)", show=False),
        Binding("enter", "accept", show=False),
        Binding("f12", "leave", show=False),
        *(Binding(act.key, f"counter_act('{act.name}')", show=False) for act in ACTS if act.key.startswith("f") and act.key not in ("f1", "f12")),
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
        yield Drawn(lambda shown, cells: [line((self._panel.title, "strong"))])
        yield Choices(id="choices")
        yield Drawn(self._did, id="said")

    def opened(self) -> None:
        """Offer the actions; the counter makes room."""
        super().opened()
        self._offer()
        self.query_one(Choices).choose(self.counter.panel_chosen)
        for screen in self.app.screen_stack:
            screen.add_class("-beside")
        self._fit()

    def show(self, shown: Shown) -> None:
        """Draw; what is below the panel may have grown or shrunk meanwhile."""
        super().show(shown)
        self.call_after_refresh(self._fit)

    def on_resize(self) -> None:
        """In another width a key may do something else."""
        if self.is_current:
            self.call_after_refresh(self._redraw_keys)

    def _fit(self) -> None:
        """Stand where the counter's body is; a panel that was closed meanwhile stands nowhere."""
        below = next((screen for screen in reversed(self.app.screen_stack) if isinstance(screen, CounterScreen)), None)
        if below is None or self not in self.app.screen_stack:
            return
        for body in below.query("#body"):
            for box in self.query("#box"):
                if body.region.height:
                    box.styles.margin, box.styles.height = (body.region.y, 0, 0, 0), body.region.height

    def on_unmount(self) -> None:
        """The counter has its whole room again."""
        for screen in self.app.screen_stack:
            screen.remove_class("-beside")

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """Enter, arrows, Esc."""
        words = shown.words
        return [
            KeyHint("Enter", words("panel.do" if self.has_class("-wide") else "panel.do_and_close"), rank=0),
            KeyHint("↑↓", words("key_does.choose"), rank=0),
            KeyHint("Esc", words("panel.close"), rank=0),
        ]

    def _offer(self) -> None:
        options: list[Option] = []
        group = ""
        for action in self._panel.actions():
            if action.group != group:
                group = action.group
                options.append(Option(f"group:{group}", text_row(group, role="accent"), heading=True))
            options.append(Option(action.key, text_row(action.text, action.key.upper() if len(action.key) == 1 else "")))
        choices = self.query_one(Choices)
        choices.offer(options, chosen=choices.chosen)

    def _did(self, shown: Shown, cells: int) -> list[Line]:
        return wrapped(self._said, cells, "good") if self._said else []

    def action_choose(self, by: int) -> None:
        """Up and down."""
        self.query_one(Choices).move(by)

    def action_page(self, by: int) -> None:
        """Page up and down."""
        choices = self.query_one(Choices)
        choices.move(by * choices.page())

    def action_end(self, to: int) -> None:
        """To the first and to the last."""
        choices = self.query_one(Choices)
        choices.move(to * choices.rows)

    def action_counter_act(self, name: str) -> None:
        """The counter's own keys, which stand below the panel, work as ever: it makes room. Under a box they would do nothing, and do so here."""
        if not isinstance(self.app.screen_stack[-2], Dialog):
            self.dismiss()
            self.counter.act(name)

    def again(self) -> PanelScreen:
        """The same panel anew, its cursor and its last word where they were."""
        for choices in self.query(Choices):
            self.counter.panel_chosen = choices.chosen or self.counter.panel_chosen
        panel = PanelScreen(self._panel)
        panel._said = self._said
        return panel

    @on(Choices.Clicked)
    def action_accept(self) -> None:
        """Enter does it."""
        chosen = self.query_one(Choices).chosen
        if chosen:
            self._do(chosen)

    def on_key(self, event: events.Key) -> None:
        """A key of one character does its action, a letter with or without Shift."""
        typed = (event.character or "").lower()
        for action in self._panel.actions():
            if len(action.key) == 1 and action.key == typed:
                event.stop()
                self._do(action.key)
                return

    def _do(self, key: str) -> None:
        """Have it done aside, by the application: it goes on when this screen is closed."""
        self.counter.panel_chosen = key
        self.query_one(Choices).choose(key)
        aside(self.app, partial(self._perform, key), "panel")
        if not self.has_class("-wide"):
            self.dismiss()

    async def _perform(self, key: str) -> None:
        before = self._noticed()
        said = await self._panel.perform(key)
        if self.has_class("-wide") and self in self.app.screen_stack:
            self.post_message(self.Done(said))
        elif self._noticed() == before:  # what the counter itself said about it is worth more
            self.app.call_later(self.counter.say_notice, NoticeView("", "info", said))

    def _noticed(self) -> NoticeView | None:
        picture = self.counter.picture
        return picture.snapshot.notice if picture is not None else None

    def on_panel_screen_done(self, event: Done) -> None:
        """Say what was done, and look at what can be done now."""
        if self not in self.app.screen_stack:
            return
        self._said = event.said
        self._offer()
        self.redraw()
