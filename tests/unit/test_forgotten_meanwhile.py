"""Who is erased while they are looked up, asked about or just put on a basket is not on it afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge_agent.domain.customer import Identifier, IdentifierKind
from edge_agent.domain.errors import EdgeError, NotNow
from tests.support_counter import COAT, MARIA_CARD, OMAR_CARD, eventually, opened, scan
from tests.support_shop import OMAR_KNOWN, MemoryCentral, register


async def test_the_question_about_an_erased_customer_goes_with_them(tmp_path: Path) -> None:
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        for code in (COAT, OMAR_CARD, MARIA_CARD):
            await scan(rig, code)
        question = rig.core.desk.question
        rig.core.ports.people.customers = (OMAR_KNOWN,)
        assert not await rig.core.forget(["c-maria"])
        assert rig.core.desk.question is None
        with pytest.raises(EdgeError):
            await rig.till.clienteling.answered(question.id, "replace", "")
        assert rig.core.state.basket.customer.id == "c-omar"
        assert rig.journal.kept_of(["c-maria"]) == []


class Late(MemoryCentral):
    """Says who it is, and the answer waits for the gate."""

    async def identify(self, identifier):
        self.gate, self.asked = asyncio.Event(), asyncio.Event()
        found = await super().identify(identifier)
        self.asked.set()
        await self.gate.wait()
        return found


async def test_who_was_looked_up_before_they_were_erased_is_not_attached_after_it(tmp_path: Path) -> None:
    async with register(tmp_path, central=(central := Late())) as rig:
        await opened(rig)
        await scan(rig, COAT)
        rig.core.ports.people.customers = (OMAR_KNOWN,)
        looking = asyncio.create_task(rig.till.clienteling.chosen("c-maria", ""))
        await eventually(lambda: ("identify", Identifier(IdentifierKind.CUSTOMER, "c-maria")) in central.calls)
        await central.asked.wait()
        await rig.core.forget(["c-maria"])
        central.gate.set()
        with pytest.raises(NotNow, match="was erased"):
            await looking
        assert rig.core.state.basket.customer is None
        assert rig.journal.kept_of(["c-maria"]) == []


async def test_who_is_just_being_put_on_a_basket_is_forgotten_as_well(tmp_path: Path) -> None:
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        await scan(rig, COAT)
        writing, commit = asyncio.Event(), rig.journal.commit

        async def slowly(batch):
            writing.set()
            await asyncio.sleep(0.05)
            return await commit(batch)

        rig.core.ports.journal.commit = slowly
        attaching = asyncio.create_task(rig.till.clienteling.chosen("c-maria", ""))
        await writing.wait()
        rig.core.ports.people.customers = (OMAR_KNOWN,)
        assert await rig.core.forget(["c-maria"])
        await attaching
        assert (rig.core.state.basket.customer, rig.core.desk.customer) == (None, None)
        assert rig.journal.kept_of(["c-maria"]) == []
