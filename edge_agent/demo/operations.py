"""Central's operations side as the demo uses it: the web shop's customer, the operator who makes a code, the books at the end of the day."""

from __future__ import annotations

import json
from typing import Any

import httpx

PAGE_FACTS = 1_000
ANSWER_SECONDS_MAX = 20.0


class Operations:
    """Talks to central directly, not over the register's network. Every method raises httpx.HTTPError when central does not do it."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    def enrol_code(self, store: str, register: str) -> str:
        """A single-use code for a register."""
        return str(self._ask("POST", f"/registers/{store}/{register}/enrol-code")["code"])

    def cart(self, cart: str) -> dict[str, Any] | None:
        """An open cart as it stands, or None."""
        try:
            found: dict[str, Any] = self._ask("GET", f"/carts/{cart}")
        except httpx.HTTPStatusError as refused:
            if refused.response.status_code == httpx.codes.NOT_FOUND:
                return None
            raise
        return found

    def edit_cart(self, cart: dict[str, Any], lines: list[dict[str, Any]]) -> None:
        """The customer changes the cart online."""
        wish = {"customer": cart["customer"], "currency": cart["currency"], "channel": cart["channel"], "lines": lines}
        self._ask("PUT", f"/carts/{cart['id']}", wish)

    def reconciliation(self) -> dict[str, Any]:
        """Central's own proof of its books."""
        found: dict[str, Any] = self._ask("GET", "/reconcile")
        return found

    def facts(self) -> list[dict[str, Any]]:
        """Every stored fact as it was sent, in central's order."""
        found: list[dict[str, Any]] = []
        after = 0
        while page := self._ask("GET", f"/facts?after={after}&limit={PAGE_FACTS}"):
            found += [row["event"] for row in page]
            after = page[-1]["position"]
        return found

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        with httpx.Client(base_url=f"{self._url}/ops", headers=self._headers, timeout=ANSWER_SECONDS_MAX, trust_env=False) as client:
            answer = client.request(method, path, json=body)
        answer.raise_for_status()
        return json.loads(answer.content)
