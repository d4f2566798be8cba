"""Who is at the register: opening and closing the shift, and signing in."""

from __future__ import annotations

from edge_agent.domain import commands as do
from edge_agent.domain.errors import CodeUnknown
from edge_agent.domain.shift import Operator
from edge_agent.service.core import Core


class Day:
    """The shift and the operator."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def operator(self, badge: str) -> Operator:
        """The member of staff with this badge. Raises CodeUnknown (reason ``badge``)."""
        digits = badge.upper().removeprefix("STAFF-")
        found = self._core.ports.people.operator(digits) or self._core.ports.people.operator(badge)
        if found is None:
            raise CodeUnknown("That badge belongs to nobody here.", hint="Check the badge, or ask a manager.", reason="badge")
        return found

    async def open(self, badge: str, float_minor: int, command_id: str) -> None:
        """Open a shift. Raises CodeUnknown, NotNow, StorageError."""
        operator = self.operator(badge)
        await self._core.do(do.OpenShift(operator, float_minor), command_id)
        self._core.tell("notice.shift_opened", "good", f"Good day, {operator.name}.", name=operator.name)

    async def close(self, command_id: str) -> None:
        """Close the shift. Raises NotNow, StorageError."""
        await self._core.do(do.CloseShift(), command_id)
        self._core.desk.last_sale = None
        self._core.tell("notice.shift_closed", "good", "The shift is closed.")

    async def sign_in(self, badge: str, command_id: str) -> None:
        """Another operator takes over; the basket stays. Raises CodeUnknown, NotNow, StorageError."""
        operator = self.operator(badge)
        await self._core.do(do.SignIn(operator), command_id)
        self._core.tell("notice.signed_in", "good", f"{operator.name} is signed in.", name=operator.name)

    async def badge(self, badge: str, command_id: str) -> None:
        """A badge was scanned: it signs in, and opens the shift when none is open (with the float still to be counted: none)."""
        if self._core.state.shift is None:
            await self.open(badge, 0, command_id)
        else:
            await self.sign_in(badge, command_id)
