"""Forgets customers in a journal that no service runs on."""

from __future__ import annotations

from collections.abc import Collection

from edge_agent.clock import NewId
from edge_agent.domain.events import CustomerForgotten
from edge_agent.domain.register import evolve
from edge_agent.ports import Commit, Journal
from edge_agent.service.codec import event_row, replayed, write_state


async def forget_in_files(journal: Journal, new_id: NewId, persons: Collection[str]) -> bool:
    """Destroy their keys, and have no basket be theirs that lies open or set aside, at the prices it has; false when there was nothing of them.

    Raises StorageError; a journal whose state cannot be read loses the keys all the same.
    """
    known = await journal.forget(*persons)
    state, _ = replayed(journal)
    events = [CustomerForgotten(basket.id) for basket in state.baskets if basket.customer is not None and basket.customer.id in persons]
    if not known and not events:
        return False
    for event in events:
        state = evolve(state, event)
    await journal.commit(Commit(new_id(), [event_row(event) for event in events], snapshot=write_state(state)))
    return True
