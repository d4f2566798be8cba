"""Facts that do not get through by themselves, and how long each holds up its stream.

One refusal proves nothing: a faulty deployment at central lasts minutes, and what is withheld is a sale missing from its books until somebody repairs
it. So a fact that is refused alone is shown again and again, with growing waits, while the other streams go on; only when that went on for
``Pace.withhold`` is it replaced. A fact that says so itself and is refused too holds up its stream for good, and is shown again for ever.

Nor does it prove anything about a fact that something on the way to central finds it too large: that is not central. Such a fact is never
replaced; it is tried again with waits that grow to ``Pace.frozen``, for what it asks for is that somebody raises a limit.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from edge_agent.clock import Clock, Random
from sync.backoff import Backoff, Pace

TRIES_MIN = 5
"""So often central refuses a fact before it is withheld, however long that took."""
WITHHELD_REFUSED = "withheld_refused"
"""Central refuses even the fact that says that one was withheld."""
TOO_LARGE_ON_THE_WAY = "too_large_on_the_way"
"""Something between this register and central does not let a fact of that size pass."""
FACT_REFUSED = "fact_refused"
"""Central refuses a fact, and is shown it again."""
REASONS = (WITHHELD_REFUSED, TOO_LARGE_ON_THE_WAY, FACT_REFUSED)
"""Why a fact holds up its stream, what somebody has to see to first."""
_SENTENCES = {
    WITHHELD_REFUSED: "Central does not even take the fact that says that fact {number} of {stream} was withheld: {detail}",
    TOO_LARGE_ON_THE_WAY: "Something on the way to central does not let fact {number} of {stream} pass, which has {detail}",
    FACT_REFUSED: "Central refuses fact {number} of {stream}, and is shown it again: {detail}",
}


@dataclass(slots=True)
class _Held:
    number: int
    since: float
    backoff: Backoff
    reason: str
    detail: str
    until: float = 0.0
    tries: int = 0


class HeldUp:
    """The streams that wait for one fact of theirs to get through."""

    def __init__(self, clock: Clock, random: Random, pace: Pace) -> None:
        self._clock = clock
        self._random = random
        self._pace = pace
        self._held: dict[str, _Held] = {}

    def __bool__(self) -> bool:
        return bool(self._held)

    def refused(self, stream: str, number: int, detail: str) -> bool:
        """Central refused this fact, alone; whether it was refused often and long enough to be withheld."""
        known = self._held.get(stream)
        again = WITHHELD_REFUSED if known is not None and (known.number, known.reason) == (number, WITHHELD_REFUSED) else FACT_REFUSED
        held = self._tried(stream, number, again, detail)
        now = self._clock.monotonic()
        if held.reason == FACT_REFUSED and held.tries >= TRIES_MIN and now - held.since >= self._pace.withhold:
            return True
        held.until = now + (held.backoff.next() if held.reason == FACT_REFUSED else self._pace.frozen)
        return False

    def too_large_on_the_way(self, stream: str, number: int, size_bytes: int, detail: str) -> None:
        """Something on the way to central, and not central, did not let this fact of ``size_bytes`` pass, alone."""
        held = self._tried(stream, number, TOO_LARGE_ON_THE_WAY, f"{size_bytes} bytes: {detail}")
        held.until = self._clock.monotonic() + held.backoff.next()

    def _tried(self, stream: str, number: int, reason: str, detail: str) -> _Held:
        """The stream's fact, which was tried once more; what was counted for another reason does not count."""
        held = self._held.get(stream)
        if held is None or (held.number, held.reason) != (number, reason):
            pace = replace(self._pace, cap=self._pace.frozen) if reason == TOO_LARGE_ON_THE_WAY else self._pace
            held = self._held[stream] = _Held(number, self._clock.monotonic(), Backoff(pace, self._random), reason, detail)
        held.detail = detail
        held.tries += 1
        return held

    def for_good(self, stream: str) -> None:
        """Its fact says itself that one was withheld."""
        held = self._held[stream]
        held.reason = WITHHELD_REFUSED
        held.until = self._clock.monotonic() + self._pace.frozen

    def over(self, stream: str, acknowledged: int) -> None:
        """So far central took the stream's facts."""
        held = self._held.get(stream)
        if held is not None and held.number <= acknowledged:
            del self._held[stream]

    def withheld(self, stream: str) -> None:
        """The fact was replaced: its stream goes on."""
        self._held.pop(stream, None)

    def rests(self, stream: str) -> bool:
        """Whether it is not the time yet to show its fact again."""
        held = self._held.get(stream)
        return held is not None and self._clock.monotonic() < held.until

    def is_due(self, stream: str) -> bool:
        """Whether its fact is to be shown again, alone."""
        held = self._held.get(stream)
        return held is not None and self._clock.monotonic() >= held.until

    def seconds(self) -> float:
        """How long until one of them is shown again."""
        return max(0.0, min(held.until for held in self._held.values()) - self._clock.monotonic())

    def hurry(self) -> None:
        """Something says that it may work now: show them all again."""
        for held in self._held.values():
            held.until = 0.0

    def told(self) -> tuple[str, str]:
        """The gravest reason for which one of them is held, and what is said of all that are held for it; empty when there are none."""
        for reason in REASONS:
            which = [(stream, held) for stream, held in self._held.items() if held.reason == reason]
            if which:
                return reason, " ".join(_SENTENCES[reason].format(number=held.number, stream=stream, detail=held.detail) for stream, held in which)
        return "", ""
