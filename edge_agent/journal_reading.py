"""What IT asks of the journal, and has changed in it: by the running service, or in the files themselves where none answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from edge_agent.attach import Opened
from edge_agent.client import AgentClient, ApiProblem, ServiceUnreachable
from edge_agent.clock import ClockIds, SystemClock, SystemRandom
from edge_agent.config import Config
from edge_agent.domain.errors import ConfigError, JournalCorrupt, StorageFailed
from edge_agent.service.codec import shown_body
from edge_agent.service.forgetting import forget_in_files
from edge_agent.views import EventView, ForgottenView, ResentView, VerificationView
from sync.durable_files import own_folder
from sync.journal import Journal
from sync.journal_begun import BEGUN_NAME
from sync.journal_read import JournalReader
from sync.journal_rescue import missing
from sync.keys import Keys
from sync.replica_people import PeopleReplica

T = TypeVar("T")

NOT_SERVED = 404
"""A service whose journal does not open says why nothing can be sold, and knows nothing of the journal."""


def journal_verification(config: Config, opened: Opened) -> VerificationView:
    """Check the whole journal."""

    def own(journal: JournalReader) -> VerificationView:
        found = journal.verify()
        return VerificationView(found.events, found.facts, list(found.problems))

    result: VerificationView = asyncio.run(_either(config, opened, lambda client: client.verification(), own))
    return result


def journal_tail(config: Config, opened: Opened, count: int) -> list[EventView]:
    """The newest events. Raises JournalCorrupt when those that can be read are not the newest."""

    def own(journal: JournalReader) -> list[EventView]:
        journal.require_end()
        return [EventView(stored.position, stored.at_ms, stored.row.type, shown_body(stored.row)) for stored in journal.tail(count)]

    result: list[EventView] = asyncio.run(_either(config, opened, lambda client: client.journal_tail(count), own))
    return result


def journal_export(config: Config, opened: Opened, write: Callable[[bytes], object]) -> None:
    """All facts and events as NDJSON. Raises JournalCorrupt after what could be read of a damaged journal."""

    async def asked(client: AgentClient) -> None:
        begun = False
        try:
            async for piece in client.journal_export():
                write(piece)
                begun = True
        except ServiceUnreachable as broken:
            if not begun:
                raise
            told = f"What was written is not the whole journal: it broke off. {broken}."
            raise StorageFailed(told, hint="Export again, and take what comes: a reader that takes nothing for a minute is given up.") from broken

    def own(journal: JournalReader) -> None:
        try:
            for line in journal.export():
                write(line)
            journal.require_end()
        except JournalCorrupt as problem:
            told = f"What was written is not the whole journal. {problem.message}"
            raise JournalCorrupt(told, hint=problem.hint, reason=problem.reason, **problem.args_shown) from problem

    asyncio.run(_either(config, opened, asked, own))


def journal_forget(config: Config, opened: Opened, customer: str) -> ForgottenView:
    """Forget a customer for good."""

    async def own(journal: Journal, key: bytes) -> ForgottenView:
        known = await forget_in_files(journal, ClockIds(SystemClock(), SystemRandom()), [customer])
        people = PeopleReplica(own_folder(config.folder / "replica", "the copy of what central publishes"), key, SystemClock())
        try:
            return ForgottenView(customer, known, people.customer(customer) is not None)
        finally:
            people.close()

    return asyncio.run(_changed(config, opened, lambda client: client.journal_forget(customer), own))


def journal_resend(config: Config, opened: Opened) -> ResentView:
    """Put the facts that central could not take into their streams again."""

    async def own(journal: Journal, _: bytes) -> ResentView:
        return ResentView(*await journal.resend())

    return asyncio.run(_changed(config, opened, lambda client: client.journal_resend(), own))


async def _changed(config: Config, opened: Opened, asked: Callable[[AgentClient], Awaitable[T]], own: Callable[[Journal, bytes], Awaitable[T]]) -> T:
    """Have the running service do it; only where none answers, do it in the files. Raises JournalLocked where one has them and does not answer."""
    try:
        async with opened(config) as client:
            return await asked(client)
    except ServiceUnreachable as unreachable:
        _require_journal(config, unreachable)
        _require_owner(config, unreachable)
    except ApiProblem as problem:
        if problem.problem.status != NOT_SERVED:
            raise
    clock, random = SystemClock(), SystemRandom()
    key = Keys.here(config.folder, random, os.environ).journal_key()
    async with Journal.open(config.folder, key, clock=clock, random=random, new_id=ClockIds(clock, random), visit=True) as journal:
        return await own(journal, key)


def _require_owner(config: Config, unreachable: ServiceUnreachable) -> None:
    """Raise ConfigError for another user than the journal's, root among them: what they leave beside it the service could not write."""
    owner = (config.folder / "journal.db").stat().st_uid
    if os.name == "posix" and owner != os.geteuid():
        raise ConfigError(
            f"The service does not answer ({unreachable}), and its files are another user's.",
            hint="Start it (`systemctl start edge-agent`) and give this command again, or give it as the service's user: runuser -u edge-agent -- ...",
            reason="not_owner",
        )


@contextmanager
def _own_journal(config: Config) -> Iterator[JournalReader]:
    """The journal's file, when no service answers for it. Raises ConfigError without its key, StorageError."""
    reader = JournalReader.open(config.folder, Keys.here(config.folder, SystemRandom(), os.environ).journal_key())
    try:
        yield reader
    finally:
        reader.close()


async def _either(config: Config, opened: Opened, asked: Callable[[AgentClient], Awaitable[Any]], own: Callable[[JournalReader], Any]) -> Any:
    """Ask the running service; only when none answers, or one that cannot open its journal, open the files."""
    try:
        async with opened(config) as client:
            return await asked(client)
    except ServiceUnreachable as unreachable:
        _require_journal(config, unreachable)
    except ApiProblem as problem:
        if problem.problem.status != NOT_SERVED:
            raise
    with _own_journal(config) as journal:
        return own(journal)


def _require_journal(config: Config, unreachable: ServiceUnreachable) -> None:
    """Raise ConfigError where there is no journal yet, JournalCorrupt where it is lost, and ``unreachable`` where this user may not even look for it."""
    try:
        there = (config.folder / "journal.db").exists()
        was_there = (config.folder / BEGUN_NAME).exists()
    except PermissionError:
        raise unreachable from None
    if was_there and not there:
        raise missing(config.folder / "journal.db") from None
    if not there:
        raise ConfigError(
            f"There is no journal in {config.folder} yet.",
            hint=f"The first `edge-agent run` makes it. The folder is what key 'state' says in {config.source}.",
            reason="no_journal",
        ) from None
