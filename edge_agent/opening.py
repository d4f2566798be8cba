"""Opens the journal of an enrolled register: the one that it has begun, or, once, a new one. Under a new enrolment either counts its receipts where no
earlier one came."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog
from msgspec.structs import replace

from edge_agent.clock import Clock, ClockIds, Random
from edge_agent.domain.errors import JournalCorrupt
from edge_agent.other_register import register_named
from edge_agent.ports import Commit
from edge_agent.service.codec import replayed, write_state
from sync.enrolment import Enrolment
from sync.identity import ALONE, Identity
from sync.journal import Journal
from sync.journal_aside import journals_aside, told_of
from sync.journal_begun import begun_by, receipts_before, require_journal, say_begun, set_aside_lost
from sync.keys import Keys

log = structlog.get_logger(__name__)


async def open_journal(folder: Path, who: Identity, keys: Keys, clock: Clock, random: Random) -> tuple[Journal, bytes]:
    """The journal in ``folder`` and its key. Raises StorageError (also for a journal that is missing), JournalLocked, ConfigError."""
    began = begun_by(folder)
    require_journal(folder, who)  # before the key: none is made for a journal that may come back
    key = keys.journal_key()
    new_id = ClockIds(clock, random)
    try:
        journal = Journal.open(folder, key, clock=clock, random=random, new_id=new_id)
    except JournalCorrupt as problem:
        if problem.reason != "tail_lost" or not set_aside_lost(folder, who):
            raise
        log.warning("a journal that lost its end was moved aside", detail=problem.message)
        journal = Journal.open(folder, key, clock=clock, random=random, new_id=new_id)
    try:
        if began not in (None, who) and journal.identity == ALONE:
            await _take_over(journal, folder)
        await _count_on(journal, who, new_id)
        say_begun(folder, who)
    except BaseException:
        await journal.close()
        raise
    return journal, key


async def _take_over(journal: Journal, folder: Path) -> None:
    """A new journal goes on with the facts of the one that was moved aside, which central may not have."""
    for aside in journals_aside(folder)[-1:]:
        facts = await journal.take_over(aside)
        log.info("facts taken over from the journal that was moved aside", facts=facts, journal=str(aside))
        for text in told_of(aside):
            log.error("a journal that was moved aside is damaged", journal=str(aside), detail=text)


async def take_up(journal: Journal, enrolment: Enrolment) -> list[str]:
    """Issue facts under ``enrolment`` from now on. What is another register's is not sent under it: it waits until this device is that register again. A
    sentence for each of those."""
    moved = await journal.adopt(enrolment.identity, enrolment.register.earlier)
    if moved:
        log.info("facts issued anew under a new epoch", facts=moved)
    waiting = await asyncio.to_thread(journal.waiting_by_source)
    others = sorted(waiting.keys() - {enrolment.identity.source})
    for source in others:
        log.warning("facts of another register wait here until this device is enrolled as it again", register=source, facts=waiting[source])
    then = "They are sent when it is enrolled as that again."
    return [f"{waiting[source]} facts of {register_named(source)} wait in this PC's journal. {then}" for source in others]


async def _count_on(journal: Journal, who: Identity, new_id: ClockIds) -> None:
    """A number that stands on a customer's paper is not used again. The journal that knew it may be lost, or on the PC before this one; or this one is
    an image of the disk from before it. So each enrolment counts on from where no earlier one came, whatever the journal knows.

    What another register counted, which this PC was before, is not gone on with: its numbers may be those of a later epoch of this one. What this one
    counted here before that is.
    """
    new, was = journal.position() == 0 and journal.load()[0] is None, journal.identity
    state, codes = replayed(journal)[0], who.receipt_codes
    counted = state.receipt_codes or (codes if was == ALONE else was.receipt_codes)
    if not new and was == who and counted == codes:
        return
    known = state.receipts if counted == codes else await asyncio.to_thread(journal.receipts_used, codes)
    receipts = max(known, receipts_before(who))
    if (state.receipts, counted) != (receipts, codes):
        snapshot = write_state(replace(state, receipts=receipts, receipt_codes=codes))
        await journal.commit(Commit(new_id(), (), snapshot=snapshot))
        log.info("a new enrolment counts its receipts on", known=known, receipts_after=receipts)
