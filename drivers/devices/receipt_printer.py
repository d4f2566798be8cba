"""The receipt printer: ESC/POS by python-escpos over TCP, with its status asked before and after every job."""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future

from msgspec import Struct

from drivers.contract import Hands, Wire
from drivers.devices._escpos_job import DRAWER_PULSES, DrawerPin, PrinterSetup, job_bytes, load_escpos, profile_columns
from drivers.devices._escpos_session import Ended, Session, not_printed, unclear
from drivers.devices._escpos_status import DETAILS, Condition
from drivers.devices._escpos_transport import TcpTransport
from drivers.load import DriverContext
from drivers.settings import REQUIRED, Settings
from edge_agent.clock import Clock
from edge_agent.domain.errors import DeviceBusy, DeviceLost
from edge_agent.domain.receipt import PrintJob, PrintOutcome

PORT = 9_100
"""The raw printing port of network printers."""
COLUMNS_MIN, COLUMNS_MAX = 24, 64
PENDING_JOBS_MAX = 20
"""Jobs that wait for the printer; a further one is answered NotPrinted at once."""
REMEMBERED_JOBS_MAX = 200
"""The newest jobs whose outcome is remembered, so that the same id is not printed twice; older ones are forgotten."""
JOB_BYTES_MAX = 1_000_000
"""The most that one job may send (some hundred metres of text); a longer one is answered NotPrinted."""
IDLE_STATUS_SECONDS = 3.0
"""How often an idle printer is asked how it does."""
IDLE_SLICE_SECONDS = 0.25
"""How often an idle printer's connection is looked at, and a stop noticed."""


def build(config: Mapping[str, object], context: DriverContext) -> ReceiptPrinter:
    """A driver from its configuration. Opens nothing; raises ConfigError.

    ``host``; ``port`` (9100); ``profile``, a python-escpos profile (``default``); ``columns``, characters per line (the profile's);
    ``drawer`` at the printer: ``none``, ``pin2`` or ``pin5``; ``timeout_seconds`` for one answer (3).
    """
    settings = Settings(config, context.where)
    profiles = profile_columns()
    host = settings.text("host", REQUIRED)
    port = settings.whole("port", PORT, 1, 65_535)
    profile = settings.choice("profile", sorted(profiles), "default")
    columns = settings.whole("columns", max(profiles[profile], COLUMNS_MIN), COLUMNS_MIN, COLUMNS_MAX)
    drawer = DrawerPin(settings.choice("drawer", [pin.value for pin in DrawerPin], "none"))
    timeout_seconds = settings.number("timeout_seconds", 3.0, 0.1, 60.0)
    settings.end()
    return ReceiptPrinter(context.name, host, port, PrinterSetup(profile, columns, drawer), timeout_seconds, context.clock)


class _Pending(Struct, frozen=True):
    job: PrintJob
    outcome: Future[PrintOutcome]


