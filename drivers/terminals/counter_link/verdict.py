"""What a terminal's answer means for an attempt: a table, and the doubts that keep an answer from being believed.

An approval is handed on as the terminal said it, whatever its amount and currency: whether it fits what was asked is decided above, and what was
taken instead is kept for whoever has to clear it up.
"""

from __future__ import annotations

from drivers.terminals.counter_link.lines import Result, Status
from edge_agent.domain.tender import (
    Approved,
    Attempt,
    Cancelled,
    Declined,
    Finding,
    InFlight,
    NotFound,
    NotProcessed,
    Outcome,
    Unknown,
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
    approved                                                  Approved, with the amount and currency it says
    declined, cancelled                                       Declined, Cancelled
    refused, reason in NEVER_TAKEN_UP                         NotProcessed with the reason
    refused otherwise (``ref_known``, a reason not known)     Unknown ``refused_unclear``
    ========================================================  ==========================================
    """
    if result.ref != attempt.wire_ref:
        return Unknown("other_ref")
    match result.outcome:
        case "approved":
            return Approved(result.amount_minor, result.currency, result.card, result.offline)
        case "declined":
            return Declined(result.reason, result.card)
        case "cancelled":
            return Cancelled(result.by if result.by in CANCELLERS else "customer")
        case _:
            return NotProcessed(result.reason) if result.reason in NEVER_TAKEN_UP else Unknown("refused_unclear")


def finding_of(status: Status, attempt: Attempt) -> Finding:
    """What a query found: the same of a result that is in the books."""
    if status.ref != attempt.wire_ref:
        return Unknown("other_ref")
    match status.state:
        case "in_flight":
            return InFlight(status.step)
        case "not_found":
            return NotFound()
        case _:
            assert status.result is not None, "done without a result"
            return outcome_of(status.result, attempt)
