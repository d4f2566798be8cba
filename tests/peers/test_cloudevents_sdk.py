"""The CloudEvents project's own Python SDK reads every example and every fact that can be made."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.contract.envelope import SCHEMA_ROOT, STREAMS, decode_fact, encode_fact, join_batch, source_of, split_batch
from sync.contract.facts import DATA_BY_TYPE

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