class ReceiptPrinter:
    """A ``drivers.contract.Driver`` that also takes print jobs, from any thread.

    The connection is held while the session lasts: many printers accept one only.
    """

    def __init__(self, name: str, host: str, port: int, setup: PrinterSetup, timeout_seconds: float, clock: Clock) -> None:
        self._name = name
        self._setup = setup
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._stop: threading.Event | None = None  # the session's, while it is served
        self._transport = TcpTransport(host, port, timeout_seconds, self._stopping)
        self._session: Session | None = None
        self._lock = threading.Lock()  # holds _serving, _outcomes and the putting into _jobs together
        self._serving = False
        self._jobs: queue.Queue[_Pending] = queue.Queue()
        self._outcomes: OrderedDict[str, Future[PrintOutcome]] = OrderedDict()

    @property
    def name(self) -> str:
        return self._name

    @property
    def kind(self) -> str:
        return "receipt_printer"

    @property
    def columns(self) -> int:
        """Characters per line, for who lays a receipt out as the paper will have it."""
        return self._setup.columns

    @property
    def wire(self) -> Wire:
        """Where it listens: many printers accept one connection only."""
        return Wire("host", self._transport.where)

    def present(self) -> bool:
        """A network printer has no port to look at: only connecting tells."""
        return True

    def submit(self, job: PrintJob) -> Future[PrintOutcome]:
        """Ask for a job; returns at once. The future always ends with an outcome, never an exception, and cannot be cancelled.

        The same id again gets the first one's future, whatever came of it (for the newest REMEMBERED_JOBS_MAX jobs). Without a
        connected printer the outcome is NotPrinted at once: nothing waits for a printer to come back.
        """
        with self._lock:
            if known := self._outcomes.get(job.id):
                return known
            pending = _Pending(job, Future())
            pending.outcome.set_running_or_notify_cancel()
            self._remember(pending)
            refused = self._refusal()
            if refused is None:
                self._jobs.put(pending)
        if refused is not None:
            pending.outcome.set_result(not_printed(refused))
        return pending.outcome

    def open(self) -> None:
        """Connect and ask the status. Raises DeviceAbsent, DeviceDenied, DeviceLost, or DeviceBusy when the printer is silent."""
        load_escpos()
        self._transport.open()
        session = Session(self._transport, self._timeout_seconds, self._clock.monotonic, self._stopping)
        try:
            session.status()
        except DeviceLost as lost:
            self._transport.close()
            if lost.reason != "no_answer":
                raise
            raise DeviceBusy(lost.message, hint=lost.hint, reason="no_answer", where=self._transport.where) from lost
        self._session = session

    def serve(self, hands: Hands) -> None:
        """Print what is submitted until the session ends. Raises DeviceLost."""
        session = self._session
        assert session is not None, "served before it was opened"
        self._stop = hands.stop
        with self._lock:
            self._serving = True
        try:
            self._serve(session, hands)
        except DeviceLost:
            if not hands.stop.is_set():
                raise
        finally:
            self._leave()
            self._stop = None

    def close(self) -> None:
        """Close the connection and answer what still waits; never raises."""
        self._session = None
        self._transport.close()
        self._leave()

    def _serve(self, session: Session, hands: Hands) -> None:
        told = Condition.READY
        ask_at = hands.monotonic()
        while not hands.stop.is_set():
            worked = self._work(session)
            if worked or hands.monotonic() >= ask_at:
                told = _tell(session.status().condition, told, hands)
                ask_at = hands.monotonic() + IDLE_STATUS_SECONDS
            else:
                session.drain()

    def _work(self, session: Session) -> bool:
        """Do the next job if one comes soon; whether one came. Raises DeviceLost, after the job's outcome is set."""
        try:
            pending = self._jobs.get(timeout=IDLE_SLICE_SECONDS)
        except queue.Empty:
            return False
        ended = Ended(unclear("unconfirmed"))  # what a bug below would leave
        try:
            ended = self._send(session, pending.job)
        finally:
            pending.outcome.set_result(ended.outcome)
        if ended.lost is not None:
            raise ended.lost
        return True

    def _send(self, session: Session, job: PrintJob) -> Ended:
        data = job_bytes(job, self._setup)
        if len(data) > JOB_BYTES_MAX:
            return Ended(not_printed("too_long"))
        return session.send(data, DRAWER_PULSES[self._setup.drawer] if job.open_drawer else b"")

    def _stopping(self) -> bool:
        return self._stop is not None and self._stop.is_set()

    def _refusal(self) -> str | None:
        if not self._serving:
            return "absent"
        return "queue_full" if self._jobs.qsize() >= PENDING_JOBS_MAX else None

    def _remember(self, pending: _Pending) -> None:
        self._outcomes[pending.job.id] = pending.outcome
        over = len(self._outcomes) - REMEMBERED_JOBS_MAX
        done = [key for key, outcome in self._outcomes.items() if outcome.done()] if over > 0 else []
        for key in done[: max(over, 0)]:
            del self._outcomes[key]

    def _leave(self) -> None:
        with self._lock:
            self._serving = False
            waiting = [self._jobs.get_nowait() for _ in range(self._jobs.qsize())]
        for pending in waiting:
            pending.outcome.set_result(not_printed("absent"))


def _tell(condition: Condition, told: Condition, hands: Hands) -> Condition:
    """Report a reservation when it changed; returns what is now told."""
    if condition is not told:
        hands.degraded(condition.value, DETAILS[condition])
    return condition
