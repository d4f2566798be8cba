"""Tenders and attempts: what the customer hands over, and one conversation with a terminal or provider about it.

The states and the persist order are those that an exhaustive model check found free of double and unrecorded charges
(policy D: identifiers committed before the first byte leaves, an unclear outcome is UNKNOWN and is settled by asking, "not found" is
final only after the transport can no longer deliver)::

    INTENT ──► SENT ──► IN_PROGRESS ──► APPROVED · APPROVED_PARTIAL · APPROVED_OFFLINE        money moved
       │         │          │  ▲ └────► DECLINED · CANCELLED · NOT_PROCESSED                  no money moved
       │         │       ABORTING
       │         └──► UNKNOWN ◄──┘ ───► any of the above, NEEDS_REVIEW
       └──► ABANDONED                   NEEDS_REVIEW ───► APPROVED · NOT_PROCESSED (a person decides), or a late answer

After approval: APPROVED ► VOID_PENDING (a second attempt of kind VOID runs) ► VOIDED. What a person decided and the terminal contradicts before
the sale is completed becomes what the terminal says (PaymentCorrected).
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from edge_agent.domain.money import AMOUNT_MINOR_MAX, Money


class TenderKind(Enum):
    """How part of a sale is paid."""

    CASH = "cash"
    CARD = "card"


class AttemptKind(Enum):
    """What the conversation is for."""

    SALE = "sale"
    VOID = "void"


class AttemptState(Enum):
    """Where an attempt stands (drawn in the module's docstring)."""

    INTENT = "intent"
    SENT = "sent"
    IN_PROGRESS = "in_progress"
    ABORTING = "aborting"
    UNKNOWN = "unknown"
    NEEDS_REVIEW = "needs_review"
    APPROVED = "approved"
    APPROVED_PARTIAL = "approved_partial"
    APPROVED_OFFLINE = "approved_offline"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    NOT_PROCESSED = "not_processed"
    ABANDONED = "abandoned"
    VOIDED = "voided"


S = AttemptState
MONEY_MOVED = frozenset({S.APPROVED, S.APPROVED_PARTIAL, S.APPROVED_OFFLINE})
NO_MONEY = frozenset({S.DECLINED, S.CANCELLED, S.NOT_PROCESSED, S.ABANDONED, S.VOIDED})
OPEN = frozenset({S.INTENT, S.SENT, S.IN_PROGRESS, S.ABORTING, S.UNKNOWN, S.NEEDS_REVIEW})
HOLDS_TERMINAL = OPEN - {S.NEEDS_REVIEW}
"""In these states no other attempt may start on the same terminal."""

_ANSWERS = MONEY_MOVED | (NO_MONEY - {S.ABANDONED, S.VOIDED})
MOVES: dict[AttemptState, frozenset[AttemptState]] = {
    S.INTENT: frozenset({S.SENT, S.ABANDONED, S.UNKNOWN}),
    S.SENT: _ANSWERS | {S.IN_PROGRESS, S.ABORTING, S.UNKNOWN, S.NEEDS_REVIEW},
    S.IN_PROGRESS: _ANSWERS | {S.ABORTING, S.UNKNOWN, S.NEEDS_REVIEW},
    S.ABORTING: _ANSWERS | {S.UNKNOWN, S.NEEDS_REVIEW},
    S.UNKNOWN: _ANSWERS | {S.NEEDS_REVIEW},
    S.NEEDS_REVIEW: _ANSWERS | {S.NEEDS_REVIEW},
    S.APPROVED: frozenset({S.VOIDED}),
    S.APPROVED_PARTIAL: frozenset({S.VOIDED}),
    S.APPROVED_OFFLINE: frozenset({S.VOIDED}),
    S.DECLINED: frozenset(),
    S.CANCELLED: frozenset(),
    S.NOT_PROCESSED: frozenset(),
    S.ABANDONED: frozenset(),
    S.VOIDED: frozenset(),
}
"""From each state, where an attempt may go; anything else is a bug. Who waits for a person may learn more of what that person has to know."""


class CardResult(Struct, frozen=True):
    """What a terminal told us that may be kept. There is no field for a PAN, a track, an expiry, a name, a CVV or a PIN.

    ``last_four`` is at most four digits. ``receipt_lines`` are the terminal's own lines for the customer's receipt.
    """

    provider_ref: str = ""
    approval: str = ""
    brand: str = ""
    last_four: str = ""
    entry_mode: str = ""
    verification: str = ""
    merchant_account: str = ""
    receipt_lines: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert len(self.last_four) <= 4, "more of a card number than may be kept"


class Approved(Struct, frozen=True):
    """The other side says that money moved: ``amount_minor`` may be less than asked (partial). Whether it can be believed, ``checked`` says."""

    amount_minor: int
    currency: str
    result: CardResult
    offline: bool = False


class Declined(Struct, frozen=True):
    """No money moved; ``reason`` is a stable key for the screen (``refused``, ``insufficient_funds``, ``card_removed`` ...)."""

    reason: str
    result: CardResult = CardResult()


class Cancelled(Struct, frozen=True):
    """No money moved, because somebody (``customer``, ``associate``, ``timeout``) stopped it."""

    by: str


class NotProcessed(Struct, frozen=True):
    """The other side never took it up (unreachable before the first byte, busy, refused the message)."""

    reason: str


class InFlight(Struct, frozen=True):
    """The other side is still at it; ask again."""

    step: str = ""


class NotFound(Struct, frozen=True):
    """The other side has no such transaction. Final only once the transport is settled."""


class Unknown(Struct, frozen=True):
    """No trustworthy answer. ``reason`` is for the log and the screen's small print; ``approved`` is what the other side says that it approved,
    where that is the reason (MISFITS) and it said what."""

    reason: str
    approved: Approved | None = None


MISFITS = frozenset({"mismatch", "wrong_amount", "wrong_currency"})
"""Why an Unknown is one: the other side approved, but not what was asked for. Money may have moved, so no later "no" of its is believed."""

Outcome = Approved | Declined | Cancelled | NotProcessed | Unknown
"""What a submission ends with; never an exception."""
Finding = Approved | Declined | Cancelled | NotProcessed | InFlight | NotFound | Unknown
"""What a query finds; never an exception."""


class Attempt(Struct, frozen=True):
    """One conversation. ``wire_ref`` is the identifier that the other side will know it by, fixed before anything is sent.

    ``settle_after_ms`` is the wall time after which "not found" may be believed; 0 while unset. ``original`` is the attempt
    that a VOID undoes. ``reason`` says why it ended as it did. ``reported`` is what the other side last said that it approved, where that is not
    what was asked for; None where it never did, or named no amount that there can be. ``operator`` started it: the answer may come when another one
    is signed in.
    """

    id: str
    tender: str
    kind: AttemptKind
    terminal: str
    state: AttemptState
    amount_minor: int
    currency: str
    wire_ref: str
    started_ms: int
    updated_ms: int
    settle_after_ms: int = 0
    original: str = ""
    approved_minor: int = 0
    offline: bool = False
    reason: str = ""
    result: CardResult = CardResult()
    reported: Money | None = None
    operator: str = ""


class Tender(Struct, frozen=True):
    """One way of paying part of a sale, and where it stands.

    ``amount_minor`` is what it was asked to pay, ``settled_minor`` what it did pay towards the sale (0 until settled). For
    cash, ``given_minor`` was put on the counter, ``change_minor`` goes back, and ``rounding_minor`` is the difference between
    what was due and what is due in cash (added to the due amount: negative rounds down).
    """

    id: str
    kind: TenderKind
    amount_minor: int
    settled_minor: int = 0
    given_minor: int = 0
    change_minor: int = 0
    rounding_minor: int = 0
    attempts: tuple[Attempt, ...] = ()

    @property
    def open_attempt(self) -> Attempt | None:
        """The attempt whose outcome is not known yet, if any."""
        return next((attempt for attempt in self.attempts if attempt.state in OPEN), None)

    @property
    def approved_attempt(self) -> Attempt | None:
        """The attempt that moved the money and still stands."""
        return next((attempt for attempt in reversed(self.attempts) if attempt.kind is AttemptKind.SALE and attempt.state in MONEY_MOVED), None)


def state_after(outcome: Finding, asked_minor: int) -> AttemptState:
    """The state that an answer leads to, for an attempt that asked for ``asked_minor``. An approval that does not fit is a person's to judge.

    >>> state_after(Approved(500, "EUR", CardResult()), 1000).value
    'approved_partial'
    """
    match outcome:
        case Approved(offline=True):
            return S.APPROVED_OFFLINE
        case Approved(amount_minor=amount):
            return S.APPROVED if amount >= asked_minor else S.APPROVED_PARTIAL
        case Declined():
            return S.DECLINED
        case Cancelled():
            return S.CANCELLED
        case NotProcessed() | NotFound():
            return S.NOT_PROCESSED
        case InFlight():
            return S.IN_PROGRESS
        case Unknown(reason):
            return S.NEEDS_REVIEW if reason in MISFITS else S.UNKNOWN


def checked(finding: Finding, attempt: Attempt) -> Finding:
    """``finding``, or Unknown for an approval that does not fit what was asked: ``wrong_currency`` and ``wrong_amount``.

    An approval fits with the same currency, more than nothing and not more than was asked for; of a void, with all of it. One of more (a tip nobody
    asked for, another customer's payment), or of a part of what is given back, is a case for a person.
    """
    if not isinstance(finding, Approved):
        return finding
    if finding.currency != attempt.currency:
        return Unknown("wrong_currency", finding)
    least = attempt.amount_minor if attempt.kind is AttemptKind.VOID else 1
    return finding if least <= finding.amount_minor <= attempt.amount_minor else Unknown("wrong_amount", finding)


def reported(approved: Approved) -> Money | None:
    """The money that an approval speaks of; None where there can be no such amount or currency.

    >>> reported(Approved(29900, "EUR", CardResult())), reported(Approved(29900, "?", CardResult()))
    (Money(minor=29900, currency='EUR'), None)
    """
    name = approved.currency
    is_currency = len(name) == 3 and name.isascii() and name.isalpha() and name.isupper()
    return Money(approved.amount_minor, name) if is_currency and 0 <= approved.amount_minor <= AMOUNT_MINOR_MAX else None
