"""Keeps a PC that has not finished as one register from becoming another one by a code that was mixed up."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from edge_agent.domain.errors import ConfigError, JournalLocked, StorageError
from edge_agent.service.codec import replayed
from sync.enrolment import Enrolment
from sync.file_lock import FileLock
from sync.identity import ALONE
from sync.journal_disk import FILE_NAME, LOCK_NAME
from sync.journal_read import JournalReader
from sync.journal_rescue import has_content
from sync.keys import Keys


class _Left(Struct, frozen=True):
    """What a journal's register, by its ``source``, has not finished."""

    source: str
    facts: int
    shift: bool
    baskets: int
    runs: bool

    def __str__(self) -> str:
        parts = (
            _many(self.facts, "fact that central does not have", "facts that central does not have"),
            "an open shift" if self.shift else "",
            _many(self.baskets, "basket that is not paid", "baskets that are not paid"),
            "its service, which runs and goes on selling as it" if self.runs else "",
        )
        return ", ".join(filter(None, parts))


def require_same_register(keys: Keys, enrolment: Enrolment, *, leave_behind: bool = False) -> None:
    """Raise ConfigError (reason ``other_register``) when ``enrolment`` is another register's than the journal's, which has not finished as it is. What is
    left of that one may be left behind, but its service has to stop."""
    left = _left(keys)
    if left is not None and leave_behind:
        left = replace(left, facts=0, shift=False, baskets=0)
    if left is None or left.source in (ALONE.source, enrolment.identity.source) or not str(left):
        return
    ours, other = register_named(left.source), register_named(enrolment.identity.source)
    raise ConfigError(
        f"The code is for {other}, but this PC is {ours} and still has of it: {left}. Nothing was changed here: it stays {ours}.",
        hint=f"The code was used all the same; a PC that is {other} has to be enrolled again. If this one is to become it: close the shift and finish the "
        "baskets, wait until `edge-agent status` says that no facts wait, stop the service, then give this command again while the code is valid. What can "
        "never be sent (the register is another PC's, or gone) stays in the journal with --leave-behind. Else ask for a code of its own register.",
        reason="other_register",
    )


def _left(keys: Keys) -> _Left | None:
    """None where there is no journal, or none that can be read: then a new enrolment may be what mends it."""
    if not has_content(keys.folder / FILE_NAME):
        return None
    try:
        reader = JournalReader.open(keys.folder, keys.journal_key())
    except ConfigError:
        return None
    try:
        source, state = reader.identity().source, replayed(reader)[0]
        return _Left(source, reader.waiting_by_source().get(source, 0) + reader.withheld_count(), state.shift is not None, len(state.baskets), _runs(keys))
    except StorageError:
        return None
    finally:
        reader.close()


def _runs(keys: Keys) -> bool:
    lock = FileLock(keys.folder / LOCK_NAME)
    try:
        lock.take()
    except JournalLocked:
        return True
    lock.release()
    return False


def register_named(source: str) -> str:
    """A register by its source, for people."""
    _, _, tenant, _, store, _, register = source.split("/")
    return f"register {register} of store {store} ({tenant})"


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}" if count else ""
