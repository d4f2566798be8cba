"""A register whose online carts the real central holds, for tests of claims: answers get lost, the power goes, and nobody waits for a lease to run out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
from msgspec.structs import replace

from edge_agent.domain.errors import CentralUnreachable
from sync.central.serving import EmbeddedCentral
from sync.connectors.contract import Connector, Settings
from sync.connectors.http import HttpConnector
from tests.support_enrolled import SetClock, enrolled, running_central
from tests.support_shop import MARIA_KNOWN, MARIAS_CART, MemoryPeople, Rig, register

AWAY = CentralUnreachable("No answer within a second.", hint="The local copy is used.")
CART = {
    "id": MARIAS_CART.id, "customer": "c-maria", "version": 7, "currency": "EUR", "channel": "web", "openedMs": 1, "heldBy": "",
    "lines": [{"line": line.line, "sku": line.sku, "pieces": line.pieces, "unitPriceMinor": line.unit_price_minor} for line in MARIAS_CART.lines],
}  # fmt: skip
MARIA = {
    "id": "c-maria", "name": MARIA_KNOWN.name, "tier": "gold", "points": 10, "visits": 2, "lastVisitMs": None, "language": "en",
    "identifiers": [{"kind": "loyalty", "value": "LOY0000000001"}], "sizes": [], "birthday": "", "notes": [], "talk": None, "goesWith": [],
}  # fmt: skip


class Watch:
    """The register's clocks, both moved by moving central's; its wall time is ``ahead_ms`` ahead."""

    def __init__(self, clock: SetClock, ahead_ms: int = 0) -> None:
        self._clock = clock
        self._ahead_ms = ahead_ms

    def now_ms(self) -> int:
        return self._clock.now_ms() + self._ahead_ms

    def monotonic(self) -> float:
        return self._clock.now_ms() / 1000


class Line:
    """The way to central: whole, cut (``away``), or losing the answers to what it carries (``deaf``, by name)."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self.away = False
        self.deaf: set[str] = set()
        self.asked: list[tuple[object, ...]] = []

    def claims(self) -> list[str]:
        """The ids of the claims that were sent, in order."""
        return [str(call[3]) for call in self.asked if call[0] == "claim"]

    def __getattr__(self, name: str) -> object:
        async def carried(*args: object) -> object:
            self.asked.append((name, *args))
            if self.away:
                raise AWAY
            answer = await getattr(self._connector, name)(*args)
            if name in self.deaf:
                raise AWAY
            return answer

        return carried


class World:
    """One central with Maria's cart, its web shop, and the registers that one makes."""

    def __init__(self, embedded: EmbeddedCentral, http: httpx.Client, clock: SetClock) -> None:
        self.central, self.http, self.clock, self.url = embedded.central, http, clock, embedded.url
        self.ops = {"Authorization": f"Bearer {embedded.central.ops_token}"}
        self.tokens = {number: enrolled(http, embedded.central, "0001", number).identity["token"] for number in ("02", "03")}

    def settings(self, number: str = "02") -> Settings:
        return Settings(self.url, self.tokens[number], number, self.clock)

    def cart(self) -> dict[str, object] | None:
        answer = self.http.get(f"/ops/carts/{MARIAS_CART.id}", headers=self.ops)
        return answer.json() if answer.status_code == 200 else None

    def held_by(self) -> str:
        cart = self.cart()
        assert cart is not None
        return str(cart["heldBy"])

    def ordered_online(self) -> int:
        """The customer pays for the cart in the web shop; answers the HTTP status."""
        return self.http.post(f"/ops/carts/{MARIAS_CART.id}/order", headers=self.ops).status_code

    def taken_at(self, number: str = "03") -> httpx.Response:
        """Another register claims the cart."""
        body, headers = {"version": self.cart()["version"], "key": f"claim-of-{number}"}, {"Authorization": f"Bearer {self.tokens[number]}"}
        return self.http.post(f"/edge/v1/carts/{MARIAS_CART.id}/claim", json=body, headers=headers)

    def let_go_at(self, claimed: httpx.Response, number: str = "03") -> None:
        headers = {"Authorization": f"Bearer {self.tokens[number]}"}
        assert self.http.post(f"/edge/v1/carts/{MARIAS_CART.id}/release", json={"token": claimed.json()["token"]}, headers=headers).status_code == 204

    def refunds(self) -> list[tuple[str, str]]:
        return [(task["line"], task["cause"]) for task in self.http.get("/ops/refund-tasks", headers=self.ops).json()]


@contextmanager
def world(folder: Path) -> Iterator[World]:
    clock = SetClock()
    with running_central(folder / "central", clock) as embedded, httpx.Client(base_url=embedded.url) as http:
        embedded.central.seed("customers", [("c-maria", MARIA)])
        embedded.central.seed("carts", [(MARIAS_CART.id, CART)])
        yield World(embedded, http, clock)


@asynccontextmanager
async def till(folder: Path, at: World, *, away: bool = False, ahead_ms: int = 0):
    """Register 02 on the journal in ``folder``, and its line to central, which may be cut from the start."""
    connector = HttpConnector(at.settings())
    line = Line(connector)
    line.away = away
    try:
        async with register(folder, central=line, clock=Watch(at.clock, ahead_ms)) as rig:
            yield rig, line
    finally:
        await connector.aclose()


def killed(folder: Path) -> Path:
    """A register's disk as ``kill -9`` leaves it now, in another folder."""
    left = folder.with_name(folder.name + "-after")
    shutil.copytree(folder, left)
    return left


def published(rig: Rig, at: World) -> None:
    """The feed of carts brought what central has now."""
    cart = at.cart()
    people = rig.core.ports.people
    assert isinstance(people, MemoryPeople)
    people.carts = () if cart is None else (replace(MARIAS_CART, version=cart["version"], held_by=cart["heldBy"], as_of_ms=at.clock.now_ms()),)
    rig.till.clienteling.heard()
