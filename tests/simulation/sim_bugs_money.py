"""Bugs to plant into taking money, and into knowing customers."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain import settling
from edge_agent.domain.tender import Approved, AttemptKind, AttemptState, NotProcessed, Unknown
from edge_agent.service.clienteling import Clienteling
from edge_agent.service.paying import Paying
from tests.simulation.sim_planting import planted


@planted
def speaks_to_the_terminal_before_the_commit() -> None:
    async def card(self: Paying, amount_minor: int | None, command_id: str, basket_id: str = "") -> None:
        import asyncio

        terminal = self._terminal(self._core.ports.methods[1].kind)
        attempt_id = self._core.ports.new_id()
        basket = self._core.state.basket
        if basket is not None and basket.open_attempt is None:
            rest = basket.rest_minor(self._core.shop.market)
            early = settling.Attempt(
                attempt_id, "t", settling.AttemptKind.SALE, "T1", AttemptState.SENT, amount_minor or rest, "EUR", terminal.wire_ref(attempt_id), 0, 0
            )
            answer = asyncio.get_running_loop().create_task(terminal.submit(early, lambda _: None))
            await asyncio.sleep(0.05)
            await self._core.do(do.StartCard(attempt_id, terminal.wire_ref(attempt_id), terminal.name, amount_minor), command_id)
            await self._learn(do.Learn(attempt_id, await answer, "answer"))

    Paying.card = card  # type: ignore[method-assign]


@planted
def takes_no_answer_for_a_no() -> None:
    whole = Paying._learn

    async def learn(self: Paying, command: do.Learn) -> None:
        finding = NotProcessed("no_answer") if isinstance(command.finding, Unknown) else command.finding
        await whole(self, replace(command, finding=finding))

    Paying._learn = learn  # type: ignore[method-assign]


@planted
def believes_not_found_at_once() -> None:
    """Bytes that are still on their way may arrive after the question."""

    def unsettled(self: Paying, attempt: Any, terminal: Any) -> None:
        self._settled_at[attempt.id] = self._core.ports.clock.monotonic()

    Paying._unsettled = unsettled  # type: ignore[method-assign]


@planted
def charges_again_when_there_was_no_answer() -> None:
    whole = Paying._submit

    async def submit(self: Paying, attempt: Any, terminal: Any) -> None:
        class Twice:
            def __getattr__(self, name: str) -> Any:
                return getattr(terminal, name)

            async def submit(self, attempt: Any, steps: Any) -> Any:
                outcome = await terminal.submit(attempt, steps)
                if isinstance(outcome, Unknown):
                    outcome = await terminal.submit(replace(attempt, wire_ref=f"{attempt.wire_ref}-2"), steps)
                return outcome

        await whole(self, attempt, Twice())

    Paying._submit = submit  # type: ignore[method-assign]


@planted
def takes_a_part_for_the_whole() -> None:
    whole = settling.checked

    def checked(finding: Any, attempt: Any) -> Any:
        finding = whole(finding, attempt)
        return replace(finding, amount_minor=attempt.amount_minor) if isinstance(finding, Approved) else finding

    settling.checked = checked


@planted
def takes_a_cancel_key_for_cancelled() -> None:
    whole = settling.asked

    def asked(state: Any, attempt_id: str, moment: Any) -> Any:
        (event,) = whole(state, attempt_id, moment)
        return (replace(event, attempt=replace(event.attempt, state=AttemptState.CANCELLED)),)

    from edge_agent.domain import decide

    settling.asked = asked
    decide.asked = asked  # type: ignore[attr-defined]


@planted
def forgets_open_payments_at_a_restart() -> None:
    Paying.recover = lambda self: None  # type: ignore[method-assign]


@planted
def gives_back_twice() -> None:
    """What is given back to a card is given back once more, under a reference of its own."""
    whole = Paying._submit

    async def submit(self: Paying, attempt: Any, terminal: Any) -> None:
        await whole(self, attempt, terminal)
        if attempt.kind is AttemptKind.VOID:
            await terminal.submit(replace(attempt, wire_ref=f"{attempt.wire_ref}-2"), lambda _: None)

    Paying._submit = submit  # type: ignore[method-assign]


@planted
def takes_an_unknown_tag_for_the_last_customer() -> None:
    whole = Clienteling.identified
    last: list[Any] = []

    async def identified(self: Clienteling, identifier: Any, command_id: str) -> None:
        if self._core.ports.people.identify(identifier):
            last[:] = [identifier]
        await whole(self, last[0] if last else identifier, command_id)

    Clienteling.identified = identified  # type: ignore[method-assign]


@planted
def gives_back_more_than_was_taken() -> None:
    whole = settling._start_void

    def start_void(*asked: Any) -> Any:
        (event,) = whole(*asked)
        return (replace(event, attempt=replace(event.attempt, amount_minor=event.attempt.amount_minor + 100)),)

    settling._start_void = start_void


@planted
def hears_the_opposite_of_what_a_person_decided() -> None:
    whole = settling.review

    def review(state: Any, command: Any, moment: Any) -> Any:
        return whole(state, replace(command, money_moved=not command.money_moved), moment)

    settling.review = review


@planted
def believes_not_found_at_once_after_a_restart() -> None:
    """What was sent before the restart may arrive after it."""
    whole = Paying.recover

    def recover(self: Paying) -> None:
        whole(self)
        self._settled_at.update(dict.fromkeys(self._settled_at, 0.0))

    Paying.recover = recover  # type: ignore[method-assign]
