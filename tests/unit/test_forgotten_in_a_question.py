"""Who is erased while a question about them is open is not put on the basket by its answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.domain.errors import EdgeError
from tests.support_counter import COAT, MARIA_CARD, OMAR_CARD, opened, scan
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
