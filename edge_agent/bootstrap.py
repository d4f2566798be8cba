"""The composition root: the one place that knows every part, and hands each what it needs.

A register's life: open the journal (or refuse), open the local copy, build the use cases over them, start the devices, take up unsettled payments,
answer the API, then sync. It ends in the reverse order.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from litestar import Litestar

import sync.connectors
from drivers.devices.receipt_printer import ReceiptPrinter
from drivers.load import load_drivers
from drivers.supervisor import Supervisor
from drivers.terminals.load import load_terminals
from drivers.terminals.watch import TerminalWatch
from edge_agent import __version__, plugins
from edge_agent.api.app import Surroundings, build_api
from edge_agent.api.present import Presenter
from edge_agent.api.stopped import build_stopped_api
from edge_agent.clock import Clock, ClockIds, Random
from edge_agent.config import Config
from edge_agent.copies import Copies
from edge_agent.counter_devices import Devices
from edge_agent.disk_room import DiskRoom
from edge_agent.domain.errors import ConfigError, StorageError
from edge_agent.domain.labels import labels
from edge_agent.domain.receipt import PrintJob, PrintOutcome
from edge_agent.domain.sale_receipt import Letterhead
from edge_agent.formats import Formats
from edge_agent.link_log import FeedLog, LinkLog
from edge_agent.lost_payments import lost_payments
from edge_agent.opening import open_journal, take_up
from edge_agent.ports import Link, LinkReport
from edge_agent.service.codec import shown_body
from edge_agent.service.core import Core, Ports, Shop
from edge_agent.service.till import Till
from edge_agent.shop_here import shop_of
from edge_agent.tenders import tender_methods
from edge_agent.trust import trust
from edge_agent.views import EventView, ForgottenView, JournalView, ResentView, VerificationView
from sync.connectors.contract import Connector
from sync.connectors.contract import Settings as ConnectorSettings
from sync.decoding import know_every_type
from sync.durable_files import own_folder
from sync.enrolment import Enrolment
from sync.enrolment import load as load_enrolment
from sync.erasures import Erasures, noted_in
from sync.journal import Journal
from sync.keys import Keys
from sync.pull import FeedReport, Pull
from sync.push import Push
from sync.replica import Replica

DUTY_PAUSE_SECONDS = 2.0
JOURNAL_WATCH_SECONDS = 1.0
"""How soon it is said that the journal refused something that nobody at the counter waits for."""

log = structlog.get_logger(__name__)


class PrinterPort:
    """The service's printer port on the printer's driver, which works in its own thread."""

    def __init__(self, driver: ReceiptPrinter) -> None:
        self._driver = driver

    async def print(self, job: PrintJob) -> PrintOutcome:
        """Hand the job over and wait for its outcome without holding the loop."""
        return await asyncio.wrap_future(self._driver.submit(job))


class BeepPort:
    """The service's sounds on the supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def beep(self, device: str, good: bool) -> None:
        """Ask the scanner for the sound; most do nothing with it."""
        self._supervisor.beep(device, good)


