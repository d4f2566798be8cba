"""Who is at the register: opening and closing the shift, and signing in."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from edge_agent.domain import commands as do
from edge_agent.domain.errors import CodeUnknown, EdgeError, NotNow
from edge_agent.domain.moments import wall_time
from edge_agent.domain.shift import Operator
from edge_agent.domain.tender import AttemptState
from edge_agent.service.core import Core
from edge_agent.service.desk import Opening


class Day:
    """The shift and the operator."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def operator(self, badge: str) -> Operator:
        """The member of staff with this badge. Raises CodeUnknown (reason ``badge``; ``badge_coming`` while there is no list yet)."""
        digits = badge.upper().removeprefix("STAFF-")
        found = self._core.ports.people.operator(digits) or self._core.ports.people.operator(badge)
        if found is None and "staff" in self._core.desk.coming:
            text = "The list of staff has not come from central yet."
            raise CodeUnknown(text, hint="It comes by itself; then scan the badge again.", reason="badge_coming", code=badge)
        if found is None:
            raise CodeUnknown(f"The badge {badge} belongs to nobody here.", hint="Check the badge, or ask a manager.", reason="badge", code=badge)
        return found

    async def open(self, badge: str, float_minor: int, command_id: str) -> None:
        """Open a shift. Raises CodeUnknown (a badge that waited for the float and is nobody's any more is asked for again), NotNow, StorageError."""
        try:
            operator = self.operator(badge)
        except CodeUnknown:
            self.forget(badge)
            raise
        await self._core.do(do.OpenShift(operator, float_minor), command_id)
        self._core.tell("notice.shift_opened", "good", f"Good day, {operator.name}.", name=operator.name)

    async def close(self, command_id: str) -> None:
        """Close the shift. Raises NotNow, which says of a payment that is not clear who may decide it, and from when on; StorageError."""
        try:
            await self._core.do(do.CloseShift(), command_id)
        except NotNow as refused:
            raise (self._unclear() if refused.reason == "sale_parked" else None) or refused from None
        self._core.clear_customer()
        self._core.tell("notice.shift_closed", "good", "The shift is closed.")

    def _unclear(self) -> NotNow | None:
        """Why a parked sale holds the shift, and until when; None when nothing more is known of it than that it is there."""
        attempts, due = self._core.state.open_attempts(), self._core.desk.review_at_ms
        if not attempts and any(basket.settled_minor for basket in self._core.state.parked):
            hint = "F7 brings it back: take the rest, or give the money back."
            return NotNow("A parked sale is paid in part.", hint=hint, reason="sale_parked_part_paid")
        if not attempts:
            hint = "F7 brings it back: take the money, or void it."
            return NotNow("A parked sale was not paid by card.", hint=hint, reason="sale_parked_unpaid")
        if any(attempt.state is AttemptState.NEEDS_REVIEW for attempt in attempts):
            hint = "F7 brings it back; R decides it there."
            return NotNow("A sale is parked, and a manager has to decide what became of its card payment.", hint=hint, reason="sale_parked_review")
        known = [due[attempt.id] for attempt in attempts if attempt.id in due]
        if not known:
            return None
        at = f"{wall_time(min(known), ZoneInfo(self._core.shop.market.timezone)):%H:%M}"
        text = f"A sale is parked whose card payment is not clear yet; the terminal is being asked. From {at} on a manager can decide it."
        return NotNow(text, hint="F7 shows it.", reason="sale_parked_until", at=at)

    async def sign_in(self, badge: str, command_id: str) -> None:
        """Another operator takes over; the basket stays. Raises CodeUnknown, NotNow, StorageError."""
        operator = self.operator(badge)
        await self._core.do(do.SignIn(operator), command_id)
        self._core.tell("notice.signed_in", "good", f"{operator.name} is signed in.", name=operator.name)

    async def badge(self, badge: str, command_id: str) -> None:
        """A badge was scanned: it signs in. While no shift is open its holder is asked for the float first, instead of whoever was before.

        Raises CodeUnknown, NotNow, StorageError.
        """
        if self._core.state.shift is not None:
            await self.sign_in(badge, command_id)
            return
        if self._core.desk.stopped is not None:
            raise self._core.desk.stopped.again()
        self._core.desk.opening = Opening(badge, self.operator(badge))
        self._core.changed()

    def instead(self, refused: EdgeError) -> EdgeError:
        """What is told in place of a refusal for want of a shift while somebody was asked for the float: that is what comes first."""
        if self._core.desk.opening is None or not isinstance(refused, NotNow) or refused.reason != "no_shift":
            return refused
        return NotNow("The money in the drawer comes first; nothing was sold.", hint="Type it, then scan again.", reason="float_first")

    def forget(self, badge: str) -> None:
        """The holder of this badge opens no shift after all; whoever scanned theirs since still does."""
        if self._core.desk.opening is not None and self._core.desk.opening.badge == badge:
            self._core.desk.opening = None
            self._core.changed()
