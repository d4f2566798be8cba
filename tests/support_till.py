"""The terminal under test: the real application on a scripted service, driven by keys, read as text."""

from __future__ import annotations

import asyncio
import io
import itertools
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from textual import events
from textual.pilot import Pilot

from edge_agent.client import AgentClient
from edge_agent.views import AnyCommand, Snapshot
from tests.support_service import ScriptedService
from tests.support_snapshots import ident
from tui.app import CounterApp
from tui.panel import Panel, PanelAction

GOLDEN = Path(__file__).parent / "tui" / "golden"
UPDATE = "EDGE_UPDATE_GOLDEN"
T = TypeVar("T")


async def until(condition: Callable[[], bool], what: str, seconds: float = 15.0) -> None:
    """Wait for a condition on the running loop, with a deadline."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        assert loop.time() < deadline, f"{what} did not come about within {seconds} s"
        await asyncio.sleep(0.005)


class StandingClock:
    """A clock that stands until it is told to go."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


class Till:
    """The application with its service and its keyboard."""

    def __init__(self, app: CounterApp, pilot: Pilot[Any], service: ScriptedService, clock: StandingClock) -> None:
        self.app = app
        self.pilot = pilot
        self.service = service
        self.clock = clock
        self.bells = 0

    async def press(self, *keys: str) -> None:
        """Press these keys, one after another."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type this text."""
        names = {" ": "space", "*": "asterisk", ",": "comma", ".": "full_stop", "-": "minus", "+": "plus", "%": "percent_sign", "@": "at"}
        driver = self.app._driver
        assert driver is not None
        for character in text:
            driver.send_message(events.Key(names.get(character, character), character))
        await self.pilot.pause()

    async def until(self, condition: Callable[[], bool], what: str, seconds: float = 15.0) -> None:
        """Wait for a condition, with a deadline."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not condition():
            assert loop.time() < deadline, f"{what} did not come about within {seconds} s:\n{self.text()}"
            await self.pilot.pause(0.01)

    async def sees(self, *texts: str) -> None:
        """Wait until all of these are on the screen, each on one row or running over several."""
        await self.until(lambda: all(text in self.text() or text in self.running() for text in texts), f"seeing {texts}")

    async def sent(self, kind: type[T], count: int = 1) -> T:
        """Wait until a command of this kind came (for the ``count``-th time), and give it."""
        await self.until(lambda: len(self.of(kind)) >= count, f"{kind.__name__} x {count} of {self.service.commands}")
        return self.of(kind)[count - 1]

    def of(self, kind: type[T]) -> list[T]:
        """The commands of a kind that came so far."""
        return [command for command in self.service.commands if isinstance(command, kind)]

    def publish(self, snapshot: Snapshot | None = None, **changes: object) -> None:
        """News from outside."""
        self.service.publish(snapshot, **changes)

    async def shows(self, snapshot: Snapshot | None = None, **changes: object) -> None:
        """News from outside, and wait until it is what the screen was drawn from."""
        self.publish(snapshot, **changes)
        view = self.service.snapshot.view
        await self.until(lambda: self.app.picture is not None and self.app.picture.snapshot.view >= view, f"view {view}")
        await self.pilot.pause()

    def text(self) -> str:
        """The screen as text, without blanks at the ends of lines."""
        width, height = self.app.size
        console = Console(width=width, height=height, file=io.StringIO(), force_terminal=True, color_system="truecolor", record=True, legacy_windows=False)
        console.print(self.app.screen._compositor.render_update(full=True, screen_stack=self.app._background_screens))
        rows = console.export_text(styles=False).split("\n")[:height]
        return "\n".join(row.rstrip() for row in rows) + "\n"

    def running(self) -> str:
        """The screen's words in one run, without the frames."""
        return " ".join(self.text().translate(dict.fromkeys(map(ord, "│╭╮╰╯─"), " ")).split())

    def last(self) -> AnyCommand:
        """The newest command."""
        return self.service.commands[-1]


class CountingApp(CounterApp):
    """The application with an ear on its bell."""

    bells = 0

    def bell(self) -> None:
        """Heard."""
        self.bells += 1


@asynccontextmanager
async def till(
    snapshot: Snapshot | ScriptedService,
    size: tuple[int, int] = (120, 40),
    locale: str = "en",
    panel: Panel | None = None,
    glyphs: str = "full",
    theme: str = "dark",
) -> AsyncIterator[Till]:
    """The terminal on a service that stands at ``snapshot``."""
    service = snapshot if isinstance(snapshot, ScriptedService) else ScriptedService(snapshot)
    clock, numbers = StandingClock(), itertools.count()
    async with AgentClient(service.transport, new_id=lambda: ident(f"request {next(numbers)}")) as client:
        app = CountingApp(client, locale, panel, clock=clock, glyphs=glyphs, theme=theme)
        async with app.run_test(size=size) as pilot:
            held = Till(app, pilot, service, clock)
            if not service.down:
                await held.until(lambda: app.listening, "the first picture")
                await pilot.pause()
            yield held


class World:
    """A panel with two groups, that remembers what it did."""

    title = "The world"
    leaving = "Leaving ends the world."

    def __init__(self) -> None:
        self.done: list[str] = []

    def actions(self) -> Sequence[PanelAction]:
        return [
            PanelAction("1", "scan a coat", "The customer"), PanelAction("2", "tap a card", "The customer"),
            PanelAction("m", "scan a badge", "The customer"),
            PanelAction("cut", "cut the network" if "cut" not in self.done else "mend the network", "The world"),
        ]  # fmt: skip

    async def perform(self, key: str) -> str:
        self.done.append(key)
        return f"did {key}"


def compare(picture: str, name: str) -> None:
    """The picture is the golden one of that name; with EDGE_UPDATE_GOLDEN=1 it becomes it."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get(UPDATE) == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(picture, encoding="utf-8")
    assert path.exists(), f"{path.name} is missing: run the test with {UPDATE}=1 and look at it"
    assert picture == path.read_text(encoding="utf-8")
