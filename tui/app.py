"""The terminal's application: news in, commands out, and which screen is on top; everything else is in the screens."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from msgspec import Struct
from msgspec.structs import replace
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from edge_agent.client import AgentClient, ApiProblem, Disconnected, ServiceUnreachable, newest
from edge_agent.views import AnyCommand, NoticeView, Snapshot
from tui import glyphs as glyph_sets
from tui import themes
from tui.acts import ACTS, BY_NAME, why_not
from tui.bell import Bell
from tui.counter import Answers
from tui.doing import DOINGS, left_open
from tui.keys import KeysInTurn
from tui.messages import Words
from tui.panel import Panel
from tui.routing import route
from tui.said import CART_LOST, STANDING, Said, gives_way
from tui.screens.base import Dialog, pictured
from tui.screens.confirm import LeaveDialog
from tui.screens.help import HelpDialog
from tui.screens.sale import SaleScreen
from tui.screens.waiting import WaitingScreen
from tui.shown import Clock, Shown
from tui.widgets.scrollbar import fit_scrollbars
from tui.work import aside

TICK_SECONDS = 0.5
DRAWING_SECONDS = 0.01
"""A picture is drawn before the next one is asked for: asking first would take from the time until it is seen."""
LOCAL_SECONDS = 10.0
"""So long a sentence of the screen's own stands, unless something newer comes."""
LOST_SECONDS = 1.5
"""A service that is back within this was never seen to be gone; beyond it the screen says what it waits for."""
PAST_MS = 30_000
SAID_AT_START = ("notice.print_unknown", *STANDING, *CART_LOST)
"""What the service says as it starts was said to nobody before, and what has to be seen to stands."""
"""What was said longer than this before the screen was opened was said to somebody else; what of it is still true stands elsewhere on the screen."""
ANSWER_SECONDS = 1.0
"""A command that takes longer says that it is waited for."""
COMMANDS_WAITING_MAX = 32
"""More commands than this cannot wait for their turn: a key is stuck."""


class Job(Struct, frozen=True):
    """A command on its way, who wants to know, and the sentence of our own that stood there when it was given."""

    command: AnyCommand
    by: Answers | None
    seen: NoticeView | None


