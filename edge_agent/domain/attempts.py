"""What events say about attempts: the newest word on each of them, as it is kept beside the events."""

from __future__ import annotations

from collections.abc import Sequence

from edge_agent.domain.events import AttemptAdded, AttemptMoved, Event, TenderAdded
from edge_agent.domain.register import Register
from edge_agent.domain.tender import OPEN, Attempt


def attempts_touched(events: Sequence[Event], after: Register) -> list[Attempt]:
    """The newest word on every attempt that ``events``, which led to ``after``, touch, with one that gives its place up before the one that takes it."""
    newest: dict[str, Attempt] = {}
    for event in events:
        match event:
            case TenderAdded(tender):
                newest.update({attempt.id: attempt for attempt in tender.attempts})
            case AttemptAdded(_, attempt):
                newest[attempt.id] = attempt
            case AttemptMoved(attempt):
                newest[attempt.id] = attempt
                original = after.holding(attempt.original) if attempt.original else None
                if original is not None:  # a void that went through moves the payment it undoes as well
                    newest[attempt.original] = original[2]
    return sorted(newest.values(), key=lambda attempt: attempt.state in OPEN)
