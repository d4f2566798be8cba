"""Card payments that a person decided: the terminal is still asked about them, and what it says for certain agrees with the decision or contradicts it."""

from __future__ import annotations

from msgspec import Struct

from edge_agent.domain.tender import (
    MISFITS,
    MONEY_MOVED,
    Approved,
    Attempt,
    AttemptKind,
    Finding,
    InFlight,
    NotFound,
    Unknown,
    reported,
    state_after,
)

REVIEWED_MAX = 100
"""Of so many decisions the terminal is asked; of more the oldest that nothing contradicts is let go."""
BOOKS_KEPT_MS = 48 * 3_600_000
"""So long after its start a terminal must still know a payment (Counter Link's promise); a "not found" after that says nothing."""


class Reviewed(Struct, frozen=True):
    """A person's decision about ``attempt``, which is kept as it stood before. ``receipt`` is its sale's, once that is completed.

    ``found`` is the attempt as the terminal has it, once that contradicts the decision. Then ``owed_minor`` was paid too much by the customer, and is
    to be given back; where it is negative, so much is missing; where it is 0, nobody can say how much without the terminal's own records.
    A card payment that could not be undone, of a basket that was given up, is kept likewise: all of it is to be given back.
    """

    attempt: Attempt
    money_moved: bool
    transaction: str
    at_ms: int
    receipt: str = ""
    found: Attempt | None = None
    owed_minor: int = 0

    @property
    def is_void(self) -> bool:
        """Whether nothing contradicts anything: the basket was given up, and all that the card paid for it is to be given back."""
        if self.found is None or self.attempt.kind is not AttemptKind.SALE or self.owed_minor <= 0:
            return False
        return self.attempt.state in MONEY_MOVED or (self.money_moved and self.owed_minor == self.found.approved_minor)


class Agrees(Struct, frozen=True):
    """The terminal says what was decided."""


class Differs(Struct, frozen=True):
    """The terminal says something else than was decided; ``owed_minor`` as Reviewed has it."""

    owed_minor: int


def compared(held: Reviewed, finding: Finding, now_ms: int, *, settled: bool) -> Agrees | Differs | None:
    """What ``finding`` means for the decision; None while nothing is certain.

    An approval says by how much, unless it is in another currency or of no amount that there can be: then it differs, and nobody can say by how much.
    A void moves money the other way. "Not found" is certain only when the transport was ``settled`` as the question was put, and while the terminal
    must still know. A "no" of a terminal that approved something else before (``MISFITS``) proves nothing: that nothing was paid is not believed, and a
    decision that it was stands against it.
    """
    attempt = held.attempt
    towards = 1 if attempt.kind is AttemptKind.SALE else -1
    said = attempt.amount_minor if held.money_moved else 0
    match finding:
        case Approved():
            paid = reported(finding)
            is_clear = paid is not None and paid.minor > 0 and paid.currency == attempt.currency
            return _by(towards * (finding.amount_minor - said)) if is_clear else Differs(0)
        case Unknown(reason) if reason in MISFITS:
            return Differs(0)
        case InFlight() | Unknown():
            return None
        case NotFound() if not settled or now_ms - attempt.started_ms > BOOKS_KEPT_MS:
            return None
        case _ if attempt.reason in MISFITS:
            return Differs(0) if held.money_moved else None
        case _:
            assert state_after(finding, attempt.amount_minor) not in MONEY_MOVED
            return _by(towards * -said)


def _by(owed_minor: int) -> Agrees | Differs:
    return Differs(owed_minor) if owed_minor else Agrees()


def kept(reviewed: tuple[Reviewed, ...]) -> tuple[Reviewed, ...]:
    """At most REVIEWED_MAX; what was contradicted stays in any case."""
    over = len(reviewed) - REVIEWED_MAX
    gone = [held for held in reviewed if held.found is None][: max(over, 0)]
    return tuple(held for held in reviewed if held not in gone)
