"""The counter's process: attached to the running service, and quick to open, so nothing of the service is imported here."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs
import structlog

from edge_agent.attach import ScreenBroke, open_client, require_terminal
from edge_agent.client import AgentClient, ApiProblem, ServiceUnreachable
from edge_agent.clock import SystemClock
from edge_agent.config import Config
from edge_agent.domain.errors import ConfigError
from edge_agent.domain.market import MARKETS
from edge_agent.lean import SETTLED_SECONDS, settled
from edge_agent.logs import set_up_logs
from sync.enrolment import load as load_enrolment

MARKET_SECONDS_MAX = 1.0
"""So long the counter waits for a service to say which market it is in, before it opens in English."""
FRAMES_PER_SECOND = "120"
"""The library's own 60 let a line that comes right after another change wait 16 ms."""

log = structlog.get_logger(__name__)


def run_till(config: Config, *, language: str, theme: str, glyphs: str) -> None:
    """Open the counter, attached to the running service. ``language`` may be ``auto``. Raises ConfigError, ScreenBroke."""
    require_terminal()
    asyncio.run(_attached(config, language, theme, glyphs))


async def _attached(config: Config, language: str, theme: str, glyphs: str) -> None:
    path = till_log()
    with (path or Path(os.devnull)).open("a", encoding="utf-8") as log:  # a line on standard output or error would lie across the screen
        set_up_logs(log)
        spoken = await spoken_language(config) if language == "auto" else language
        await show(open_client(config), language=spoken, theme=theme, glyphs=glyphs, log_path=path)


def till_log() -> Path | None:
    """Where a counter that is attached to a service logs: a file of its user's own. None where they can have none."""
    path = Path(platformdirs.user_state_dir("edge-agent", appauthor=False)) / "till.log"
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(0o600)
        return path
    return None


async def spoken_language(config: Config) -> str:
    """The locale of this register's market, from its enrolment; who may not read that asks the service. English while nobody knows."""
    country = ""
    with suppress(ConfigError, OSError):
        enrolment = load_enrolment(config.folder)
        country = enrolment.register.country if enrolment is not None else ""
    if not country:
        with suppress(ServiceUnreachable, ApiProblem, TimeoutError):
            async with asyncio.timeout(MARKET_SECONDS_MAX), open_client(config) as client:
                country = (await client.snapshot()).country
    market = MARKETS.get(country)
    return market.locale if market is not None else "en"


async def show(client: AgentClient, *, language: str, theme: str, glyphs: str, panel: Any = None, log_path: Path | None = None) -> None:
    """Draw the counter until the associate leaves it. ``language`` is a locale or a language; ``theme`` and ``glyphs`` as the file's ``[till]``.

    Raises ScreenBroke when a bug ended it; it is in the log (at ``log_path``) then, with its traceback and without the variables' values.
    """
    os.environ.setdefault("TEXTUAL_FPS", FRAMES_PER_SECOND)  # is read when the library is imported
    from tui.app import CounterApp
    from tui.terminal import draw_on_the_terminal

    for size in ("COLUMNS", "LINES"):  # a shell that exports them would be believed more than the window, which can be resized
        os.environ.pop(size, None)

    asyncio.get_running_loop().call_later(SETTLED_SECONDS, settled)
    async with client:
        app = CounterApp(client, language, panel, clock=SystemClock(), theme=theme, glyphs=glyphs)
        draw_on_the_terminal(app)
        try:
            await app.run_async()
        except Exception as error:  # a bug of the loop around the screen
            app.broke = app.broke or error
    if app.broke is not None:
        log.error("the screen ended by a bug", exc_info=app.broke)
        raise ScreenBroke(*app.said_of_the_break(log_path)) from None
