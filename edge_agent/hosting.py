"""Processes: the service under a manager or by hand, a counter with a service of its own, and enrolment and checks, which need the files themselves."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from typing import Any, TypeVar, cast

import httpx
import structlog

from drivers.contract import Driver
from drivers.terminals.contract import TerminalDriver
from edge_agent import __version__
from edge_agent.attach import require_terminal
from edge_agent.bootstrap import Agent, connector_part, connector_settings, keys_of, stopped_api
from edge_agent.client import AgentClient
from edge_agent.clock import Clock, ClockIds, Random, SystemClock, SystemRandom
from edge_agent.config import Config
from edge_agent.counter_devices import Devices
from edge_agent.deploy.notify import Notifier
from edge_agent.domain.code import understand
from edge_agent.domain.code_rules import CodeRules
from edge_agent.domain.errors import ConfigError, EdgeError, JournalLocked, StorageError
from edge_agent.domain.gs1_library import library
from edge_agent.domain.reading import Reading, Source
from edge_agent.lean import SETTLED_SECONDS, settled
from edge_agent.logs import set_up_logs
from edge_agent.other_register import require_same_register
from edge_agent.screen import show
from edge_agent.serving import LOOPBACK, Listener, bind_loopback, bind_unix, group_number, require_socket_path
from edge_agent.shop_here import market_at
from edge_agent.tenders import tender_methods
from edge_agent.trust import require_authority
from sync.contract.messages import Enrolled
from sync.durable_files import write_synced
from sync.enrol import enrol as enrol_device
from sync.enrol import require_url
from sync.enrolment import load as load_enrolment

TOKEN_BYTES = 32
SWITCH_SECONDS = 0.0005
"""So long a thread of the service may compute before another one that waits gets its turn. With the interpreter's own 5 ms a scan waits for what
the sync does beside it, a few times each on its way to the screen: its slowest hundredth took twice as long."""
OPEN_AGAIN_SECONDS = 3.0
"""How often a journal that could not be opened is tried again."""
UNCHECKED = "not known, so that prices in codes were not checked against its currency"
T = TypeVar("T")

log = structlog.get_logger(__name__)


# --- the service -----------------------------------------------------------------------------------------------------------------


def run_service(config: Config) -> None:
    """Run until SIGTERM or SIGINT. Raises EdgeError when it cannot begin."""
    require_folder(config)
    sys.setswitchinterval(SWITCH_SECONDS)
    set_up_logs()
    asyncio.run(_serve(config))


async def _serve(config: Config) -> None:
    clock, random = SystemClock(), SystemRandom()
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(SETTLED_SECONDS, settled)
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
        log.info("local API answers", at=where_of(config))
        asyncio.get_running_loop().run_in_executor(None, _warmed, agent.core.shop.rules)
        await stop.wait()
        notifier.stopping()
        log.info("service stops")
        beat.cancel()
        await listener.stop()
    finally:
        await agent.stop()
        if config.api.port is None and listening is not None:  # else what is at that path is another service's
            config.socket.unlink(missing_ok=True)


def _warmed(rules: CodeRules) -> None:
    """Have everything that understands codes loaded and compiled, so that the first scan does not wait for it."""
    library()
    with suppress(EdgeError):
        understand(Reading(b"is no code", "", 0, Source.KEYED), rules)


async def _opened(config: Config, clock: Clock, random: Random, token: str, stop: asyncio.Event) -> Agent | None:
    """The open register. While its journal cannot be opened, the local API says why, and opening is tried again; None when told to stop first.

    Raises ConfigError, and JournalLocked when another service runs on the journal.
    """
    told: StorageError | None = None
    listener: Listener | None = None
    starts = cache(partial(log.info, "service starts", version=__version__, config=config.source, state=str(config.folder)))  # said once, by who may
    try:
        while not stop.is_set():
            try:
                return await Agent.start(config, keys_of(config, random), clock, random, token, starts)
            except JournalLocked:
                raise
            except StorageError as error:
                starts()
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
    where = f"{config.source} [api]"
    return bind_unix(config.socket, config.api.group, where) if config.api.port is None else bind_loopback(config.api.port, where)


def where_of(config: Config) -> str:
    """Where the local API is, for people."""
    return str(config.socket) if config.api.port is None else f"http://{LOOPBACK}:{config.api.port}"


def write_token(config: Config, token: str) -> None:
    """Keep loopback's token in a file that only this user (and root) can read. Raises ConfigError."""
    path = config.folder / "api.token"
    try:
        write_synced(path, token.encode() + b"\n")
    except OSError as problem:
        raise ConfigError(f"{config.source} [api] port: cannot write {path}: {problem.strerror}.", hint="Check the folder's permissions.") from problem


# --- the counter with a service of its own -----------------------------------------------------------------------------------


def run_standalone(config: Config, *, language: str, theme: str, glyphs: str) -> None:
    """Open the counter with a service in this process. ``language`` may be ``auto``. Raises ConfigError, StorageError, ScreenBroke."""
    require_folder(config)
    require_terminal()
    asyncio.run(_standalone(config, language, theme, glyphs))


