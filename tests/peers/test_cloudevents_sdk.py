"""The CloudEvents project's own Python SDK reads every example and every fact that can be made."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.demo.day import run_day
from edge_agent.domain import commands as do
from edge_agent.domain.reading import Reading
from edge_agent.domain.tender import Approved, AttemptState, CardResult, InFlight, Unknown
from edge_agent.service import paying
from sync.central.central import Central
from sync.contract.envelope import SCHEMA_ROOT, STREAMS, decode_fact, encode_fact, join_batch, source_of, split_batch
from sync.contract.facts import BEHIND, CONTRADICTED, DATA_BY_TYPE, WITHHELD
from sync.identity import Identity
from sync.journal_facts import Behind
from tests.support_shop import MemoryCentral, Rig, register

pytestmark = pytest.mark.peer

EXAMPLES = files("sync.contract").joinpath("examples")
NAMES = st.text("abcXYZ019._-", min_size=1, max_size=32)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
SALTS = st.binary(min_size=16, max_size=16)


def sdk(wire: bytes) -> CloudEvent:
    event = JSONFormat().read(CloudEvent, wire)
    assert isinstance(event, CloudEvent)
    return event


@st.composite
def made_facts(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "source": source_of(draw(NAMES), draw(NAMES), draw(NAMES)), "stream": draw(st.sampled_from(STREAMS)), "epoch": str(draw(st.integers(1, 9_999_999))),
        "number": draw(st.integers(1, 10**18 - 1)), "prevhash": hashlib.sha256(draw(SALTS)).hexdigest(), "id": draw(st.uuids().map(str)),
        "type": draw(st.sampled_from(sorted(DATA_BY_TYPE))), "subject": draw(st.text(min_size=1, max_size=128)),
        "at_ms": draw(st.integers(0, 4_102_444_800_000)), "salt": draw(SALTS),
        "data": draw(st.dictionaries(st.text().filter(lambda key: key != "salt"), JSON, max_size=5)),
    }  # fmt: skip


@pytest.mark.parametrize("kind", sorted(DATA_BY_TYPE))
def test_the_sdk_reads_every_example_as_we_do(kind: str) -> None:
    wire = EXAMPLES.joinpath(f"{kind}.json").read_bytes().rstrip(b"\n")
    event, ours = sdk(wire), decode_fact(wire)
    assert (event.get_type(), event.get_id(), event.get_source(), event.get_subject()) == (kind, ours.id, ours.source, ours.subject)
    assert (event.get_extension("sequence"), event.get_extension("prevhash")) == (ours.sequence, ours.prevhash)
    assert event.get_dataschema() == SCHEMA_ROOT + kind
    assert event.get_data() == msgspec.json.decode(ours.data)


def test_the_sdk_reads_every_event_of_the_example_batch() -> None:
    assert [sdk(wire).get_specversion() for wire in split_batch(EXAMPLES.joinpath("day.json").read_bytes())] == ["1.0"] * 9


@settings(max_examples=150, deadline=None)
@given(made_facts())
def test_the_sdk_reads_every_fact_that_can_be_made(fact: dict[str, Any]) -> None:
    wire = encode_fact(**fact)
    event = sdk(wire)
    assert {name: event.get_extension(name) for name in ("stream", "epoch", "prevhash")} == {name: fact[name] for name in ("stream", "epoch", "prevhash")}
    assert int(str(event.get_extension("sequence"))) == fact["number"]
    assert event.get_time() == datetime.fromtimestamp(fact["at_ms"] // 1000, UTC).replace(microsecond=fact["at_ms"] % 1000 * 1000)
    data = event.get_data()
    assert isinstance(data, dict)
    assert {name: value for name, value in data.items() if name != "salt"} == fact["data"]
    assert split_batch(join_batch([wire, wire])) == [wire, wire], "cut out byte for byte"
    assert decode_fact(wire).number == fact["number"]


# --- facts of real business -------------------------------------------------------------------------------------------------------


def parsed(wires: Iterable[bytes]) -> set[str]:
    """The types of the events, each of which the SDK reads, alone and cut out of a batch, with the data that we wrote."""
    kept = list(wires)
    assert split_batch(join_batch(kept)) == kept
    for wire in kept:
        event, ours = sdk(wire), decode_fact(wire)
        assert (event.get_type(), event.get_id(), event.get_source(), event.get_subject()) == (ours.type, ours.id, ours.source, ours.subject)
        assert event.get_data() == msgspec.json.decode(ours.data)
        assert event.get_dataschema() == SCHEMA_ROOT + ours.type
    return {decode_fact(wire).type for wire in kept}


async def eventually(condition: Callable[[], object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


async def scan(rig: Rig, *codes: str) -> None:
    for code in codes:
        await rig.till.scanned(Reading(code.encode(), "scanner", rig.core.ports.clock.now_ms()))


async def a_shift(rig: Rig) -> None:
    """Cash with an online cart of a known customer, a card, a card payment that is parked and clarified, a void, and the end of the shift."""
    await rig.till.day.open("1001", 10_000, "")
    await scan(rig, "LOY0000000001")
    await rig.till.clienteling.load("", "")
    await scan(rig, "4006381333931")
    await rig.till.paying.cash(20_000, "")
    await scan(rig, "4006381333948", "4006381333948")
    rig.terminal.approve(2_500)
    await rig.till.paying.card(None, "")
    await eventually(lambda: rig.core.state.shift_sales == 2)
    await scan(rig, "4006381333931")
    rig.terminal.findings[:] = [InFlight()]
    rig.terminal.answers.put_nowait(Unknown("no_answer"))
    await rig.till.paying.card(None, "")
    await eventually(lambda: [attempt.state for attempt in rig.core.state.open_attempts()] == [AttemptState.UNKNOWN])
    await rig.till.set_aside(do.Park("Müller & Söhne"), "")
    rig.terminal.findings[:] = [Approved(19_900, "EUR", CardResult())]
    await eventually(lambda: rig.core.state.shift_sales == 3)
    await scan(rig, "4006381333931")
    await rig.till.void("Wrong size “38”", "")
    await rig.till.day.close("")


async def test_the_sdk_reads_every_fact_of_a_register_and_of_every_type_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paying, "ASK_SECONDS", (0.01, 0.01))
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await rig.journal.adopt(Identity(source_of("acme", "0001", "02"), "1"))
        await a_shift(rig)
        sent = {stream: [wire for _, wire in rig.journal.facts_after(stream, 0, 1_000, 1 << 30)] for stream in STREAMS}
        assert parsed(wire for wires in sent.values() for wire in wires) == set(DATA_BY_TYPE) - {WITHHELD, BEHIND, CONTRADICTED}
        assert await rig.journal.withhold("trade", 2, "Central: too large.")
        await rig.journal.say_behind(Behind("trade", 9, 12, "a" * 64))
        again = [wire for stream in STREAMS for _, wire in rig.journal.facts_after(stream, 0, 1_000, 1 << 30)]
        assert parsed(again) == set(DATA_BY_TYPE) - {CONTRADICTED}, "which is read among the examples"
        assert len(again) == sum(map(len, sent.values())) + 1


@pytest.mark.timeout(240)
def test_the_sdk_reads_every_fact_of_the_demo_s_day_as_central_stored_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_day(seed=11, sales=30, market="DE", keep=tmp_path) == 0, capsys.readouterr().out
    central = Central(tmp_path / "day-1" / "central")
    try:
        stored = [bytes(fact.event) for fact in central.facts(limit=100_000)]
    finally:
        central.close()
    assert len(stored) > 30
    assert parsed(stored) == set(DATA_BY_TYPE) - {WITHHELD, BEHIND, CONTRADICTED}, "nothing of a day is withheld"
