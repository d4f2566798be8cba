"""The simulated card terminal's side of Counter Link, written from the protocol's text alone: it shares no code with the driver."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable, Mapping
from functools import partial

from msgspec.structs import replace

from drivers.simulators._card_ledger import APPROVED, IN_FLIGHT, ROLLED_BACK, Entry, Ledger, totals_of
from drivers.simulators._card_payment import Payment, approved, result_of, told
from drivers.simulators._card_plan import Plan
from edge_agent.listening import accept_no_more

LINE_BYTES_MAX = 65_536
IDLE_SECONDS_MAX = 30.0
"""A connection that asks nothing for this long is closed."""
CONNECTIONS_MAX = 32
"""A further connection is closed at once."""
AMOUNT_MINOR_MAX = 99_999_999_999

_REF = re.compile(r"[0-9A-HJKMNP-TV-Z]{10}")
_CURRENCY = re.compile(r"[A-Z]{3}")


class _Malformed(Exception):
    """What was asked is no request of Counter Link."""


class CardServer:
    """Everything on the terminal's event loop. Payments outlive the connection that asked for them."""

    def __init__(
        self, ledger: Ledger, terminal_id: str, language: str, step_seconds: float, next_plan: Callable[[], Plan], changed: Callable[[], None]
    ) -> None:
        self.payment: Payment | None = None
        self._ledger = ledger
        self._terminal_id = terminal_id
        self._language = language
        self._step_seconds = step_seconds
        self._next_plan = next_plan
        self._changed = changed
        self._address = ("", 0)
        self._listener: asyncio.Server | None = None
        self._busy = self._dead = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._conversations: set[asyncio.Task[None]] = set()
        self._work: set[asyncio.Task[None]] = set()
        self._lost_finds: dict[str, int] = {}

    async def listen(self, host: str, port: int) -> int:
        """Settle what an earlier run left under way, and take connections; the port."""
        self._settle_in_flight("rolled_back")
        self._listener = await asyncio.start_server(self._connected, host, port, limit=LINE_BYTES_MAX - 1)
        self._address = (host, self._listener.sockets[0].getsockname()[1])
        return self._address[1]

    async def drop_all(self) -> None:
        """Stop listening, drop every connection, forget what is under way; the books stay as they are."""
        if self._listener is not None:
            await accept_no_more(self._listener)
            self._listener.close()
        for writer in list(self._writers):
            writer.transport.abort()
        tasks = [*self._work, *self._conversations]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.payment = None

    async def refuse(self, on: bool) -> None:
        """Stop listening and drop connections, but go on with what is under way; or listen again."""
        if on and self._listener is not None:
            listener, self._listener = self._listener, None
            await accept_no_more(listener)
            listener.close()
            for writer in list(self._writers):
                writer.transport.abort()
        elif not on and self._listener is None:
            self._listener = await asyncio.start_server(self._connected, *self._address, limit=LINE_BYTES_MAX - 1)
        self._changed()

    async def reboot(self, in_flight: str, off_seconds: float) -> None:
        """Power off and on."""
        if in_flight not in ("rolled_back", "booked"):
            raise ValueError(f"expected rolled_back or booked, got {in_flight!r}")
        await self.drop_all()
        await asyncio.sleep(off_seconds)
        self._settle_in_flight(in_flight)
        self._listener = await asyncio.start_server(self._connected, *self._address, limit=LINE_BYTES_MAX - 1)
        self._changed()

    def set_dead(self, on: bool) -> None:
        """Say nothing any more; when back, the connections made meanwhile drop."""
        if self._dead and not on:
            for writer in list(self._writers):
                writer.transport.abort()
        self._dead = on

    def set_busy(self, on: bool) -> None:
        """Another till's customer stands before it."""
        self._busy = on

    def _settle_in_flight(self, how: str) -> None:
        for entry in self._ledger.entries():
            if entry.state == IN_FLIGHT:
                self._ledger.add(approved(entry, entry.asked_minor) if how == "booked" else replace(entry, state=ROLLED_BACK))

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._writers.add(writer)
        self._conversations.add(task)
        try:
            if len(self._writers) <= CONNECTIONS_MAX:
                await self._converse(reader, writer)
        except (OSError, ValueError, TimeoutError, _Malformed, asyncio.CancelledError):
            writer.transport.abort()  # the line dropped, was too long, stayed silent, or said nothing that can be answered
        finally:
            self._writers.discard(writer)
            self._conversations.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A greeting, one request, and the connection stays until the client closes it."""
        for greeting in (True, False):
            async with asyncio.timeout(IDLE_SECONDS_MAX):
                line = await reader.readline()
            if self._dead:
                break
            if not line.endswith(b"\n"):
                return
            request = _request(line)
            try:
                self._asked(request, greeting, writer)
            except _Malformed:
                self._say(writer, {"say": "result", "ref": _ref(request, "ref"), "outcome": "refused", "reason": "malformed"})
                return
        while await reader.read(4096):
            pass

    def _asked(self, request: Mapping[str, object], greeting: bool, writer: asyncio.StreamWriter) -> None:
        say = partial(self._say, writer)
        match request.get("do"):
            case "hello" if greeting:
                say({"say": "hello", "counterLink": 1, "terminal": self._terminal_id, "busy": self._busy or self.payment is not None})
            case _ if greeting:
                raise _Malformed
            case "payment" | "void" as kind:
                self._submitted(kind, request, writer)
            case "status":
                say(self._status(_ref(request, "ref")))
            case "abort":
                ref = _ref(request, "ref")
                running = self.payment is not None and self.payment.entry.ref == ref
                say({"say": "abort", "ref": ref, "accepted": running and self.payment is not None and self.payment.stop("associate")})
            case "totals":
                say({"say": "totals", "totals": totals_of(self._ledger.entries())})
            case _:
                raise _Malformed

    def _submitted(self, kind: str, request: Mapping[str, object], writer: asyncio.StreamWriter) -> None:
        entry = Entry(_ref(request, "ref"), kind, _amount(request), _currency(request), _ref(request, "original") if kind == "void" else "")
        if refusal := self._refusal(entry):
            self._say(writer, {"say": "result", "ref": entry.ref, "outcome": "refused", "reason": refusal})
            return
        plan = self._next_plan()
        if plan.take_up < 0:
            writer.transport.abort()
            return
        task = asyncio.create_task(self._work_on(entry, plan, writer))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _work_on(self, entry: Entry, plan: Plan, writer: asyncio.StreamWriter) -> None:
        """Take the request up, run it, say its result."""
        say = partial(self._say, writer)
        if plan.take_up:
            await asyncio.sleep(plan.take_up)
        if refusal := self._refusal(entry):
            say({"say": "result", "ref": entry.ref, "outcome": "refused", "reason": refusal})
            return
        self._lost_finds[entry.ref] = plan.lost_finds
        self.payment = payment = Payment(self._ledger.add(entry), plan, self._step_seconds, say, self._ledger.add, self._changed)
        try:
            entry = await payment.run()
        finally:
            self.payment = None
            self._changed()
        if plan.late:
            await asyncio.sleep(plan.late)
        if plan.answer == "drop":
            writer.transport.abort()
        elif plan.answer != "silent":
            for _ in range(2 if plan.answer == "twice" else 1):
                say(told({"say": "result", "ref": plan.told_ref or entry.ref, **result_of(entry, self._language)}, plan))

    def _refusal(self, entry: Entry) -> str:
        """Why the request is not taken up; empty when it is."""
        if self._ledger.get(entry.ref) is not None:
            return "ref_known"
        if self._busy or self.payment is not None:
            return "busy"
        if entry.asked_minor <= 0:
            return "amount"
        if entry.kind == "void":
            original = self._ledger.get(entry.original)
            if original is None or original.kind != "payment" or original.state != APPROVED or original.voided_by:
                return "original_unknown"
            if (original.booked_minor, original.currency) != (entry.asked_minor, entry.currency):
                return "amount"
        return ""

    def _status(self, ref: str) -> dict[str, object]:
        answer: dict[str, object] = {"say": "status", "ref": ref}
        entry = self._ledger.get(ref)
        if self._lost_finds.get(ref, 0) > 0:
            self._lost_finds[ref] -= 1
            entry = None
        if entry is None or entry.state == ROLLED_BACK:
            return answer | {"state": "not_found"}
        if entry.state == IN_FLIGHT:
            return answer | {"state": "in_flight", "step": (self.payment.step if self.payment is not None else "") or "present_card"}
        return answer | {"state": "done", **result_of(entry, self._language)}

    def _say(self, writer: asyncio.StreamWriter, members: Mapping[str, object]) -> None:
        """Send one line, unless the terminal is dead or the client is gone."""
        if not self._dead and not writer.transport.is_closing():
            with contextlib.suppress(OSError):
                writer.write(json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")


def _request(line: bytes) -> Mapping[str, object]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        raise _Malformed from None
    if not isinstance(request, dict):
        raise _Malformed
    return request


def _ref(request: Mapping[str, object], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not _REF.fullmatch(value):
        raise _Malformed
    return value


def _amount(request: Mapping[str, object]) -> int:
    value = request.get("amountMinor")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= AMOUNT_MINOR_MAX:
        raise _Malformed
    return value


def _currency(request: Mapping[str, object]) -> str:
    value = request.get("currency")
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        raise _Malformed
    return value