async def _standalone(config: Config, language: str, theme: str, glyphs: str) -> None:
    config.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = config.folder / "edge-agent.log"
    with path.open("a") as log:
        set_up_logs(log)
        clock, random = SystemClock(), SystemRandom()
        agent = await Agent.start(config, keys_of(config, random), clock, random)
        try:
            spoken = agent.core.shop.market.locale if language == "auto" else language
            await show(in_process(agent), language=spoken, theme=theme, glyphs=glyphs, log_path=path)
        finally:
            await agent.stop()


def in_process(agent: Agent) -> AgentClient:
    """A client of a service in this process."""
    return AgentClient(httpx.ASGITransport(cast(Any, agent.api)), new_id=ClockIds(SystemClock(), SystemRandom()))


# --- enrolment and files ---------------------------------------------------------------------------------------------------------


def enrol_register(config: Config, url: str, code: str, *, leave_behind: bool = False) -> Enrolled:
    """Make this PC a register, another one only if it has finished as the one it is, or that may be left behind. Raises ConfigError, CentralError."""
    require_folder(config)

    async def ask() -> Enrolled:
        clock, random = SystemClock(), SystemRandom()
        device = os.uname().nodename if hasattr(os, "uname") else ""
        enroller = connector_part(config, "HttpEnroller")(connector_settings(config, require_url(url), "", "", clock))
        keys = keys_of(config, random)
        require = partial(require_same_register, keys, leave_behind=leave_behind)
        return (await enrol_device(url, code, device, keys, enroller, require)).register

    return asyncio.run(ask())


def require_folder(config: Config) -> None:
    """Raise ConfigError when what is at the place of the state folder is no folder."""
    if config.folder.exists() and not config.folder.is_dir():
        raise ConfigError(f"{config.source}: key 'state': expected a folder, got the file {config.folder}.", hint="Name another folder.", key="state")


def installed_state(config: Config) -> str:
    """The state folder that a file names for an installed service. Raises ConfigError when it names none: each user would have one of their own."""
    if not config.state:
        text = f"{config.source}: key 'state': expected the service's folder, such as /var/lib/edge-agent, got nothing."
        raise ConfigError(text, hint="Add it, then run the install again.", key="state")
    return config.state


def check_config(config: Config, found: Sequence[ConfigError] = ()) -> Sequence[str]:
    """Build everything that the configuration names, opening nothing; what it describes, a line each.

    Raises ConfigError for all mistakes together, those ``found`` in the file before among them.
    """
    from drivers.load import load_drivers
    from drivers.terminals.load import load_terminals

    mistakes = list(found)

    def tried(build: Callable[[], T], otherwise: T) -> T:
        try:
            return build()
        except ConfigError as error:
            mistakes.append(error)
            return otherwise

    clock, random = SystemClock(), SystemRandom()
    tried(lambda: require_folder(config), None)
    tried(lambda: connector_part(config, "connect"), None)
    tried(lambda: require_authority(config), None)
    if config.api.port is None:
        tried(lambda: group_number(config.api.group, f"{config.source} [api]"), -1)
        tried(lambda: require_socket_path(config.socket, f"{config.source} [api]"), None)
    drivers: Sequence[Driver] = tried(lambda: load_drivers(config.devices, clock, random, config.source), ())
    terminals: Sequence[TerminalDriver] = tried(lambda: load_terminals(config.terminals, clock, random, config.source), ())
    tenders: Sequence[str] = tried(lambda: _tenders(config, terminals), ())
    store, currency = tried(lambda: _store(config), ("", ""))
    tried(lambda: config.code_rules(currency), None)
    if mistakes:
        raise ConfigError.together(mistakes)
    return [
        f"state      {config.folder}",
        f"store      {store}",
        f"local API  {where_of(config)}",
        *(f"device     {driver.name}: {driver.kind}" for driver in drivers),
        *(f"terminal   {terminal.name}: {terminal.kind}" for terminal in terminals),
        f"tenders    {', '.join(tenders)}",
    ]


def _store(config: Config) -> tuple[str, str]:
    """The store that this register was enrolled in, as far as that is known here, and its currency, which prices in codes must fit. Raises ConfigError."""
    try:
        enrolment = load_enrolment(config.folder)
    except OSError as problem:
        return f"{UNCHECKED}: what enrolling wrote cannot be read here ({problem.strerror})", ""
    if enrolment is None:
        return f"{UNCHECKED}: not enrolled yet", ""
    market = market_at(enrolment.register)
    return f"{enrolment.register.store}, {market.country}, {market.currency}", market.currency


def _tenders(config: Config, terminals: Sequence[TerminalDriver]) -> Sequence[str]:
    """The ways of paying that the configuration names. Raises ConfigError."""

    async def methods() -> list[str]:
        devices = Devices(asyncio.get_running_loop(), lambda: None, lambda: None)
        return [method.kind.value for method in tender_methods(config, {terminal.name: terminal for terminal in terminals}, devices)]

    return asyncio.run(methods())
