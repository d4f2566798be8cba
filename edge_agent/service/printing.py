"""The receipt, once, after the sale is on disk; again only when somebody asks, and then as a copy.

The drawer's pulse travels in the print job, before the receipt. An outcome that is unclear is shown and never printed again by itself. How it ended is
kept in the journal behind the sale, so that after a start it is known of which receipts nobody knows whether they were printed.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from edge_agent.domain.commands import NoteReceipt
from edge_agent.domain.errors import CodeUnknown, NotNow, StorageError
from edge_agent.domain.receipt import NotPrinted, Printed, PrintJob, PrintOutcome, Receipt, Unclear
from edge_agent.domain.sale import Sale
from edge_agent.domain.sale_receipt import Letterhead, sale_receipt
from edge_agent.domain.tender import TenderKind
from edge_agent.service.codec import read_sale
from edge_agent.service.core import Core

PRINT_STATES_KEPT = 500
RECEIPTS_TOLD_MAX = 3

log = structlog.get_logger(__name__)


class Printing:
    """Receipts of this register's sales."""

    def __init__(self, core: Core, head: Letterhead) -> None:
        self._core = core
        self._head = head
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def receipt(self, sale: Sale, *, copy: bool) -> Receipt:
        """The receipt of ``sale`` as lines."""
        operator = self._core.ports.people.operator(sale.operator)
        return sale_receipt(sale, self._head, operator=operator.name if operator else sale.operator, copy=copy)

    async def recover(self) -> None:
        """Say, once, of which receipts a run before this one did not live to see the end."""
        left = [due for due in self._core.state.receipts_due if not due.outcome]
        if not left:
            return
        codes = ", ".join(due.receipt for due in left[-RECEIPTS_TOLD_MAX:])
        self._core.tell("notice.print_unknown", "warn", f"Receipt {codes} may not have been printed.", "F9 S shows it and prints a copy.", code=codes)
        for due in left:
            await self._note(due.sale, "unknown")

    def completed(self, sale: Sale) -> None:
        """A sale is on disk: print it, and open the drawer when cash was part of it."""
        if self._core.ports.printer is None:
            return
        cash = any(tender.kind is TenderKind.CASH and tender.settled_minor for tender in sale.tenders)
        self._start(sale, PrintJob(sale.id, self.receipt(sale, copy=False), open_drawer=cash))

    def again(self, sale_id: str, *, copy: bool) -> None:
        """Print a past sale: as a copy, or (when its first print is known not to have happened) as the original.

        Raises CodeUnknown (reason ``sale``), NotNow (reason ``no_printer``, ``printed_already``).
        """
        sale = self.sale(sale_id)
        if self._core.ports.printer is None:
            raise NotNow("This register has no printer.", hint="Show the receipt on the screen.", reason="no_printer")
        if not copy and print_state(self._core, sale.id) != "not_printed":
            raise NotNow("It may have been printed already.", hint="Print a copy instead.", reason="printed_already")
        self._start(sale, PrintJob(self._core.ports.new_id(), self.receipt(sale, copy=copy), copy=copy), asked=True)

    def sale(self, sale_id: str) -> Sale:
        """A past sale by id or receipt code. Raises CodeUnknown."""
        row = self._core.ports.journal.sale(sale_id)
        if row is None:
            raise CodeUnknown("That sale is not in this register's journal.", hint="Look at the register that made it.", reason="sale")
        return read_sale(row)

    def _start(self, sale: Sale, job: PrintJob, *, asked: bool = False) -> None:
        states = self._core.desk.print_states
        if not job.copy:
            states[sale.id] = "printing"
            while len(states) > PRINT_STATES_KEPT:
                states.pop(next(iter(states)))
        task = asyncio.get_running_loop().create_task(self._print(sale, job, asked), name=f"print-{job.id}")
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._over(sale, job, done))
        self._core.changed()

    async def _print(self, sale: Sale, job: PrintJob, asked: bool) -> None:
        assert self._core.ports.printer is not None
        outcome = await self._core.ports.printer.print(job)
        if not job.copy:
            self._core.desk.print_states[sale.id] = _state(outcome)
        self._told(sale, job, asked, outcome)
        if not job.copy or isinstance(outcome, Printed):  # a copy in hand makes up for the first one
            await self._note(sale.id, _state(outcome))

    def _told(self, sale: Sale, job: PrintJob, asked: bool, outcome: PrintOutcome) -> None:
        match outcome:
            case Printed():
                if job.copy:
                    self._core.tell("notice.copy_printed", "good", f"A copy of {sale.receipt} was printed.", code=sale.receipt)
                elif asked:  # what was said about the first try is over
                    self._core.tell("notice.printed", "good", f"Receipt {sale.receipt} was printed.", code=sale.receipt)
                else:
                    self._core.changed()
            case NotPrinted(reason, hint):
                self._core.tell(f"notice.not_printed.{reason}", "bad", f"Receipt {sale.receipt} was not printed.", hint, code=sale.receipt)
            case Unclear(reason, hint):
                self._core.tell(f"notice.print_unclear.{reason}", "warn", f"Receipt {sale.receipt} may not be complete.", hint, code=sale.receipt)

    async def _note(self, sale: str, outcome: str) -> None:
        """Keep how it ended, unless the service ends meanwhile: then the next run says that it does not know."""
        if not self._closed:
            with suppress(StorageError):  # selling is stopped now, and whoever looks is told
                await self._core.note(NoteReceipt(sale, outcome))

    def _over(self, sale: Sale, job: PrintJob, done: asyncio.Task[None]) -> None:
        """A print that ended by a bug may have been printed: it is shown as unclear, not as under way for ever."""
        self._tasks.discard(done)
        bug = None if done.cancelled() else done.exception()
        if bug is not None:
            log.error("printing failed by a bug", job=job.id, exc_info=bug)
            if not job.copy:
                self._core.desk.print_states[sale.id] = "unclear"
            self._core.tell("notice.print_unclear.bug", "warn", f"Receipt {sale.receipt} may not be complete.", "Look at the paper.", code=sale.receipt)

    async def close(self) -> None:
        """Wait for what is being printed, a few seconds at most."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=3.0)
        self._closed = True


def print_state(core: Core, sale: str) -> str:
    """How a sale's receipt stands, as far as this run or one before it knows; ``none`` where nothing is open about it."""
    due = core.state.receipt_due(sale)
    return core.desk.print_states.get(sale) or (due.outcome or "unknown" if due else "none")


def _state(outcome: PrintOutcome) -> str:
    match outcome:
        case Printed():
            return "printed"
        case NotPrinted():
            return "not_printed"
        case Unclear():
            return "unclear"
