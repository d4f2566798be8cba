"""What a terminal's answer means for an attempt: a table, and the doubts that keep an answer from being believed."""

from __future__ import annotations

from drivers.terminals.counter_link.lines import Result, Status
from edge_agent.domain.tender import (
    Approved,
    Attempt,
    AttemptKind,
    Cancelled,
    Declined,
    Finding,
    InFlight,
    NotFound,
    NotProcessed,
    Outcome,
    Unknown,
    believable,
)

NEVER_TAKEN_UP = frozenset({"busy", "malformed", "unsupported", "currency", "amount", "original_unknown"})
"""The refusals that say for sure that nothing was started; any other one is a case for a query."""

CANCELLERS = frozenset({"customer", "associate", "timeout"})


def outcome_of(result: Result, attempt: Attempt) -> Outcome:
    """What a submission ended with.

    ========================================================  ==========================================
    the terminal says                                         outcome
    ========================================================  ==========================================
    a result of another reference                             Unknown ``other_ref``
    approved, in another currency                             Unknown ``wrong_currency``
    approved, for nothing or for more than was asked          Unknown ``wrong_amount``
    a void approved, for another amount than asked            Unknown ``wrong_amount``
    approved                                                  Approved (less than asked: partial)
    declined, cancelled                                       Declined, Cancelled
    refused, reason in NEVER_TAKEN_UP                         NotProcessed with the reason
    refused otherwise (``ref_known``, a reason not known)     Unknown ``refused``
    ========================================================  ==========================================
    """
    if result.ref != attempt.wire_ref:
        return Unknown("other_ref")
    match result.outcome:
        case "approved":
            approved = Approved(result.amount_minor, result.currency, result.card, result.offline)
            return approved if _fits(approved, attempt) else Unknown("wrong_currency" if approved.currency != attempt.currency else "wrong_amount")
        case "declined":
            return Declined(result.reason, result.card)
        case "cancelled":
            return Cancelled(result.by if result.by in CANCELLERS else "customer")
        case _:
            return NotProcessed(result.reason) if result.reason in NEVER_TAKEN_UP else Unknown("refused")


def finding_of(status: Status, attempt: Attempt) -> Finding:
    """What a query found. An approval in the books that does not fit what was asked is ``Unknown("mismatch")``: a case for a person."""
    if status.ref != attempt.wire_ref:
        return Unknown("other_ref")
    match status.state:
        case "in_flight":
            return InFlight(status.step)
        case "not_found":
            return NotFound()
        case _:
            assert status.result is not None, "done without a result"
            found = outcome_of(status.result, attempt)
            return Unknown("mismatch") if found in (Unknown("wrong_currency"), Unknown("wrong_amount")) else found


def _fits(approved: Approved, attempt: Attempt) -> bool:
    if attempt.kind is AttemptKind.VOID and approved.amount_minor != attempt.amount_minor:
        return False
    return believable(approved, attempt)
