"""What a journal that lost its end leaves to be looked at: its card payments, what became of which is lost with it, and facts that are not whole in it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import structlog
from msgspec import Struct

from edge_agent.domain.errors import StorageError
from edge_agent.domain.money import digits
from edge_agent.domain.tender import MONEY_MOVED, OPEN, Attempt
from edge_agent.service.codec import replayed
from sync.journal_aside import journals_aside, reader_of, told_of

log = structlog.get_logger(__name__)


class LostPayments(Struct, frozen=True):
    """Of the journal at ``aside``: a sentence for each payment that somebody has to see to. They are seen to once that file is taken away."""

    aside: Path
    told: tuple[str, ...]


def lost_payments(folder: Path, key: bytes) -> list[LostPayments]:
    """What the journals that were moved aside in ``folder`` leave to be looked at; logged as well."""
    return [LostPayments(aside, _told(aside, key)) for aside in journals_aside(folder)]


def _told(aside: Path, key: bytes) -> tuple[str, ...]:
    done = f"Then move {aside} out of its folder."
    left = tuple(f"In the journal that lost its end, {aside.name}: {text}" for text in told_of(aside))
    try:
        attempts = _unsettled(aside, key)
    except (StorageError, AssertionError, StopIteration) as problem:
        log.warning("a journal that lost its end cannot be read", journal=str(aside), detail=str(problem))
        return (
            *left,
            f"The journal that lost its end, {aside.name}, cannot be read: look through the terminals' records for payments without a sale. {done}",
        )
    for attempt in attempts:
        log.warning("a card payment in a journal that lost its end was not settled", journal=str(aside), amount=_amount(attempt), terminal=attempt.terminal)
    return left + tuple(
        f"In the journal that lost its end, {aside.name}, a card payment of {_amount(attempt)} at {attempt.terminal} was not settled: what became of it and "
        f"of its sale is lost. Look for it in the terminal's records. {done}"
        for attempt in attempts
    )


def _unsettled(aside: Path, key: bytes) -> list[Attempt]:
    """Those whose outcome was not known, or that no completed sale has yet, or about which a person's decision was still checked. Raises StorageError."""
    reader = reader_of(aside, key)
    try:
        state, _ = replayed(reader)
    finally:
        reader.close()
    held = [attempt for basket in state.baskets for attempt in basket.attempts if attempt.state in OPEN | MONEY_MOVED]
    return list({attempt.id: attempt for attempt in [*held, *(decided.attempt for decided in state.reviewed)]}.values())


def _amount(attempt: Attempt) -> str:
    return f"{Decimal(attempt.amount_minor).scaleb(-digits(attempt.currency))} {attempt.currency}"