class CounterApp(KeysInTurn):
    """The counter. ``client`` is the service; ``locale`` its language (``de``, ``en_US``); ``panel`` what F12 opens, if anything.

    ``theme`` is auto, dark, light, contrast or sixteen; ``glyphs`` auto, full, console or ascii. Draws on standard error: nothing else
    may write there.
    """

    CSS_PATH = Path(__file__).parent / "counter.tcss"
    TITLE = "edge-agent"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-medium"), (100, "-wide")]  # noqa: RUF012 - Textual declares it, without ClassVar
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-middling"), (34, "-tall")]  # noqa: RUF012 - Textual declares it, without ClassVar
    BINDINGS: ClassVar[list[BindingType]] = [Binding(act.key, f"act('{act.name}')", show=False) for act in ACTS if act.key and act.key != "delete"]

    class News(Message):
        """A snapshot, or word that there are none."""

        def __init__(self, news: Snapshot | Disconnected) -> None:
            super().__init__()
            self.news = news

    class Answered(Message):
        """What became of a command."""

        def __init__(self, job: Job, snapshot: Snapshot | None, problem: NoticeView | None) -> None:
            super().__init__()
            self.job = job
            self.snapshot = snapshot
            self.problem = problem

    def __init__(
        self,
        client: AgentClient,
        locale: str,
        panel: Panel | None = None,
        *,
        clock: Clock,
        theme: str = themes.AUTO,
        glyphs: str = "auto",
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        super().__init__()
        for registered in themes.themes():
            self.register_theme(registered)
        self.client = client
        self.words = Words(locale)
        self.panel = panel
        self.panel_chosen = ""
        self._listening_since: float | None = None
        self.clock = clock
        self.glyphs = glyph_sets.SETS.get(glyphs) or glyph_sets.fitting(environment)
        self._theme_wanted = theme
        self._snapshot: Snapshot | None = None
        self._arrived = self._began = clock.monotonic()
        self._picture: Shown | None = None
        self._local: NoticeView | None = None
        self.said = Said()
        self._past: NoticeView | None = None
        self._local_since = 0.0
        self._name_hidden = False
        self._lost_since: float | None = self._began
        self._lost: Disconnected | None = None
        self._jobs: asyncio.Queue[Job] = asyncio.Queue(COMMANDS_WAITING_MAX)
        self._sent_at: float | None = None
        self._bell = Bell(clock)
        self.broke: BaseException | None = None

    # --- beginning ---------------------------------------------------------------------------------------------------------------

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own colours' names, before a theme is chosen."""
        return themes.themes()[0].variables

    def get_default_screen(self) -> Screen[Any]:
        """The sale is always at the bottom."""
        return SaleScreen(id="_default")

    def on_mount(self) -> None:
        """Colours, news, commands, time."""
        self.theme = themes.fitting(self._theme_wanted, self.console.color_system)
        self.add_class(f"-lines-{self.glyphs.border}")
        fit_scrollbars(self.glyphs)
        aside(self, self._follow, "news")
        aside(self, self._carry_out, "commands")
        self.set_interval(TICK_SECONDS, self._tick)

    def _fatal_error(self) -> None:
        """A bug ends the screen. Textual would draw its traceback with every variable in it, customers among them: whoever opened the screen tells it."""
        self.broke = self._exception
        self._close_messages_no_wait()

    def said_of_the_break(self, log_path: Path | None) -> tuple[str, str]:
        """What is told of such an end, and what to do; the reason is in the log."""
        return self.words("broke"), self.words("broke.hint") if log_path is None else self.words("broke.hint.log", path=log_path)

    def panic(self, *renderables: object) -> None:
        """The same for a failure that brings its own picture."""
        self._fatal_error()

    async def _follow(self) -> None:
        async for news in self.client.news():
            self.post_message(self.News(news))
            await asyncio.sleep(DRAWING_SECONDS)

    async def _carry_out(self) -> None:
        """Commands one after another, in the order in which they were given."""
        while True:
            job = await self._jobs.get()
            self._sent_at = self.clock.monotonic()
            try:
                snapshot = await self.client.send(job.command)
            except ApiProblem as error:
                self.post_message(self.Answered(job, None, self.words.problem(error.problem)))
            except ServiceUnreachable:
                text, hint = self.words("service.no_answer"), self.words("service.no_answer.hint")
                lost = NoticeView("service.no_answer", "bad", text, hint)
                self.post_message(self.Answered(job, None, lost))
                while not self._jobs.empty():  # what was given behind it was meant for what it would have done
                    self.post_message(self.Answered(self._jobs.get_nowait(), None, lost))
            else:
                self.post_message(self.Answered(job, snapshot, None))
            self._sent_at = None

    # --- pictures ----------------------------------------------------------------------------------------------------------------

    @property
    def picture(self) -> Shown | None:
        """The newest picture."""
        return self._picture

    def on_counter_app_news(self, event: News) -> None:
        """A snapshot came, or the service went."""
        if isinstance(event.news, Disconnected):
            self._lost_since = self._lost_since if self._lost_since is not None else self.clock.monotonic()
            self._lost = event.news
            self._paint()
            return
        self._lost_since = None
        self._take(event.news)

    def on_counter_app_answered(self, event: Answered) -> None:
        """A command was carried out, or refused; the snapshot that came with it may have closed the screen that gave it, which is told no more."""
        if event.problem is None:
            self._accepted(event.job.seen)
        if event.snapshot is not None:
            self._take(event.snapshot)
        by = event.job.by
        if event.problem is not None:
            self.say_notice(event.problem, below=not (isinstance(by, Dialog) and by in self.screen_stack))
        if by is not None and (not isinstance(by, Screen) or by in self.screen_stack):
            by.answered(event.job.command, event.problem)

    def _take(self, came: Snapshot) -> None:
        """Show a snapshot, unless a newer one of the same boot is shown already."""
        held = self._snapshot
        if newest(held, came) is not came:
            return
        self._snapshot, self._arrived = came, self.clock.monotonic()
        self.words = self.words.in_market(came.decimal, came.group)
        if held is None and came.notice is not None and came.notice.key not in SAID_AT_START and came.at_ms - came.notice.at_ms > PAST_MS:
            self._past = came.notice
        if gives_way(self._local, held, came):
            self._local = None
        if came.basket is None or (held is not None and held.basket is not None and held.basket.id != came.basket.id):
            self.said.customer_left()
        if held is not None and self._bell.rings(came.notice):
            self.bell()
        self._paint()
        if self.screen_stack and self.screen.is_mounted:
            self.listen()

    def _paint(self) -> None:
        """Draw the newest picture on every screen there is, and see to it that the right one is on top."""
        snapshot = self._snapshot
        now = self.clock.monotonic()
        if snapshot is not None:
            waited = now - self._sent_at if self._sent_at is not None else 0.0
            self._picture = Shown(
                snapshot=snapshot,
                words=self.words,
                now_ms=self._now_ms(),
                local=self._local,
                past=self._past,
                name_hidden=self._name_hidden,
                glyphs=self.glyphs,
                connected=self._lost_since is None,
                waiting_seconds=int(waited) if waited > ANSWER_SECONDS else 0,
                rows=self.size.height,
            )
            for screen in map(pictured, self.screen_stack):
                if screen is not None and screen.is_mounted:
                    screen.show(self._picture)
        lost = self._lost_since is not None and (snapshot is None or now - self._lost_since > LOST_SECONDS)
        route(self, snapshot, lost=lost)

    def _now_ms(self) -> int:
        """The service's wall time."""
        return self._snapshot.at_ms + int((self.clock.monotonic() - self._arrived) * 1000) if self._snapshot is not None else 0

    def _tick(self) -> None:
        """Time passes: seconds are counted, sentences of our own go."""
        if self._local is not None and self.clock.monotonic() - self._local_since > LOCAL_SECONDS:
            self._local = None
        self._paint()

    def on_resize(self, event: events.Resize) -> None:
        """Another height may have room for large digits."""
        self._paint()

    # --- what screens need -------------------------------------------------------------------------------------------------------

    def command(self, command: AnyCommand, by: Answers | None = None) -> None:
        """Send a command, in turn."""
        try:
            self._jobs.put_nowait(Job(command, by, self._local))
        except asyncio.QueueFull:
            problem = NoticeView("", "bad", self.words("service.too_many"))
            self.say_notice(problem)
            if by is not None:
                by.answered(command, problem)

    def say(self, key: str, level: str = "warn", **values: object) -> None:
        """A sentence of the catalogue on the notice line."""
        self.say_notice(NoticeView("", "bad" if level == "bad" else "info" if level == "info" else "warn", self.words.maybe(key, key, **values)))

    def say_notice(self, notice: NoticeView, *, below: bool = True) -> None:
        """This on the notice line (unless a box says it itself), heard when it is bad, and kept in the list of messages."""
        self.said.keep(replace(notice, at_ms=self._now_ms()))
        if below:
            self._local, self._local_since = notice, self.clock.monotonic()
        if self._bell.rings(notice):
            self.bell()
        self._paint()

    def _accepted(self, seen: NoticeView | None) -> None:
        """An act was accepted: the refusal of ours that was read before it is past."""
        if seen is not None and seen.level in ("warn", "bad"):
            self.unsay(seen)

    def unsay(self, notice: NoticeView) -> None:
        """What was said of something that is there no more goes; it stays in the list."""
        if self._local is notice:
            self._local = None
            self._paint()

    def set_name_hidden(self, hidden: bool) -> None:
        """Hide or show the customer's name."""
        self._name_hidden = hidden
        self.say("name.hidden" if hidden else "name.shown", "info")

    def waiting_screen(self) -> WaitingScreen:
        """The screen for a service that is not there."""
        return WaitingScreen(self.words, self._waited, lambda: self._lost)

    def _waited(self) -> int:
        return int(self.clock.monotonic() - (self._lost_since if self._lost_since is not None else self._began))

    def go(self, screen: Screen[Any]) -> None:
        """Close what lies on the sale and open this."""
        self.home()
        self.push_screen(screen)

    def lay(self, screen: Screen[Any]) -> None:
        """Open this on top of what is there."""
        self.push_screen(screen)

    def has(self, kind: type[Screen[Any]]) -> bool:
        """Whether a screen of this kind is open, on top or under another."""
        return any(isinstance(screen, kind) for screen in self.screen_stack)

    def home(self) -> None:
        """Back to the sale (or to whatever stands in its place)."""
        while len(self.screen_stack) > 1 and getattr(self.screen, "topic", "") not in ("sale", "closed"):
            self.pop_screen()

    def is_too_early(self, event: events.Key | events.Paste) -> bool:
        """Before the first picture is drawn nobody knows whether a badge or a code is asked for; only leaving is possible (Ctrl+Q)."""
        early = self._listening_since is None or event.time < self._listening_since
        return early and not (isinstance(event, events.Key) and event.key == "ctrl+q")

    def listen(self) -> None:
        """There is a screen with a picture, about to be drawn: from now on keys mean something."""
        if self._listening_since is None and self._picture is not None:
            self._listening_since = Message().time

    @property
    def listening(self) -> bool:
        """Whether there is something on the glass that a key can be meant for."""
        return self._listening_since is not None

    # --- acts --------------------------------------------------------------------------------------------------------------------

    def action_act(self, name: str) -> None:
        """A key of the table."""
        self.act(name)

    async def action_quit(self) -> None:
        """Ctrl+Q: the same as leaving by the menu; a second time, or while there is nothing to show, at once."""
        if self._picture is None or pictured(self.screen) is None or isinstance(self.screen, LeaveDialog):
            self.exit()
        else:
            self.act("quit")

    def _leave(self, shown: Shown) -> None:
        """Leave, unless something is open: then say what becomes of it, and ask."""
        says = left_open(shown, self.panel)
        if says:
            self.push_screen(LeaveDialog(says))
        else:
            self.exit()

    def action_help_quit(self) -> None:
        """Ctrl+C leaves nothing by accident: it says how to leave."""
        self.say("quit.how", "info")

    def act(self, name: str) -> None:
        """Do an act, or say why not."""
        shown, top = self._picture, pictured(self.screen)
        if shown is None or top is None or top.acted(name):
            return
        if name == "help":
            self.push_screen(HelpDialog(top.focus_topic, top.hints(shown)))
        elif refusal := BY_NAME[name].refusal(shown):
            self.say_notice(NoticeView("", "warn", why_not(shown, refusal)))
        elif name == "colours":
            self.theme = themes.after(self.theme)
        elif name == "quit":
            self._leave(shown)
        else:
            sale = self.screen_stack[0]
            assert isinstance(sale, SaleScreen)
            if name != "panel":  # it plays the world, and is nothing that the associate does
                self._accepted(self._local)
            DOINGS[name](self, shown, sale.chosen)
