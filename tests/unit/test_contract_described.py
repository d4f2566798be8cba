"""What the OpenAPI document says in words is what the code does: numbers, bytes, problems and what a register does on each."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

from sync.backoff import Pace
from sync.central.checks import TITLES
from sync.central.intake import ZSTD_WINDOW_BYTES_MAX
from sync.connectors._http_exchange import FROZEN_REASONS
from sync.connectors.http import ENCODINGS
from sync.contract import messages
from sync.contract.described import BATCHES, CURSOR, ENROLMENT, OVERVIEW
from sync.contract.messages import enrol_message
from sync.contract.problems import PROBLEMS, STOPS, WAITS

DOCUMENT: dict[str, Any] = json.loads(files("sync.contract").joinpath("openapi.json").read_text("utf-8"))
FRAMEWORK_WORDS = re.compile(r"Request fulfilled|Document created|URL follows|Stream Response|nothing follows")


def responses() -> dict[str, dict[str, str]]:
    """Descriptions of all answers, by request and status."""
    return {
        f"{method.upper()} {path}": {status: answer["description"] for status, answer in operation["responses"].items()}
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
    }


def test_every_problem_has_words() -> None:
    kinds = {value for name, value in vars(messages).items() if name.startswith("PROBLEM_") and name != "PROBLEM_ROOT"}
    assert kinds == set(PROBLEMS)
    assert all(400 <= told.status < 600 for told in PROBLEMS.values())
    assert all(told.means[-1] == "." and told.does[-1] != "." for told in PROBLEMS.values())


def test_a_register_stops_on_the_problems_that_say_so_and_on_no_other() -> None:
    assert {kind for kind, told in PROBLEMS.items() if told.does == STOPS} == set(FROZEN_REASONS)
    pace = Pace()
    assert (pace.frozen, "every five minutes" in STOPS) == (300, True)
    assert (pace.idle, "half a minute" in CURSOR) == (30, True)
    assert (pace.cap, "thirty seconds" in WAITS) == (30, True)


def test_the_limits_and_forms_of_a_batch_are_the_code_s() -> None:
    for told in ("500 facts", "1048576 bytes (1 MiB)", "`application/cloudevents-batch+json`", "8 MiB"):
        assert told in BATCHES
    assert all(f"`{encoding}`" in BATCHES for encoding in ENCODINGS)
    assert ZSTD_WINDOW_BYTES_MAX == 8 << 20
    assert "0" * 64 in OVERVIEW
    push = DOCUMENT["paths"]["/edge/v1/events"]["post"]
    assert (push["requestBody"]["description"], list(push["requestBody"]["content"])) == (BATCHES, ["application/cloudevents-batch+json"])


def test_the_bytes_of_a_proof_are_told_one_after_the_other() -> None:
    steps = re.findall(r"^\d\. (.*)$", ENROLMENT, re.MULTILINE)
    assert steps[0] == "`edge-enrol-v1`"
    assert [step.startswith("one line feed (0x0A)") for step in steps] == [False, True, False, True, False]
    assert [("`code`" in step, "`publicKey`" in step) for step in (steps[2], steps[4])] == [(True, False), (False, True)]
    assert enrol_message("AbC-1", "pub") == b"edge-enrol-v1\nAbC-1\npub"
    proof = DOCUMENT["components"]["schemas"]["EnrolRequest"]["properties"]["proof"]["description"]
    assert "edge-enrol-v1, LF, the text of code, LF, the text of publicKey" in proof


def test_the_document_carries_the_words_and_none_of_the_framework_s() -> None:
    assert DOCUMENT["info"]["description"].startswith(OVERVIEW)
    assert all(f"urn:edge:problem:{reason}" in DOCUMENT["info"]["description"] for reason in TITLES)
    assert DOCUMENT["paths"]["/edge/v1/registers/{register}/cursor"]["get"]["description"] == CURSOR
    found = {request: [text for text in told.values() if FRAMEWORK_WORDS.search(text)] for request, told in responses().items()}
    assert {request: texts for request, texts in found.items() if texts} == {}
    assert len(found) > 20


def test_an_endpoint_s_refusals_are_those_that_it_can_give() -> None:
    kinds = {(request, status): re.findall(r"urn:edge:problem:([a-z-]+)`:", text) for request, told in responses().items() for status, text in told.items()}
    assert kinds["POST /edge/v1/events", "409"] == ["sequence-gap", "sequence-fork", "chain-broken", "epoch-retired", "register-frozen"]
    assert kinds["GET /edge/v1/registers/{register}/cursor", "409"] == ["epoch-retired"]
    assert kinds["POST /edge/v1/carts/{cart}/claim", "409"] == ["cart-held", "cart-changed", "lease-gone"]
    assert kinds["POST /edge/v1/enrolments", "403"] == ["enrolment-code-invalid"]
    statuses = {kind.removeprefix(messages.PROBLEM_ROOT): str(told.status) for kind, told in PROBLEMS.items()}
    assert all(statuses[kind] == status for (_, status), said in kinds.items() for kind in said)


def test_schemas_say_what_is_hashed_and_have_no_indentation_of_the_code() -> None:
    envelope = json.loads(files("sync.contract").joinpath("schemas", "envelope.v1.json").read_text("utf-8"))["$defs"]["Envelope"]
    assert "wire bytes of the fact before it" in envelope["properties"]["prevhash"]["description"]
    assert "64 zeros" in envelope["properties"]["prevhash"]["description"]
    assert "Its wire bytes" in envelope["description"]
    assert "\n    " not in envelope["description"]
    assert not re.search(r'"description": "[^"]*\\n    ', files("sync.contract").joinpath("openapi.json").read_text("utf-8"))
