"""Before the service or central has threads that decode, the decoder knows every type: working one out on two threads at once ends the process."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import weakref
from functools import partial
from pathlib import Path

import msgspec
import pytest

import edge_agent.bootstrap
import sync.central.central
from edge_agent.bootstrap import Agent
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import Config
from sync.central.serving import EmbeddedCentral
from sync.decoding import know_every_type
from tests.contract.test_register_with_central import central, enrolled, keys_of  # noqa: F401 - a fixture

DECODED = """
import json, sys
import edge_agent.hosting, sync.connectors.http
from edge_agent.domain.events import EVENT_TYPES
from edge_agent.domain.register import Register
from edge_agent.views import Request, Snapshot
from sync.contract import facts, messages, rows
from sync.decoding import know_every_type
import msgspec

worked_out = []
def seen(frame, event, _):
    if event == "call" and frame.f_code.co_name == "get_class_annotations":
        worked_out.append(frame.f_locals["obj"].__name__)

if sys.argv[1] == "known":
    know_every_type()
sys.setprofile(seen)
for kind in (*EVENT_TYPES, Register, Request, Snapshot, messages.PushAck, messages.Enrolled, rows.CustomerRow, rows.CartRow, rows.StaffRow):
    msgspec.json.Decoder(kind)
sys.setprofile(None)
print(json.dumps(worked_out))
"""


def worked_out(how: str) -> list[str]:
    """The classes that a process works out when it decodes what a service does."""
    done = subprocess.run([sys.executable, "-c", DECODED, how], capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))


def test_what_a_service_decodes_is_known_before() -> None:
    assert worked_out("known") == []
    assert {"CustomerRow", "CartRow", "PushAck"} <= set(worked_out("unknown"))


def test_classes_that_are_gone_are_not_kept() -> None:
    kind = msgspec.defstruct("Gone", [("a", int)])
    know_every_type()
    held = weakref.ref(kind)
    del kind
    gc.collect()
    assert held() is None


async def test_the_service_and_central_see_to_it_before_they_begin(tmp_path: Path, central: EmbeddedCentral, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    seen: list[str] = []
    for module in (edge_agent.bootstrap, sync.central.central):
        monkeypatch.setattr(module, "know_every_type", partial(seen.append, module.__name__))
    await enrolled(tmp_path, central)
    agent = await Agent.start(Config(state=str(tmp_path)), keys_of(tmp_path), SystemClock(), SystemRandom())
    await agent.stop()
    another = EmbeddedCentral(tmp_path / "another")
    await asyncio.to_thread(another.start)
    await asyncio.to_thread(another.stop)
    assert seen == ["edge_agent.bootstrap", "sync.central.central"]
