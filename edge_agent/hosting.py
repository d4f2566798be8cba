"""Processes: the service under a manager or by hand, the counter attached or standalone, and the commands that need the files themselves."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

import httpx
import structlog

from edge_agent.attach import open_client
from edge_agent.bootstrap import Agent, connector_part, connector_settings, keys_of, stopped_api, tender_methods
from edge_agent.client import AgentClient, ApiProblem, ServiceUnreachable
from edge_agent.clock import Clock, ClockIds, Random, SystemClock, SystemRandom
from edge_agent.config import Config
from edge_agent.counter_devices import Devices
from edge_agent.deploy.notify import Notifier
from edge_agent.domain.errors import ConfigError, JournalLocked, StorageError
from edge_agent.domain.market import MARKETS
from edge_agent.service.codec import shown_body
from edge_agent.serving import Listener, bind_loopback, bind_unix
from edge_agent.views import EventView, VerificationView
from sync.contract.messages import Enrolled
from sync.durable_files import write_synced
from sync.enrol import enrol as enrol_device
from sync.enrol import load as load_enrolment
from sync.enrol import require_url
from sync.journal_read import JournalReader

TOKEN_BYTES = 32
OPEN_AGAIN_SECONDS = 3.0
"""How often a journal that could not be opened is tried again."""
MARKET_SECONDS_MAX = 1.0
"""So long the counter waits for a service to say which market it is in, before it opens in English."""
Opened = Callable[[Config], AgentClient]

log = structlog.get_logger(__name__)


def set_up_logs(stream: TextIO | None = None) -> None:
    """Structured lines, one JSON object each, on ``stream`` (standard error unless told). Third parties speak up from WARNING on."""
    logging.basicConfig(stream=stream or sys.stderr, level=logging.WARNING, format="%(message)s", force=True)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


# --- the service -----------------------------------------------------------------------------------------------------------------


def run_service(config: Config) -> None:
    """Run until SIGTERM or SIGINT. Raises EdgeError when it cannot begin."""
    set_up_logs()
    asyncio.run(_serve(config))


async def _serve(config: Config) -> None:
    clock, random = SystemClock(), SystemRandom()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    notifier = Notifier.of(os.environ)
    token = random.token_bytes(TOKEN_BYTES).hex() if config.api.port is not None else ""
    agent = await _opened(config, clock, random, token, stop)
    if agent is None:
        return
    listening: Any = None
    try:
        listening = bind(config)
        if token:
            write_token(config, token)  # only now that the journal and the port are ours: another service's clients keep theirs
        listener = Listener(agent.api, listening, stopping=agent.core.let_go)
        await listener.start()
        beat = asyncio.get_running_loop().create_task(notifier.keep_alive(), name="watchdog")
        notifier.ready("open")
        await stop.wait()
        notifier.stopping()
        beat.cancel()
        await listener.stop()
    finally:
        await agent.stop()
        if config.api.port is None and listening is not None:  # else what is at that path is another service's
            config.socket.unlink(missing_ok=True)


async def _opened(config: Config, clock: Clock, random: Random, token: str, stop: asyncio.Event) -> Agent | None:
    """The open register. While its journal cannot be opened, the local API says why, and opening is tried again; None when told to stop first.

    Raises ConfigError, and JournalLocked when another service runs on the journal.
    """
    told: StorageError | None = None
    listener: Listener | None = None
    try:
        while not stop.is_set():
            try:
                return await Agent.start(config, keys_of(config, random), clock, random, token)
            except JournalLocked:
                raise
            except StorageError as error:
                if told is None or told.key != error.key:
                    log.error("the journal cannot be opened", reason=error.key, detail=error.message, hint=error.hint)
                    if listener is not None:
                        await listener.stop()
                    listener, told = Listener(stopped_api(config, error, clock, random), bind(config)), error
                    await listener.start()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), OPEN_AGAIN_SECONDS)
        return None
    finally:
        if listener is not None:
            await listener.stop()


def bind(config: Config) -> Any:
    """The socket that the configuration names."""
    return bind_unix(config.socket, config.api.group) if config.api.port is None else bind_loopback(config.api.port)


def write_token(config: Config, token: str) -> None:
    """Keep loopback's token in a file that only this user (and root) can read. Raises ConfigError."""
    path = config.folder / "api.token"
    try:
        write_synced(path, token.encode() + b"\n")
    except OSError as problem:
        raise ConfigError(f"[api] port: cannot write {path}: {problem.strerror}.", hint="Check the folder's permissions.") from problem


# --- the counter -----------------------------------------------------------------------------------------------------------------


def run_till(config: Config, *, standalone: bool, language: str, theme: str, glyphs: str) -> None:
    """Open the counter: attached to the running service, or with one in this process. ``language`` may be ``auto``."""
    asyncio.run((_standalone if standalone else _attached)(config, language, theme, glyphs))


