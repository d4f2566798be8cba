"""One connection to an ESC/POS printer: asks its status, sends a job's bytes, and says truthfully what became of them."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from drivers.devices._escpos_status import MARK_REQUEST, STATUS_REQUESTS, AnswerReader, Condition, PrinterStatus
from drivers.devices._escpos_transport import TcpTransport
from edge_agent.domain.errors import DeviceLost
from edge_agent.domain.receipt import NotPrinted, Printed, PrintOutcome, Unclear

MARK_PROBE_SECONDS = 1.0
"""How long an idle printer has to answer its first mark; one that does not is asked by real-time status alone."""
STATUS_EVERY_SECONDS = 0.5
"""How often a printer at work is asked how it does."""
READ_SLICE_SECONDS = 0.1
"""The longest single read, so that a stop is seen in time."""
DRAIN_READS_MAX = 64
"""A device that talks without end is not a printer; what it says beyond this many reads is left for the next look."""
WORK_TIMEOUTS = 6
"""A job that was sent has this many of the device's time-outs to be worked off while the printer answers that it is well."""

KEPT = "the receipt is kept and can be reprinted"
LOOK = "Look at the paper before you reprint it as a copy."

NOT_PRINTED_HINTS = {
    "absent": f"Switch the printer on and check its cable; {KEPT}.",
    "no_answer": f"Switch the printer off and on; {KEPT}.",
    "cover_open": f"Close the printer's cover; {KEPT}.",
    "paper_out": f"Paper is out. Put in a new roll; {KEPT}.",
    "error": f"Open and close the printer's cover, clear a paper jam, or switch it off and on; {KEPT}.",
    "offline": f"Press the printer's feed button or switch it off and on; {KEPT}.",
    "queue_full": f"Wait until the printer has worked off its receipts; {KEPT}.",
    "too_long": f"Print fewer lines on one receipt; {KEPT}.",
    "stopped": f"Wait until the service runs again; {KEPT}.",
}
UNCLEAR_HINTS = {
    "connection_lost": f"The printer went away while it was printing. {LOOK}",
    "no_answer": f"The printer stopped answering while it was printing: switch it off and on. {LOOK}",
    "unconfirmed": f"The printer did not say that it was done. {LOOK}",
    "cover_open": f"The cover was opened while it was printing: close it, the printer may go on by itself. {LOOK}",
    "paper_out": f"The paper ran out while it was printing: put in a new roll, the printer may go on by itself. {LOOK}",
    "error": f"The printer met an error while it was printing: clear a paper jam, or switch it off and on. {LOOK}",
    "offline": f"The printer went off-line while it was printing. {LOOK}",
    "stopped": f"The service was stopped while it was printing. {LOOK}",
}


def not_printed(reason: str) -> NotPrinted:
    """The outcome for ``reason``, one of NOT_PRINTED_HINTS' keys."""
    return NotPrinted(reason, NOT_PRINTED_HINTS[reason])


def unclear(reason: str) -> Unclear:
    """The outcome for ``reason``, one of UNCLEAR_HINTS' keys."""
    return Unclear(reason, UNCLEAR_HINTS[reason])


class Ended(Struct, frozen=True):
    """How a job ended: its outcome, and why the connection is of no more use, if it is not."""

    outcome: PrintOutcome
    lost: DeviceLost | None = None


