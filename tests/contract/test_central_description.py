"""What central says about its own API: the document, and no page that would load anything from elsewhere."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from sync.central.serving import EmbeddedCentral


@pytest.mark.parametrize("path", ["", "/", "/openapi.json", "/openapi.yaml", "/redoc", "/swagger", "/elements", "/rapidoc", "/scalar", "/stoplight"])
def test_the_description_is_served_as_json_alone(tmp_path: Path, path: str) -> None:
    central = EmbeddedCentral(tmp_path)
    url = central.start()
    try:
        answer = httpx.get(f"{url}/schema{path}", trust_env=False)
    finally:
        central.stop()
    assert b"<script" not in answer.content
    assert b"http-equiv" not in answer.content
    if path in ("", "/", "/openapi.json"):
        assert answer.json()["openapi"].startswith("3.1")
    else:
        assert answer.status_code == 404
