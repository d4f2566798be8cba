"""A refusal stands only until its opposite succeeded: the next accepted act, or the next good reading of the same kind of device."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge_agent.api.commands import carry_out
from edge_agent.domain.errors import EdgeError
from edge_agent.domain.reading import Reading, Source, TagKind
from edge_agent.service import counter
from edge_agent.views import AnyCommand, CheckBadge, Enter, NextIsCheck, NextQuantity, OpenShift
from tests.support_shop import Rig, register

COAT, UNKNOWN = b"4006381333931", b"4006381333955"
MARIAS_TAG, OMARS_CARD = b"04A1B2C3D4E5F6", b"LOY0000000002"


def said(rig: Rig) -> str:
    notice = rig.presenter.snapshot().notice
    return notice.key if notice is not None else ""


async def scan(rig: Rig, payload: bytes) -> None:
    await rig.till.scanned(Reading(payload, "scanner", rig.core.ports.clock.now_ms()))


async def tap(rig: Rig, payload: bytes, kind: TagKind = TagKind.FIXED_UID) -> None:
    await rig.till.scanned(Reading(payload, "reader", rig.core.ports.clock.now_ms(), Source.NFC, tag=kind))


async def does(rig: Rig, command: AnyCommand) -> None:
    await carry_out(rig.till, command, rig.core.ports.new_id())


@asynccontextmanager
async def open_register(folder: Path) -> AsyncIterator[Rig]:
    async with register(folder) as rig:
        await does(rig, OpenShift("1001"))
        yield rig


async def test_a_badge_that_is_good_takes_the_refusal_of_the_bad_one_away(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await scan(rig, b"STAFF-9999")
        assert said(rig) == "code_unknown.badge"
        await does(rig, CheckBadge("1001"))
        assert said(rig) == ""


async def test_a_phone_that_was_refused_is_past_when_a_good_tag_asks_a_question(tmp_path: Path) -> None:
    async with open_register(tmp_path) as rig:
        await scan(rig, COAT)
        await scan(rig, OMARS_CARD)
        await tap(rig, b"", TagKind.RANDOM_UID)
        assert said(rig) == "code_invalid.random_uid"
        await tap(rig, MARIAS_TAG)
        assert rig.core.desk.question is not None
        assert said(rig) == ""


async def test_a_reading_of_another_kind_that_changes_nothing_leaves_the_refusal(tmp_path: Path) -> None:
    async with open_register(tmp_path) as rig:
        await scan(rig, COAT)
        await tap(rig, MARIAS_TAG)
        await tap(rig, b"", TagKind.RANDOM_UID)
        await scan(rig, OMARS_CARD)
        assert rig.core.desk.question is not None
        assert said(rig) == "code_invalid.random_uid"


@pytest.mark.parametrize("act", [NextQuantity("3"), NextIsCheck(), Enter("3*")])
async def test_any_act_that_is_accepted_takes_a_bad_scan_away(tmp_path: Path, act: AnyCommand) -> None:
    async with open_register(tmp_path) as rig:
        for bad in (lambda: scan(rig, UNKNOWN), lambda: _unreadable(rig)):
            await bad()
            assert said(rig) in ("code_unknown.article", "notice.scan_unreadable")
            await does(rig, act)
            assert said(rig) == ""


async def _unreadable(rig: Rig) -> None:
    rig.till.counter.unreadable("scanner")


async def test_an_act_that_is_refused_itself_leaves_it(tmp_path: Path) -> None:
    async with open_register(tmp_path) as rig:
        await scan(rig, UNKNOWN)
        with pytest.raises(EdgeError):
            await does(rig, NextQuantity("no number"))
        assert said(rig) == "code_unknown.article"


async def test_what_is_no_refusal_of_a_reading_is_not_taken_away_by_a_key(tmp_path: Path) -> None:
    async with open_register(tmp_path) as rig:
        rig.core.tell("notice.not_printed.paper_out", "bad", "The receipt was not printed.", "Put in a new roll.", code="R-1")
        await does(rig, NextQuantity("3"))
        assert said(rig) == "notice.not_printed.paper_out"


async def test_a_refusal_that_comes_while_an_act_is_carried_out_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_register(tmp_path) as rig:
        await scan(rig, UNKNOWN)

        async def meanwhile(self: counter.Counter, text: str, command_id: str) -> None:
            await scan(rig, UNKNOWN)

        monkeypatch.setattr(counter.Counter, "entered", meanwhile)
        await does(rig, Enter("4711"))
        assert said(rig) == "code_unknown.article"