class Agent:
    """One register, whole. Make it with ``Agent.start``; ``stop`` it in the same loop."""

    def __init__(self, config: Config, enrolment: Enrolment, journal: Journal, key: bytes, clock: Clock, random: Random, token: str) -> None:
        self._clock = clock
        self._random = random
        self._tasks: list[asyncio.Task[None]] = []
        self._feed_log = FeedLog()
        self._link_log = LinkLog()
        self.journal = journal
        self._lost, self._stranded = lost_payments(config.folder, key), list[str]()
        shop = shop_of(config, enrolment.register)
        deleted = noted_in(journal, asyncio.get_running_loop())
        self.replica = Replica(config.folder / "replica", key, clock, shop.market.currency, shop.market.country, deleted)
        self._build(config, enrolment, shop, ClockIds(clock, random), token)

    def _build(self, config: Config, enrolment: Enrolment, shop: Shop, new_id: ClockIds, token: str) -> None:
        loop = asyncio.get_running_loop()
        self.devices = Devices(loop, self._device_changed, self._reading_refused, self._frames_dropped)
        self._drivers = load_drivers(config.devices, self._clock, self._random, config.source)
        self._supervisor = Supervisor(self._drivers, self._clock, self._random, self.devices.reading, self.devices.report)
        terminals = load_terminals(config.terminals, self._clock, self._random, config.source)
        self._watches = [TerminalWatch(terminal, self._clock, self.devices.report) for terminal in terminals]
        self.devices.expect([*(driver.name for driver in self._drivers), *(terminal.name for terminal in terminals)])
        self._connector = connector_of(config, enrolment, self._clock)
        self.push = Push(self.journal, self._connector, self._clock, self._random, self._link_changed, in_use=lambda: self.core.in_use())
        downloads = own_folder(config.folder / "downloads", "what is being fetched from central")
        self.pull = Pull(self._connector, self.replica, self.replica.feeds, downloads, self._clock, self._random, self._feed_told, self._published)
        printer = next((driver for driver in self._drivers if isinstance(driver, ReceiptPrinter)), None)
        ports = Ports(
            journal=self.journal,
            catalogue=self.replica.catalogue,
            people=self.replica.people,
            clock=self._clock,
            new_id=new_id,
            methods=tender_methods(config, {terminal.name: terminal for terminal in terminals}, self.devices),
            central=self._connector,
            printer=PrinterPort(printer) if printer else None,
            beeps=BeepPort(self._supervisor),
            wake_push=self.push.wake,
        )
        self.core = Core(shop, ports, self.journal.boot)
        self.core.load()
        self._erasures = Erasures(self.journal, self.replica.people.knows, self.core.forget)
        self._room = DiskRoom(config.folder, config.disk_warn_mb)
        self._copies = Copies(self.replica.feeds, self.replica.holds, self.core.desk.coming, self._clock, self.core.changed)
        if self.journal.stopped is not None:
            self.core.stop_selling(self.journal.stopped)
        formats = Formats(shop.market)
        header = tuple(config.receipts.header) or (shop.store_name,)
        self.till = Till(self.core, Letterhead(header, labels(shop.market.locale), formats.decimal, formats.amount, formats.moment))
        self.presenter = Presenter(self.core, formats, self.devices.views, self.till.standing)
        self.api: Litestar = build_api(self.till, self.presenter, self._surroundings(config.folder, token))
        self._enrolment = enrolment

    def _surroundings(self, folder: Path, token: str) -> Surroundings:
        return Surroundings(
            version=__version__,
            started_ms=self._clock.now_ms(),
            devices=self.devices.views,
            journal=lambda: self._journal_view(folder),
            feeds_waiting=self._feed_log.waiting,
            left_out=self._feed_log.left_out,
            attention=lambda: [*self._stranded, *(text for lost in self._lost if lost.aside.exists() for text in lost.told)],
            verify=self._verify,
            tail=self._tail,
            export=self._export,
            forget=self._forget,
            resend=self._resend,
            token=token,
        )

    @classmethod
    async def start(cls, config: Config, keys: Keys, clock: Clock, random: Random, token: str = "", begins: Callable[[], object] = lambda: None) -> Agent:
        """Open everything and begin to sell; ``begins`` is called once the journal is ours.

        Raises ConfigError (not enrolled, wrong configuration), StorageError, JournalLocked.
        """
        enrolment = _enrolment(config)
        shop_of(config, enrolment.register)
        journal, key = await open_journal(config.folder, enrolment.identity, keys, clock, random)
        begins()
        try:
            agent = cls(config, enrolment, journal, key, clock, random, token)
        except BaseException:
            await journal.close()
            raise
        try:
            await agent._begin()
        except BaseException:
            await agent.stop()
            raise
        return agent

    async def _begin(self) -> None:
        know_every_type()
        self._stranded = await take_up(self.journal, self._enrolment)
        self._supervisor.start()
        duties: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("readings", partial(self.devices.serve, self.till.scanned)),
            ("push", self.push.run),
            ("pull", self.pull.run),
            ("erasures", self._erasures.run),
            ("journal", self._watch_journal),
            ("carts", self.till.holding.run),
            *((f"watch-{watch.report.name}", watch.run) for watch in self._watches),
        ]
        self._tasks = [asyncio.get_running_loop().create_task(_kept_up(name, work), name=name) for name, work in duties]
        await self.till.start(__version__, clean_stop=self.journal.clean_start)
        log.info("register open", store=self.core.shop.store, register=self.core.shop.register, boot=self.core.boot)

    async def stop(self) -> None:
        """End in the reverse order; what was under way goes on after the next start."""
        await asyncio.to_thread(self._supervisor.stop)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.till.close()
        await self._connector.aclose()
        await asyncio.to_thread(self.replica.close)  # waits for a copy that is just coming in, which may need the loop to end
        await self.journal.close()

    async def _watch_journal(self) -> None:
        """What fails beside selling (an acknowledgement, a file that was removed) stops selling as well: it is said before somebody scans in vain."""
        while True:
            await asyncio.sleep(JOURNAL_WATCH_SECONDS)
            await self.journal.look_after()
            self._look_at_room()
            why = self.journal.stopped
            if why is not None and self.core.desk.stopped is None:
                self.core.stop_selling(why)

    def _look_at_room(self) -> None:
        """A disk that runs full is told of before it stops the selling; once it has, that is what is said."""
        if not self._room.look() or self.core.desk.stopped is not None:
            return
        if self._room.short:
            hint = "Tell IT now: on a full disk nothing can be sold."
            self.core.tell("notice.disk_low", "warn", f"The disk is nearly full: {self._room.left_mb} MB are left.", hint, free=str(self._room.left_mb))
        else:
            self.core.tell("notice.disk_room", "good", "There is room on the disk again.")

    # --- news from below -----------------------------------------------------------------------------------------------------

    def _device_changed(self) -> None:
        self.core.changed()

    def _reading_refused(self) -> None:
        self.core.tell("notice.too_many_readings", "bad", "A device sends faster than anybody scans.", "Unplug it and plug it in again.")

    def _frames_dropped(self, device: str, reason: str) -> None:
        self.till.counter.unreadable(device, reason)

    def _link_changed(self, report: LinkReport) -> None:
        before, self.core.desk.link = self.core.desk.link, report
        if self._link_log.told(report):
            self.core.tell("notice.fact_withheld", "bad", "Central refused a record of this register for good.", "Tell IT: `edge-agent status`.")
        if before is not None and before.link is Link.OFFLINE and report.link in (Link.SENDING, Link.IN_STEP):
            self.pull.retry_now()
            self.till.clienteling.in_touch()
        self.core.changed()

    def _feed_told(self, report: FeedReport) -> None:
        """Log how a feed stands. What one direction finds out, the other looks into."""
        self._copies.told(report.feed, report.rows, report.rows_total)
        before = self._feed_log.waiting()
        self._feed_log.told(report.feed, report.phase, report.problem, report.refused, report.refusal, reason=report.reason)
        after = self._feed_log.waiting()
        if report.phase != "waiting":
            self.push.heard()
        if after and not before:
            self.push.doubt()
        elif len(after) < len(before):
            self.push.retry_now()
            self.till.clienteling.heard()

    def _published(self, feed: str) -> None:
        self.push.look_again()
        if feed in ("customers", "carts"):
            self.till.clienteling.heard()
            self._erasures.wake()
        self.core.changed()

    # --- what the API tells of the files -------------------------------------------------------------------------------------

    def _journal_view(self, folder: Path) -> JournalView:
        path = folder / "journal.db"
        stopped = self.journal.stopped or self.core.desk.stopped
        size = sum(part.stat().st_size for part in (path, path.with_name("journal.db-wal")) if part.exists())
        try:
            events = self.journal.position()
        except StorageError as unreadable:
            return JournalView(str(path), size, 0, "stopped", unreadable.message)
        room = self._room
        return JournalView(str(path), size, events, "stopped" if stopped else "good", stopped.message if stopped else "", room.left_mb, room.short)

    def _verify(self) -> VerificationView:
        found = self.journal.verify()
        return VerificationView(found.events, found.facts, list(found.problems))

    def _tail(self, count: int) -> Sequence[EventView]:
        return [EventView(stored.position, stored.at_ms, stored.row.type, shown_body(stored.row)) for stored in self.journal.tail(count)]

    async def _forget(self, customer: str) -> ForgottenView:
        known = await self.core.forget([customer])
        return ForgottenView(customer, known, await asyncio.to_thread(self.replica.people.customer, customer) is not None)

    async def _resend(self) -> ResentView:
        again, left = await self.journal.resend()
        if again:
            log.info("withheld facts are sent again", facts=again)
            self.push.retry_now()
        return ResentView(again, left)

    def _export(self) -> Iterator[bytes]:
        return self.journal.export()


