"""A card terminal on a TCP port of this machine: it speaks Counter Link, keeps its own synced books, and misbehaves on request.

By hand: ``python -m drivers.simulators.card_terminal --port 20008 --ledger terminal.jsonl``, with one control per line of input:
``--help`` lists them.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from drivers.simulators._card_ledger import Ledger, read_ledger
from drivers.simulators._card_payment import RECEIPT_WORDS, Payment
from drivers.simulators._card_plan import ANSWERS, STEPS, Plan, parse_plan
from drivers.simulators._card_server import CardServer
from edge_agent.clock import Clock, SystemClock

CALL_SECONDS_MAX = 10.0
LANGUAGES = tuple(RECEIPT_WORDS)

_T = TypeVar("_T")


class CardTerminal:
    """The simulated terminal, in a thread of its own; every method may be called from any thread.

    ``ledger`` is the file of its books, which survive it. ``port`` 0 takes a free one, and keeps it over ``reboot`` and ``refuse``.
    ``step_seconds`` is how long each step lasts (0 for tests; people see something from 0.6 on). ``language`` (one of LANGUAGES) is that of its
    lines for the receipt. Listens on entering the context or by ``start``; gone after ``stop``.
    """

    host = "127.0.0.1"

    def __init__(self, ledger: Path, clock: Clock, *, port: int = 0, terminal_id: str = "SIM-0001", language: str = "en", step_seconds: float = 0.0) -> None:
        assert language in LANGUAGES, language
        self.ledger_path = ledger
        self._language = language
        self._clock = clock
        self._port = port
        self._terminal_id = terminal_id
        self._step_seconds = step_seconds
        self._plans: deque[Plan] = deque()
        self._usual = Plan()
        self._news = threading.Condition()
        self._ledger: Ledger | None = None
        self._server: CardServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port to configure; known once started."""
        return self._port

    @property
    def url(self) -> str:
        """Where it listens, for people."""
        return f"counter-link://{self.host}:{self._port}"

    @property
    def ledger(self) -> Ledger:
        """Its books, while it runs; afterwards ``read_ledger(ledger_path)``."""
        assert self._ledger is not None, "not started"
        return self._ledger

    @property
    def payment(self) -> Payment | None:
        """What it is at, for looking at ``payment.step`` and ``payment.entry``."""
        return self._server.payment if self._server is not None else None

    def start(self) -> None:
        """Listen; returns when clients can connect. Raises OSError when the port is taken."""
        assert self._thread is None, "started twice"
        self._ledger = Ledger(self.ledger_path, self._clock.now_ms)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="card-terminal", daemon=True)
        self._thread.start()
        self._server = CardServer(self._ledger, self._terminal_id, self._language, self._step_seconds, self._next_plan, self._changed)
        try:
            self._port = self._run(self._server.listen(self.host, self._port))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Pull the plug: connections drop; what is under way is settled when it starts again (rolled back)."""
        if self._thread is None or self._loop is None:
            return
        if self._server is not None:
            self._run(self._server.drop_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.ledger.close()
        self._thread = self._loop = self._server = None

    def plan(self, *plans: Plan) -> None:
        """How the next payments and voids go, one plan each, after those already planned."""
        self._plans.extend(plans)

    def plan_only(self, plan: Plan) -> None:
        """How the next payment or void goes, whatever was planned before."""
        self._plans = deque([plan])

    @property
    def planned(self) -> int:
        """How many payments have a plan that was not used yet."""
        return len(self._plans)

    def always(self, plan: Plan) -> None:
        """How those go that have no plan of their own."""
        self._usual = plan

    def dead(self, on: bool) -> None:
        """Take connections and say nothing, also about what is under way; what is under way goes on."""
        self._call(lambda server: server.set_dead(on))

    def busy(self, on: bool) -> None:
        """Be at another till's payment."""
        self._call(lambda server: server.set_busy(on))

    def refuse(self, on: bool) -> None:
        """Take no connections: those that are there drop."""
        self._run(self._there.refuse(on))

    def release(self) -> None:
        """Let the held payment go on."""
        self._call(lambda server: server.payment.release() if server.payment is not None else None)

    def customer_cancels(self) -> bool:
        """Press the red key; whether that stopped something."""
        return self._call(lambda server: server.payment is not None and server.payment.stop("customer"))

    def reboot(self, in_flight: str = "rolled_back", off_seconds: float = 0.0) -> None:
        """Drop everything and come back after ``off_seconds``; what was under way is ``rolled_back`` or ``booked``."""
        self._run(self._there.reboot(in_flight, off_seconds))

    def wait(self, condition: Callable[[Self], bool], seconds: float = 5.0) -> bool:
        """Whether ``condition`` came true within ``seconds``; looked at whenever something changed. Not for the terminal's own thread."""
        with self._news:
            return self._news.wait_for(lambda: condition(self), seconds)

    @property
    def _there(self) -> CardServer:
        assert self._server is not None, "not started"
        return self._server

    def _next_plan(self) -> Plan:
        return self._plans.popleft() if self._plans else self._usual

    def _changed(self) -> None:
        with self._news:
            self._news.notify_all()

    def _call(self, do: Callable[[CardServer], _T]) -> _T:
        async def called() -> _T:
            return do(self._there)

        return self._run(called())

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        assert self._loop is not None, "not started"
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_SECONDS_MAX)


