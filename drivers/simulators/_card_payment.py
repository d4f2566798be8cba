"""One payment or void at the simulated card terminal: its steps, its end in the books, and what is said about it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from drivers.simulators._card_ledger import APPROVED, CANCELLED, DECLINED, Entry
from drivers.simulators._card_plan import Plan

Say = Callable[[Mapping[str, object]], None]

CUSTOMER_SECONDS_MAX = 120.0
"""A customer who does nothing for this long ends the payment."""
REPEAT_SECONDS = 2.0
"""While a step lasts it is said again this often."""

RECEIPT_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {"contactless": "contactless", "approval": "Approval", "payment": "Payment", "void": "Void"},
    "de": {"contactless": "kontaktlos", "approval": "Genehmigungs-Nr.", "payment": "Zahlung", "void": "Storno"},
}
"""What stands in the lines that the terminal gives for the customer's receipt, in each language that it can be set to."""

_BRANDS = ("girocard", "Visa", "Mastercard")
_STOPPABLE = ("present_card", "enter_pin")


class Payment:
    """Runs ``entry`` by ``plan``. ``say`` sends one line to the client that asked, if it is still there; ``book`` writes to the ledger."""

    def __init__(self, entry: Entry, plan: Plan, step_seconds: float, say: Say, book: Callable[[Entry], Entry], changed: Callable[[], None]) -> None:
        self.entry = entry
        self.plan = plan
        self.step = ""
        self._step_seconds = step_seconds
        self._say = say
        self._book = book
        self._changed = changed
        self._nudge = asyncio.Event()  # somebody stopped or released it
        self._stopped_by = ""
        self._released = False

    def stop(self, by: str) -> bool:
        """Somebody (``customer``, ``associate``) wants to stop it; whether that is not too late."""
        if self.plan.abort_late and by == "associate":
            return True
        if self.step not in _STOPPABLE or self.entry.kind != "payment":
            return False
        self._stopped_by = self._stopped_by or by
        self._nudge.set()
        return True

    def release(self) -> None:
        """Go on from the step that the plan holds at."""
        self._released = True
        self._nudge.set()

    async def run(self) -> Entry:
        """Work until the end is in the books; the entry."""
        if self.entry.kind == "payment":
            await self._stage("present_card", self._step_seconds)
            if self.plan.cancel:
                self.stop("customer")
            await self._stage("enter_pin", self._step_seconds)
        await self._stage("contacting_bank", max(self._step_seconds, self.plan.slow))
        self.entry = self._book(self._ended())
        if self.entry.state == APPROVED and self.entry.kind == "payment":
            await self._stage("remove_card", self._step_seconds)
        return self.entry

    async def _stage(self, step: str, seconds: float) -> None:
        """Stay at ``step`` for ``seconds``, or until released; nothing happens when the payment was stopped before."""
        if self._stopped_by:
            return
        self.step = step
        self._released = False
        self._changed()
        loop = asyncio.get_running_loop()
        held = self.plan.hold == step
        until = loop.time() + (CUSTOMER_SECONDS_MAX if held else seconds)
        while not self._stopped_by and not (held and self._released):
            self._say({"say": "step", "ref": self.entry.ref, "step": step})
            await self._nudged(min(REPEAT_SECONDS, until - loop.time()))
            if loop.time() >= until:
                if held:
                    self.stop("timeout")
                return

    async def _nudged(self, seconds: float) -> None:
        self._nudge.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0.0)):
                await self._nudge.wait()

    def _ended(self) -> Entry:
        if self._stopped_by:
            return replace(self.entry, state=CANCELLED, detail=self._stopped_by)
        if self.plan.decline:
            return replace(self.entry, state=DECLINED, detail=self.plan.decline)
        booked = self.entry.asked_minor if self.plan.booked < 0 or self.entry.kind == "void" else self.plan.booked
        return approved(self.entry, booked, self.plan.offline)


def approved(entry: Entry, booked_minor: int, offline: bool = False) -> Entry:
    """``entry`` with the bank's yes."""
    return replace(entry, state=APPROVED, booked_minor=booked_minor, offline=offline, provider_ref=f"SIM-{_number(entry.ref, 10_000_000_000):010}")


def result_of(entry: Entry, language: str) -> dict[str, object]:
    """The members that tell how ``entry`` ended, as the books have it; the lines for the receipt in ``language``."""
    match entry.state:
        case "approved":
            card = _card(entry, RECEIPT_WORDS[language])
            return {"outcome": "approved", "amountMinor": entry.booked_minor, "currency": entry.currency, "offline": entry.offline, "card": card}
        case "declined":
            return {"outcome": "declined", "reason": entry.detail}
        case "cancelled":
            return {"outcome": "cancelled", "by": entry.detail}
        case _:
            raise AssertionError(f"has not ended: {entry.state}")


def told(result: dict[str, object], plan: Plan) -> dict[str, object]:
    """``result`` with what the plan has the terminal say instead of the truth."""
    lies: dict[str, object] = {}
    if plan.told_amount >= 0 and "amountMinor" in result:
        lies["amountMinor"] = plan.told_amount
    if plan.told_currency and "currency" in result:
        lies["currency"] = plan.told_currency
    if plan.leak:
        lies["pan"] = "4111111111111111"
        lies["card"] = {"pan": "4111111111111111", "track2": ";4111111111111111=27121010000012345678?", "expiry": "2712", "cvv": "123", "holder": "A CUSTOMER",
                        "brand": "Visa", "lastFour": "4111111111111111", "receiptLines": ["Card 4111 1111 1111 1111"]}  # fmt: skip
    return result | lies


def _card(entry: Entry, words: Mapping[str, str]) -> dict[str, object]:
    brand, last_four, approval = _BRANDS[_number(entry.ref, len(_BRANDS))], f"{_number(entry.ref, 10_000):04}", f"{_number(entry.ref, 1_000_000):06}"
    lines = [brand, f"************{last_four}", words["contactless"], f"{words['approval']} {approval}", words[entry.kind]]
    return {
        "providerRef": entry.provider_ref,
        "approval": approval,
        "brand": brand,
        "lastFour": last_four,
        "entryMode": "contactless",
        "verification": "pin",
        "merchantAccount": "SIM-MERCHANT",
        "receiptLines": lines,
    }


def _number(ref: str, below: int) -> int:
    return int.from_bytes(hashlib.sha256(ref.encode()).digest()[:8], "big") % below