async def _kept_up(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do ``work`` until cancelled; a bug that ends it is told and it is begun again, so that one duty's bug ends no other's."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("a duty of the service ended and begins again", duty=name)
        await asyncio.sleep(DUTY_PAUSE_SECONDS)


def connector_settings(config: Config, url: str, token: str, register: str, clock: Clock) -> ConnectorSettings:
    """How the configured platform is reached. Raises ConfigError."""
    return ConnectorSettings(url, token, register, clock, trust(config, url))


def connector_part(config: Config, offers: str) -> Any:
    """The function ``offers`` (``connect``, ``enroller``) of the configured connector. Raises ConfigError."""
    found = plugins.find(sync.connectors, plugins.CONNECTORS, config.connector, offers)
    if found is None:
        names = ", ".join(name for name in plugins.known(sync.connectors, plugins.CONNECTORS) if name != "contract")
        text = f"{config.source}: key 'connector': expected one of {names}, got {config.connector!r}."
        raise ConfigError(text, hint="The contract itself is http.", reason="connector")
    return found


def connector_of(config: Config, enrolment: Enrolment, clock: Clock) -> Connector:
    """The connection to the platform that this register is enrolled with. Opens nothing. Raises ConfigError."""
    who = enrolment.register
    connector: Connector = connector_part(config, "connect")(connector_settings(config, enrolment.url, who.token, who.register, clock))
    return connector


def stopped_api(config: Config, error: StorageError, clock: Clock, random: Random) -> Litestar:
    """What the local API is while the journal cannot be opened. Raises ConfigError when the register is not enrolled."""
    return build_stopped_api(error, shop_of(config, _enrolment(config).register), ClockIds(clock, random)(), clock)


def _enrolment(config: Config) -> Enrolment:
    enrolment = load_enrolment(config.folder)
    if enrolment is None:
        hint = "Run `edge-agent enrol URL CODE` with a code from central."
        raise ConfigError(f"{config.folder}: this register is not enrolled yet.", hint=hint, reason="not_enrolled")
    return enrolment


def keys_of(config: Config, random: Random) -> Keys:
    """Where this register's secrets are."""
    return Keys.here(config.folder, random, os.environ)