CONTROLS = f"""type a line:
  next slow=3 answer=drop   the plan of the next payment; the words are below
  always decline=expired    the plan of all that have none of their own
  hold present_card         the next payment waits there until release or cancel ({", ".join(STEPS)})
  release, cancel           let it go on; press the customer's cancel key
  dead on, dead off         take connections and say nothing
  refuse on, refuse off     take no connections
  busy on, busy off         be at another till's payment
  reboot rolled_back        drop everything; what was under way is rolled back, or booked (reboot booked)
  books                     print what was charged

words of a plan: {", ".join(field.name for field in fields(Plan))};
answer is one of {", ".join(ANSWERS)}
"""


def obey(terminal: CardTerminal, line: str) -> str:
    """Do what one typed line says; what to print. Raises ValueError for what is no control."""
    match line.split():
        case []:
            return ""
        case ["next", *words]:
            terminal.plan(parse_plan(words))
        case ["always", *words]:
            terminal.always(parse_plan(words))
        case ["hold", step]:
            terminal.plan(Plan(hold=step))
        case ["release"]:
            terminal.release()
        case ["cancel"]:
            return "cancelled" if terminal.customer_cancels() else "too late"
        case ["dead" | "refuse" | "busy" as what, "on" | "off" as state]:
            {"dead": terminal.dead, "refuse": terminal.refuse, "busy": terminal.busy}[what](state == "on")
        case ["reboot", "rolled_back" | "booked" as in_flight]:
            terminal.reboot(in_flight)
        case ["books"]:
            entries = terminal.ledger.entries()
            return "\n".join(
                f"{entry.ref}  {entry.kind:7}  {entry.state:11}  {entry.booked_minor:>10} {entry.currency}  {entry.voided_by}" for entry in entries
            )
        case _:
            raise ValueError("expected next, always, hold, release, cancel, dead, refuse, busy, reboot or books")
    return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a terminal from standard input until it ends."""
    parser = argparse.ArgumentParser(
        prog="drivers.simulators.card_terminal",
        description="A simulated card terminal: one control per line of input.",
        epilog=CONTROLS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=20_008, help="where to listen on this machine; 0 takes a free port (default: 20008)")
    parser.add_argument("--ledger", type=Path, required=True, help="the file of its books, made if need be")
    parser.add_argument("--terminal-id", default="SIM-0001")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="the language of its lines for the receipt (default: en)")
    parser.add_argument("--step-seconds", type=float, default=0.8, help="how long each step lasts (default: 0.8)")
    chosen = parser.parse_args(arguments)
    known = len(read_ledger(chosen.ledger))
    options = {"terminal_id": chosen.terminal_id, "language": chosen.language, "step_seconds": chosen.step_seconds}
    with CardTerminal(chosen.ledger, SystemClock(), port=chosen.port, **options) as terminal:
        print(f"card terminal at {terminal.url}, {known} entries in its books", flush=True)
        for line in sys.stdin:
            try:
                answer = obey(terminal, line)
            except ValueError as error:
                answer = str(error)
            if answer:
                print(answer, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