class Session:
    """Speaks over an open ``transport``. ``monotonic`` gives seconds; ``timeout_seconds`` is the longest wait for one answer.

    Used by one thread. When ``stopping`` says so, a wait ends with DeviceLost and a job with what is then known of it.
    """

    def __init__(self, transport: TcpTransport, timeout_seconds: float, monotonic: Callable[[], float], stopping: Callable[[], bool]) -> None:
        self._transport = transport
        self._timeout_seconds = timeout_seconds
        self._monotonic = monotonic
        self._stopping = stopping
        self._answers = AnswerReader()
        self._marks_asked = 0
        self._confirms: bool | None = None  # whether the printer answers marks; None until it was asked

    def status(self) -> PrinterStatus:
        """Ask the four status bytes. Raises DeviceLost when one is not answered in time or the connection is gone."""
        self.drain()
        return PrinterStatus.parse(*(self._ask(request) for request in STATUS_REQUESTS))

    def drain(self) -> None:
        """Read what came unasked. Raises DeviceLost when the other end closed the connection."""
        for _ in range(DRAIN_READS_MAX):
            data = self._transport.read(0.0)
            if not data:
                return
            self._answers.feed(data)

    def send(self, data: bytes, drawer_pulse: bytes) -> Ended:
        """Send one job. Not a byte of ``data`` leaves before the printer said that it can print; ``drawer_pulse`` opens the drawer if it cannot."""
        try:
            before = self.status()
            if not before.prints:
                self._transport.write(drawer_pulse)
                return Ended(not_printed(before.condition.value))
            confirms = self._learn_confirms()
        except DeviceLost as lost:
            reason = "absent" if lost.reason == "connection_lost" else lost.reason
            return Ended(not_printed("stopped" if self._stopping() else reason), lost)
        if self._stopping():
            return Ended(not_printed("stopped"))
        sent = self._transport.accepted
        try:
            self._transport.write(data + MARK_REQUEST if confirms else data)
        except DeviceLost as lost:
            begun = self._transport.accepted > sent
            return Ended(self._unclear_for(lost) if begun else not_printed("absent"), lost)
        self._marks_asked += confirms
        try:
            return Ended(self._confirmed() if confirms else self._asked_after())
        except DeviceLost as lost:
            return Ended(self._unclear_for(lost), lost)

    def _unclear_for(self, lost: DeviceLost) -> Unclear:
        return unclear("stopped" if self._stopping() else lost.reason)

    def _confirmed(self) -> PrintOutcome:
        """Wait until the printer has worked off the job: it answers the mark behind it."""
        end = self._monotonic() + WORK_TIMEOUTS * self._timeout_seconds
        condition = Condition.READY
        while (now := self._monotonic()) < end:
            if self._mark_came(min(now + STATUS_EVERY_SECONDS, end)):
                return Printed()
            if self._stopping():
                return unclear("stopped")
            condition = self.status().condition
            if condition in (Condition.PAPER_OUT, Condition.COVER_OPEN, Condition.ERROR):
                self.drain()
                return Printed() if self._all_marks_came() else unclear(condition.value)
        return unclear("offline" if condition is Condition.OFFLINE else "unconfirmed")

    def _asked_after(self) -> PrintOutcome:
        """The best that a printer without marks can say: it still answers, and nothing hinders it."""
        after = self.status()
        return Printed() if after.prints else unclear(after.condition.value)

    def _learn_confirms(self) -> bool:
        if not self._confirms and self._answers.marks > self._marks_asked:  # it answered later than asked: it was busy then
            self._confirms, self._marks_asked = True, self._answers.marks
        if self._confirms is None:
            self._transport.write(MARK_REQUEST)
            self._marks_asked += 1
            self._confirms = self._mark_came(self._monotonic() + min(MARK_PROBE_SECONDS, self._timeout_seconds))
            if not self._confirms:
                self._marks_asked = self._answers.marks
        return self._confirms

    def _mark_came(self, until: float) -> bool:
        while not self._all_marks_came():
            left = until - self._monotonic()
            if left <= 0 or self._stopping():
                return False
            self._answers.feed(self._transport.read(min(left, READ_SLICE_SECONDS)))
        return True

    def _all_marks_came(self) -> bool:
        return self._answers.marks >= self._marks_asked

    def _ask(self, request: bytes) -> int:
        self._transport.write(request)
        end = self._monotonic() + self._timeout_seconds
        while (left := end - self._monotonic()) > 0 and not self._stopping():
            if statuses := self._answers.feed(self._transport.read(min(left, READ_SLICE_SECONDS))):
                return statuses[0]
        raise DeviceLost(
            f"Printer at {self._transport.where}: no answer to a status request within {self._timeout_seconds:g} s.",
            hint="Switch the printer off and on, and check that no other program uses it.",
            reason="no_answer",
            where=self._transport.where,
        )
