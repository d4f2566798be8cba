"""The driver of Counter Link: fits the service's Terminal port, one connection per request, no state of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from drivers.contract import Wire
from drivers.load import DriverContext
from drivers.settings import REQUIRED, Settings
from drivers.terminals.contract import Health
from drivers.terminals.counter_link.exchange import UNSENT_SECONDS_MAX, Exchange
from drivers.terminals.counter_link.lines import CurrencyTotals, Result, Status, StepLine, Totals, asking, submission
from drivers.terminals.counter_link.verdict import finding_of, outcome_of
from drivers.terminals.wire_ref import wire_ref
from edge_agent.domain.errors import DeviceAbsent, DeviceLost
from edge_agent.domain.tender import Attempt, Finding, NotProcessed, Outcome, Unknown
from edge_agent.ports import Capabilities, Step, Steps

STEP_SECONDS_MAX = 5
"""A terminal at work says a step at least this often."""
TAKE_UP_SECONDS_MAX = 10
"""A terminal takes a request up within this time of its arrival, or never."""
PAYMENT_SECONDS_MAX = 300
"""A payment that has no result after this long is asked about instead."""
ABORT_SECONDS_MAX = 5
STEPS_AT_ONCE = 100
"""After so many steps the driver takes a breath: a terminal that says them without end must not keep everybody else waiting."""
BREATH_SECONDS = 0.01


def build(config: Mapping[str, object], context: DriverContext) -> CounterLinkTerminal:
    """A driver from its configuration. Opens nothing; raises ConfigError.

    ``host``; ``port``; ``terminal_id``, the name the terminal greets with (any); ``connect_seconds`` for connecting and for the greeting,
    each (3); ``answer_seconds`` of silence, after which an answer counts as lost (20); ``settle_seconds``, how long a "not found" is not
    believed after that (15, what the protocol needs: shorten it only for a terminal that takes requests up sooner).
    """
    settings = Settings(config, context.where)
    host = settings.text("host", REQUIRED)
    port = settings.whole("port", REQUIRED, 1, 65_535)
    terminal_id = settings.text("terminal_id", "")
    connect_seconds = settings.number("connect_seconds", 3.0, 0.1, 60.0)
    answer_seconds = settings.number("answer_seconds", 4.0 * STEP_SECONDS_MAX, 0.1, 300.0)
    settle_seconds = settings.number("settle_seconds", float(UNSENT_SECONDS_MAX + TAKE_UP_SECONDS_MAX), 0.1, 600.0)
    settings.end()
    return CounterLinkTerminal(context.name, host, port, terminal_id, connect_seconds, answer_seconds, settle_seconds)


class CounterLinkTerminal:
    """A ``drivers.terminals.contract.TerminalDriver``. All times in seconds; see ``build``."""

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        terminal_id: str = "",
        connect_seconds: float = 3.0,
        answer_seconds: float = 20.0,
        settle_seconds: float = 15.0,
    ) -> None:
        self._name = name
        self._host = host
        self._port = port
        self._terminal_id = terminal_id
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds
        self._settle_seconds = settle_seconds

    @property
    def name(self) -> str:
        return self._name

    @property
    def kind(self) -> str:
        return "counter_link"

    @property
    def wire(self) -> Wire:
        """Where it listens."""
        return Wire("host", f"{self._host}:{self._port}")

    def capabilities(self) -> Capabilities:
        """All of it: the terminal may also approve offline, and says so."""
        return Capabilities(abort=True, query=True, void=True, offline=True)

    def wire_ref(self, attempt_id: str) -> str:
        """See ``drivers.terminals.wire_ref``: made of the attempt's id, so that nothing has to be kept."""
        return wire_ref(attempt_id)

    def settle_ms(self) -> int:
        """What the operating system may still deliver, and then what the terminal may still take up (the protocol's text says why)."""
        return int(self._settle_seconds * 1000)

    async def submit(self, attempt: Attempt, steps: Steps) -> Outcome:
        """Run the attempt to its end.

        NotProcessed for a terminal that cannot be reached or does not greet (``unreachable``, ``not_answering``, ``not_a_terminal``,
        ``other_terminal``): nothing of the attempt was sent. From the first byte of the request on, whatever is not a clear answer to
        it is Unknown: ``no_answer``, ``connection_lost``, ``malformed``, ``line_too_long``, ``unexpected``, ``too_long`` and those of
        ``verdict.outcome_of``.
        """
        try:
            async with self._exchange() as exchange:
                return await self._run(exchange, attempt, steps)
        except DeviceAbsent as absent:
            return NotProcessed(absent.reason)

    async def query(self, attempt: Attempt) -> Finding:
        """What the terminal's books say; Unknown when they cannot be asked."""
        try:
            async with self._exchange() as exchange:
                await exchange.say(asking("status", attempt.wire_ref))
                answer = await exchange.hear(self._answer_seconds)
        except (DeviceAbsent, DeviceLost) as error:
            return Unknown(error.reason)
        return finding_of(answer, attempt) if isinstance(answer, Status) else Unknown("unexpected")

    async def abort(self, attempt: Attempt) -> None:
        """Ask the terminal to stop, on a second connection; whatever comes of it, the submission answers."""
        try:
            async with self._exchange() as exchange:
                await exchange.say(asking("abort", attempt.wire_ref))
                await exchange.hear(min(ABORT_SECONDS_MAX, self._answer_seconds))
        except (DeviceAbsent, DeviceLost):
            return

    async def totals(self) -> tuple[CurrencyTotals, ...] | None:
        """The terminal's own sums since its last settlement, or None when it does not say."""
        try:
            async with self._exchange() as exchange:
                await exchange.say(asking("totals"))
                answer = await exchange.hear(self._answer_seconds)
        except (DeviceAbsent, DeviceLost):
            return None
        return answer.totals if isinstance(answer, Totals) else None

    async def health(self) -> Health:
        """Whether the terminal greets."""
        try:
            async with self._exchange() as exchange:
                return Health(busy=exchange.hello.busy)
        except DeviceAbsent as absent:
            return Health(absent.reason, absent.message, absent.hint)

    def _exchange(self) -> Exchange:
        return Exchange(self._host, self._port, self._connect_seconds, self._terminal_id)

    async def _run(self, exchange: Exchange, attempt: Attempt, steps: Steps) -> Outcome:
        original_ref = wire_ref(attempt.original) if attempt.original else ""
        try:
            async with asyncio.timeout(PAYMENT_SECONDS_MAX):
                await exchange.say(submission(attempt, original_ref))
                return await self._answered(exchange, attempt, steps)
        except TimeoutError:
            return Unknown("too_long")
        except DeviceLost as lost:
            return Unknown(lost.reason)

    async def _answered(self, exchange: Exchange, attempt: Attempt, steps: Steps) -> Outcome:
        """Hear steps until the result. Raises DeviceLost."""
        last, heard = "", 0
        while True:
            match await exchange.hear(self._answer_seconds):
                case Result() as result:
                    return outcome_of(result, attempt)
                case StepLine(ref, step) if ref == attempt.wire_ref:
                    if step != last:
                        steps(Step(step))
                    last, heard = step, heard + 1
                    if heard % STEPS_AT_ONCE == 0:
                        await asyncio.sleep(BREATH_SECONDS)
                case StepLine():
                    return Unknown("other_ref")
                case _:
                    return Unknown("unexpected")
