"""The local API's description: OpenAPI 3.1, equal to the code, and complete enough to build a client from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import edge_agent.api
from edge_agent import views as v
from edge_agent.api.describe import description
from edge_agent.api.problems import STATUS
from tests.support_api import served
from tests.support_shop import register

KEPT = Path(edge_agent.api.__file__).parent / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads(KEPT.read_bytes())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, operation) for path, item in document["paths"].items() for method, operation in item.items()]


def test_the_kept_description_is_what_the_code_says():
    assert KEPT.read_bytes() == description(), "run: python -m edge_agent.api.describe > edge_agent/api/openapi.json"


def test_the_command_prints_it_and_nothing_else():
    told = subprocess.run([sys.executable, "-W", "error", "-m", "edge_agent.api.describe"], capture_output=True, check=True)
    assert (told.stdout, told.stderr) == (KEPT.read_bytes(), b"")


def test_it_is_valid_openapi_3_1(document):
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


async def test_the_running_service_serves_the_same(tmp_path):
    async with register(tmp_path / "state") as rig, served(rig, "in_process", tmp_path) as shop, shop.plain() as plain:
        answer = await plain.get("/schema/openapi.json")
        assert answer.headers["content-type"] == "application/json"
        assert answer.content == KEPT.read_bytes()


def test_every_operation_says_what_it_does_and_how_it_refuses(document):
    found = operations(document)
    assert len({operation["operationId"] for _, _, operation in found}) == len(found) == 17
    for method, path, operation in found:
        assert operation["summary"], path
        refusals = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert {"400", "401", "500", "503"} <= set(refusals), path
        for answer in refusals.values():
            assert list(answer["content"]) == ["application/problem+json"], path
            assert answer["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
        if method == "post":
            assert {str(status) for _, status in STATUS} | {"413", "415"} <= set(refusals), path
            assert operation["requestBody"]["content"] == {"application/json": {"schema": {"$ref": "#/components/schemas/Request"}}}


def test_every_command_is_in_it_closed_and_told_apart_by_one_word(document):
    schemas = document["components"]["schemas"]
    request = schemas["Request"]
    assert request["additionalProperties"] is False
    union = request["properties"]["command"]
    named = {part["$ref"].rsplit("/", 1)[1] for part in union["anyOf"]}
    assert named == {command.__name__ for command in get_args(v.AnyCommand)}
    assert union["discriminator"]["propertyName"] == "do"
    for command in get_args(v.AnyCommand):
        schema = schemas[command.__name__]
        assert schema["additionalProperties"] is False
        assert schema["description"]
        assert union["discriminator"]["mapping"][msgspec.inspect.type_info(command).tag] == f"#/components/schemas/{command.__name__}"


def test_amounts_are_integers_everywhere(document):
    def numbers(node: Any, path: str) -> list[str]:
        if isinstance(node, dict):
            here = [path] if node.get("type") == "number" else []
            return here + [found for key, child in node.items() for found in numbers(child, f"{path}/{key}")]
        return [found for at, child in enumerate(node) for found in numbers(child, f"{path}/{at}")] if isinstance(node, list) else []

    assert numbers(document["components"], "") == []
