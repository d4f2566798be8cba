"""Every expected failure of the product, in one tree.

::

    EdgeError
    ├── InputError
    │   ├── CodeInvalid
    │   ├── CodeUnknown
    │   └── FrameRejected
    ├── RuleError
    │   ├── NotAllowed
    │   ├── NotNow
    │   └── OutOfBounds
    ├── ConfigError
    ├── DeviceError
    │   ├── DeviceAbsent
    │   ├── DeviceBusy
    │   ├── DeviceDenied
    │   └── DeviceLost
    ├── StorageError
    │   ├── DiskFull
    │   ├── JournalCorrupt
    │   ├── JournalLocked
    │   └── StorageFailed
    └── CentralError
        ├── CentralUnreachable
        ├── CentralRefused
        ├── CentralConflict
        ├── RegisterFrozen
        └── ContractBroken

Each class has a stable ``code`` (clients and logs match on it) and a ``retry``; each instance has a ``hint``: one sentence, in
the imperative, that the person who reads it can act on. A payment attempt never answers with an exception but with an outcome
(``tender.py``). A bug is an assertion, not an ``EdgeError``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import ClassVar, Self


class Retry(Enum):
    """Whether the same request can succeed without anybody changing something first."""

    NEVER = "never"
    LATER = "later"


class EdgeError(Exception):
    """The root: an expected failure with a stable code, what happened, and what to do about it.

    ``args_shown`` are the values of the message by name, as text, so that a screen can say the same sentence in its own
    language under ``code`` (or the narrower ``reason`` where one class covers several sentences).

    >>> CodeUnknown("Not in the catalogue: 4006381333931.", hint="Find it by name.", reason="article_unknown", code="4006381333931").key
    'code_unknown.article_unknown'
    """

    code: ClassVar[str] = "edge_error"
    retry: ClassVar[Retry] = Retry.NEVER

    def __init__(self, message: str, *, hint: str, reason: str = "", **shown: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.reason = reason
        self.args_shown: dict[str, str] = {name: str(value) for name, value in shown.items()}

    @property
    def key(self) -> str:
        """The key of this failure's sentence in a catalogue of strings: ``code`` or ``code.reason``."""
        return f"{self.code}.{self.reason}" if self.reason else self.code

    def again(self) -> Self:
        """The same failure for one more caller: an exception of its own, because one that is raised again and again grows its traceback."""
        return type(self)(self.message, hint=self.hint, reason=self.reason, **self.args_shown)


class InputError(EdgeError):
    """What came in from outside cannot be used."""

    code = "input_invalid"


class CodeInvalid(InputError):
    """A scanned or typed code breaks its own rules (check digit, length, characters)."""

    code = "code_invalid"


class CodeUnknown(InputError):
    """A well-formed code that nothing here answers to."""

    code = "code_unknown"


class FrameRejected(InputError):
    """Bytes from a device that do not form a frame within the limits."""

    code = "frame_rejected"


class RuleError(EdgeError):
    """Understood, but the shop's rules say no."""

    code = "rule_refused"


class NotAllowed(RuleError):
    """The operator who is signed in has no right to do this."""

    code = "not_allowed"


class NotNow(RuleError):
    """Not in this state: something else has to be finished first."""

    code = "not_now"


class OutOfBounds(RuleError):
    """A value is outside the limits that the shop or the product sets."""

    code = "out_of_bounds"


class ConfigError(EdgeError):
    """A configuration cannot be used: file, key, expected, got. ``others`` are the mistakes that were found beside this one."""

    code = "config_invalid"
    others: tuple[ConfigError, ...] = ()

    @property
    def each(self) -> tuple[ConfigError, ...]:
        """All mistakes, this one first."""
        return (self, *self.others)

    @classmethod
    def together(cls, found: Sequence[ConfigError]) -> ConfigError:
        """One error for all of ``found``, at least one: the first, which knows the others."""
        first, *others = [mistake for error in found for mistake in error.each]
        first.others = tuple(others)
        return first


class DeviceError(EdgeError):
    """A device on the counter did not do what it was asked."""

    code = "device_failed"
    retry = Retry.LATER


class DeviceAbsent(DeviceError):
    """The device is not plugged in, or nothing answers at its address."""

    code = "device_absent"


class DeviceBusy(DeviceError):
    """Another program holds the device."""

    code = "device_busy"


class DeviceDenied(DeviceError):
    """The operating system does not let this user open the device."""

    code = "device_denied"
    retry = Retry.NEVER


class DeviceLost(DeviceError):
    """The device went away while it was in use."""

    code = "device_lost"


class StorageError(EdgeError):
    """The register's own files cannot be read or written."""

    code = "storage_failed_any"


class DiskFull(StorageError):
    """There is no room to write; selling stops, nothing acknowledged is lost."""

    code = "disk_full"
    retry = Retry.LATER


class JournalCorrupt(StorageError):
    """The journal does not verify: its pages or its chain are damaged."""

    code = "journal_corrupt"


class JournalLocked(StorageError):
    """Another service already runs on this journal."""

    code = "journal_locked"


class StorageFailed(StorageError):
    """A write or a sync failed for another reason; selling stops until the file was reopened and verified."""

    code = "storage_failed"
    retry = Retry.LATER


class CentralError(EdgeError):
    """Central could not be asked, or did not agree."""

    code = "central_failed"
    retry = Retry.LATER


class CentralUnreachable(CentralError):
    """No answer in time: the network, a proxy or central itself."""

    code = "central_unreachable"


class CentralRefused(CentralError):
    """Central knows us and says no (revoked, expired, not permitted)."""

    code = "central_refused"
    retry = Retry.NEVER


class CentralConflict(CentralError):
    """Somebody else was first: the thing has changed or is held."""

    code = "central_conflict"
    retry = Retry.NEVER


class RegisterFrozen(CentralError):
    """Central froze this register: two machines wrote under one identity, or it was revoked."""

    code = "register_frozen"
    retry = Retry.NEVER


class ContractBroken(CentralError):
    """The other side's bytes are not what the contract says."""

    code = "contract_broken"
    retry = Retry.NEVER