async def _attached(config: Config, language: str, theme: str, glyphs: str) -> None:
    spoken = await spoken_language(config) if language == "auto" else language
    await show(open_client(config), language=spoken, theme=theme, glyphs=glyphs)


async def _standalone(config: Config, language: str, theme: str, glyphs: str) -> None:
    config.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (config.folder / "edge-agent.log").open("a") as log:
        set_up_logs(log)
        clock, random = SystemClock(), SystemRandom()
        agent = await Agent.start(config, keys_of(config, random), clock, random)
        try:
            spoken = agent.core.shop.market.locale if language == "auto" else language
            await show(in_process(agent), language=spoken, theme=theme, glyphs=glyphs)
        finally:
            await agent.stop()


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


def in_process(agent: Agent) -> AgentClient:
    """A client of a service in this process."""
    return AgentClient(httpx.ASGITransport(cast(Any, agent.api)), new_id=ClockIds(SystemClock(), SystemRandom()))


async def show(client: AgentClient, *, language: str, theme: str, glyphs: str, panel: Any = None) -> None:
    """Draw the counter until the associate leaves it. ``language`` is a locale or a language; ``theme`` and ``glyphs`` as the file's ``[till]``."""
    from tui.app import CounterApp

    async with client:
        await CounterApp(client, language, panel, clock=SystemClock(), theme=theme, glyphs=glyphs).run_async()


# --- enrolment and files ---------------------------------------------------------------------------------------------------------


def enrol_register(config: Config, url: str, code: str) -> Enrolled:
    """Make this PC a register. Raises ConfigError, CentralError."""

    async def ask() -> Enrolled:
        clock, random = SystemClock(), SystemRandom()
        device = os.uname().nodename if hasattr(os, "uname") else ""
        enroller = connector_part(config, "HttpEnroller")(connector_settings(config, require_url(url), "", "", clock))
        return (await enrol_device(url, code, device, keys_of(config, random), enroller)).register

    return asyncio.run(ask())


def check_config(config: Config) -> Sequence[str]:
    """Build everything that the configuration names, opening nothing; what it describes, a line each. Raises ConfigError."""
    from drivers.load import load_drivers
    from drivers.terminals.load import load_terminals

    clock, random = SystemClock(), SystemRandom()
    drivers = load_drivers(config.devices, clock, random, config.source)
    terminals = load_terminals(config.terminals, clock, random, config.source)
    config.code_rules()

    async def methods() -> list[str]:
        devices = Devices(asyncio.get_running_loop(), lambda: None, lambda: None)
        return [method.kind.value for method in tender_methods(config, {terminal.name: terminal for terminal in terminals}, devices)]

    return [
        f"state      {config.folder}",
        *(f"device     {driver.name}: {driver.kind}" for driver in drivers),
        *(f"terminal   {terminal.name}: {terminal.kind}" for terminal in terminals),
        f"tenders    {', '.join(asyncio.run(methods()))}",
    ]


@contextmanager
def _own_journal(config: Config) -> Iterator[JournalReader]:
    """The journal's file, when no service answers for it. Raises ConfigError without its key, StorageError."""
    reader = JournalReader.open(config.folder, keys_of(config, SystemRandom()).journal_key())
    try:
        yield reader
    finally:
        reader.close()


async def _either(config: Config, opened: Opened, asked: Callable[[AgentClient], Awaitable[Any]], own: Callable[[JournalReader], Any]) -> Any:
    """Ask the running service; only when none answers, open the files."""
    try:
        async with opened(config) as client:
            return await asked(client)
    except ServiceUnreachable:
        if not (config.folder / "journal.db").exists():
            raise
        with _own_journal(config) as journal:
            return own(journal)


def journal_verification(config: Config, opened: Opened) -> VerificationView:
    """Check the whole journal."""

    def own(journal: JournalReader) -> VerificationView:
        found = journal.verify()
        return VerificationView(found.events, found.facts, list(found.problems))

    result: VerificationView = asyncio.run(_either(config, opened, lambda client: client.verification(), own))
    return result


def journal_tail(config: Config, opened: Opened, count: int) -> list[EventView]:
    """The newest events."""

    def own(journal: JournalReader) -> list[EventView]:
        return [EventView(stored.position, stored.at_ms, stored.row.type, shown_body(stored.row)) for stored in journal.tail(count)]

    result: list[EventView] = asyncio.run(_either(config, opened, lambda client: client.journal_tail(count), own))
    return result


def journal_export(config: Config, opened: Opened, write: Callable[[bytes], object]) -> None:
    """All facts and events as NDJSON."""

    async def asked(client: AgentClient) -> None:
        async for piece in client.journal_export():
            write(piece)

    def own(journal: JournalReader) -> None:
        for line in journal.export():
            write(line)

    asyncio.run(_either(config, opened, asked, own))
