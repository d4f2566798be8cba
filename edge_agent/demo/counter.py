"""The demo counter: central, service and terminal in one process, simulated devices around them, and F12 to play the customer and the world."""

from __future__ import annotations

import asyncio
import importlib
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from edge_agent import views as v
from edge_agent.bootstrap import Agent, keys_of
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import load_config
from edge_agent.demo.dice import Dice
from edge_agent.demo.operations import Operations
from edge_agent.demo.panel import WorldPanel
from edge_agent.demo.sample import STORES, key_of, sample_feeds
from edge_agent.demo.shops import FLOAT_MINOR, SHOPS, SampleShop
from edge_agent.demo.stock import Feeds, Stock
from edge_agent.demo.telling import tell
from edge_agent.demo.words import Words
from edge_agent.demo.world import World
from edge_agent.domain.errors import ConfigError, EdgeError
from edge_agent.formats import Formats
from edge_agent.hosting import bind, enrol_register, in_process
from edge_agent.logs import set_up_logs
from edge_agent.screen import show
from edge_agent.serving import Listener
from sync.central.serving import EmbeddedCentral
from sync.contract.rows import StoreRow
from sync.enrolment import load as load_enrolment

STEP_SECONDS = 0.9
"""How long the terminal stays at each step: long enough to be read."""
SAMPLE_SECONDS_MAX = 60.0
"""Within this the register has its articles, prices and staff from central, or something is broken."""

ENDS = (signal.SIGTERM, signal.SIGHUP)
"""Asked to end, or the window is closed: the same as Ctrl+C."""


def run_counter(*, seed: int, market: str, language: str, theme: str, glyphs: str, keep: Path | None) -> None:
    """Open the counter on the sample shop of ``market`` until it is left. Nothing stays behind, except in ``keep``, where the next demo goes on.

    Raises EdgeError.
    """
    with _folder(keep) as folder, (folder / "demo.log").open("a", encoding="utf-8") as log:
        set_up_logs(log)
        for number in ENDS:
            signal.signal(number, signal.default_int_handler)
        try:
            with ExitStack() as exits:
                words = Words(language)
                demo = DemoCounter(folder, seed, SHOPS[market], words, stays=keep is not None)
                demo.open(exits)
                asyncio.run(demo.show(language, theme, glyphs))
        except (KeyboardInterrupt, asyncio.CancelledError):
            return
        except EdgeError:
            tell("")
            raise
        finally:
            set_up_logs(sys.stderr)


class _Kept(msgspec.Struct, frozen=True):
    """What a kept folder's demo was begun with."""

    store: str
    seed: int
    at_ms: int


class DemoCounter:
    """Everything between the folder and the screen: ``open`` it, then ``show`` it (or, without a screen, have it ``running``).

    ``stays`` says that the folder is kept: what is in it when the screen is left is there the next time.
    """

    def __init__(self, folder: Path, seed: int, shop: SampleShop, words: Words, *, step_seconds: float = STEP_SECONDS, stays: bool = False) -> None:
        self._step_seconds = step_seconds
        self._stays = stays
        self._folder = folder
        self._seed = seed
        self._shop = shop
        self._words = words
        self._clock = SystemClock()
        self._random = SystemRandom()

    def open(self, exits: ExitStack) -> None:
        """Central with the sample in it, the world, and a register that is enrolled. Raises EdgeError."""
        kept = self._kept()
        self._seed = kept.seed
        feeds = sample_feeds(kept.seed, kept.at_ms)
        self._central = EmbeddedCentral(self._folder / "central", self._clock, self._random)
        url = self._central.start()
        exits.callback(self._central.stop)
        self._seed_central(feeds)
        enrolment = load_enrolment(self._folder / "register")
        port = urlsplit(enrolment.url).port or 0 if enrolment is not None else 0
        where, spoken = _address(url), self._shop.language
        world = World(self._folder, self._clock, where, network_port=port, language=spoken, step_seconds=self._step_seconds, pictures=True)
        try:
            self._world = exits.enter_context(world)
        except OSError as taken:
            raise ConfigError(f"The demo in {self._folder} cannot open its ports: {taken}.", hint="Try again, or give another --keep folder.") from taken
        if enrolment is None:
            code = self._central.central.enrol_code(self._shop.store, self._shop.register).code
            enrol_register(load_config(self._world.config_path), self._world.network.url, code)
        self._stock = Stock(feeds, self._shop.rules, self._clock.now_ms)

    async def show(self, language: str, theme: str, glyphs: str) -> None:
        """The service and the screen, until the screen is left, or the process is asked to end."""
        showing = asyncio.current_task()
        assert showing is not None
        for number in ENDS:
            asyncio.get_running_loop().add_signal_handler(number, showing.cancel)
        async with self.running() as (agent, panel):
            tell("")
            await show(in_process(agent), language=language, theme=theme, glyphs=glyphs, panel=panel)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[tuple[Agent, WorldPanel]]:
        """The service, its shift open, and the panel that plays the world around it. The local API's socket is there for other programs too."""
        config = load_config(self._world.config_path)
        async with AsyncExitStack() as exits:
            agent = await Agent.start(config, keys_of(config, self._random), self._clock, self._random)
            exits.push_async_callback(agent.stop)
            listener = Listener(agent.api, bind(config), stopping=agent.core.let_go)
            await listener.start()
            exits.push_async_callback(listener.stop)
            await asyncio.gather(self._open_shift(agent), asyncio.to_thread(importlib.import_module, "tui.app"))
            operations = Operations("http://{}:{}".format(*self._world.network.upstream), self._central.central.ops_token)
            dice, badges = Dice(self._seed, "panel"), self._shop.colleagues
            amount = Formats(agent.core.shop.market).amount
            leaving = self._words("leaving.kept" if self._stays else "leaving")
            yield (
                agent,
                WorldPanel(self._world, self._stock, operations, self._restart_central, badges, self._random, dice, self._words, amount, leaving),
            )

    async def _open_shift(self, agent: Agent) -> None:
        """Open the shift once the sample has arrived, so that the first scan sells; then say who plays the world."""
        deadline = self._clock.monotonic() + SAMPLE_SECONDS_MAX
        while agent.core.desk.coming and self._clock.monotonic() < deadline:
            await agent.core.wait_beyond(agent.core.view, 1.0)
        async with in_process(agent) as client:
            if (await client.snapshot()).shift is None:
                await client.send(v.OpenShift(self._shop.badge, FLOAT_MINOR))
        agent.core.tell("notice.demo", "info", self._words("banner"), self._words("banner.hint"))

    def _kept(self) -> _Kept:
        """What the folder's demo was begun with: a later one goes on with the same sample. Raises ConfigError for another market's."""
        path = self._folder / "demo.json"
        if not path.exists():
            path.write_bytes(msgspec.json.encode(_Kept(self._shop.store, self._seed, self._clock.now_ms())))
        kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
        if kept.store != self._shop.store:
            raise ConfigError(f"The demo in {self._folder} is store {kept.store}'s.", hint="Give the --market it was begun with, or another --keep folder.")
        return kept

    def _seed_central(self, feeds: Feeds) -> None:
        central = self._central.central
        central.seed_stores([msgspec.convert(row, StoreRow) for row in STORES])
        for feed, rows in feeds.items():
            central.seed(feed, [(key_of(feed, dict(row)), row) for row in rows])

    def _restart_central(self) -> None:
        self._central.stop()
        self._world.network.upstream = _address(self._central.start())


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname, url
    assert parts.port, url
    return parts.hostname, parts.port


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="edge-demo-") as folder:
        yield Path(folder)
