"""Remembers that a register has begun its journal, so that one that is missing is met as a loss and not as a first start.

``enrolment.begun`` (beside the enrolment, and not named like the journal's own files, which go together) says under which enrolment the journal was
begun. With that enrolment and without a journal nothing is opened: a new, empty journal would count its receipts from the first number again, and hide that
sales are lost. Enrolling anew gives a new epoch, and with it a new journal may begin.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from sync.cipher import storage_error
from sync.contract.fields import UNREADABLE
from sync.durable_files import write_synced
from sync.identity import Identity
from sync.journal_aside import move_aside
from sync.journal_disk import BALLAST_NAME, FILE_NAME
from sync.journal_high import HIGH
from sync.journal_rescue import RESCUED, SIDE_FILES, has_content, missing, set_aside

BEGUN_NAME = "enrolment.begun"
RECEIPTS_PER_EPOCH = 1_000_000
EPOCHS_MAX = 999
"""A receipt number has at most nine digits. Journals of later epochs share the last million: then numbers could repeat."""


def require_journal(folder: Path, who: Identity) -> None:
    """Raise JournalCorrupt (reason ``missing``) when ``who`` has begun a journal in ``folder`` that is not there; OSError.

    Where nothing says who began it, what else a journal leaves behind counts as well. What a lost journal left is moved aside before a new one begins.
    """
    path = folder / FILE_NAME
    if has_content(path) or any(folder.glob(f"{RESCUED}*.db")):
        return
    began = begun_by(folder)
    if began is None:
        if not has_content(folder / BALLAST_NAME) and not has_content(path.with_name(f"{path.name}-wal")):
            return
        say_begun(folder, who)  # a later enrolment is another one
    if began in (None, who):
        raise missing(path)
    for end in ("", *SIDE_FILES, HIGH):
        set_aside(path.with_name(f"{path.name}{end}"))


def set_aside_lost(folder: Path, who: Identity) -> bool:
    """Move a journal that lost its end aside when another enrolment than ``who`` began it, so that a new one begins; false where it is ``who``'s. OSError.

    Where nothing says who began it, it counts as ``who``'s, and a later enrolment as another one.
    """
    if begun_by(folder) in (None, who):
        say_begun(folder, who)
        return False
    move_aside(folder / FILE_NAME)
    return True


def say_begun(folder: Path, who: Identity) -> None:
    """Keep that the journal in ``folder`` is ``who``'s. Raises StorageError."""
    if begun_by(folder) != who:
        path = folder / BEGUN_NAME
        try:
            write_synced(path, msgspec.json.encode(who) + b"\n")
        except OSError as problem:
            raise storage_error(problem, path) from problem


def receipts_before(who: Identity) -> int:
    """The receipt number after which a journal that begins under this enrolment counts on: no earlier one of the register came so far.

    >>> receipts_before(Identity("/t/acme/s/0001/r/02", "1")), receipts_before(Identity("/t/acme/s/0001/r/02", "3"))
    (0, 2000000)
    """
    return (min(int(who.epoch), EPOCHS_MAX) - 1) * RECEIPTS_PER_EPOCH


def begun_by(folder: Path) -> Identity | None:
    """Under which enrolment the journal in ``folder`` was begun, where that is known."""
    try:
        return msgspec.json.decode((folder / BEGUN_NAME).read_bytes(), type=Identity)
    except (FileNotFoundError, *UNREADABLE):
        return None
