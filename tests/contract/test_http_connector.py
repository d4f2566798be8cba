"""What the connector over HTTP promises its callers: every answer is one value, within the time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import httpx
import pytest

from edge_agent import ports
from edge_agent.clock import SystemClock
from edge_agent.domain.cart import Lease
from edge_agent.domain.customer import Identifier, IdentifierKind
from edge_agent.domain.errors import CentralConflict, CentralRefused, CentralUnreachable, ContractBroken
from sync.connectors import http
from sync.connectors.contract import Settings
from sync.connectors.http import HttpConnector
from sync.contract.messages import RegisterCursor
from sync.link import Acknowledged, Busy, Frozen, Refused, Unchanged, Unreachable
from tests.support_central import SOURCE, FakeCentral, problem
from tests.support_replica import NOW_MS, customer


async def test_the_connector_fits_the_ports_and_opens_nothing_by_being_made() -> None:
    central = FakeCentral()
    connector = http.connect(Settings("https://central.example", "t", "02", SystemClock(), transport=central))
    asked: ports.Central = connector
    assert isinstance(asked, HttpConnector)
    assert isinstance(http.enroller(Settings("https://central.example", "", "", SystemClock(), transport=central)), http.HttpEnroller)
    await connector.aclose()
    assert central.requests == []


async def test_every_answer_to_a_push_is_one_value() -> None:
    central = FakeCentral()
    connector = central.connector()
    wire = b'{"stream":"trade","sequence":"1","source":"%s","epoch":"1","prevhash":"%s"}' % (SOURCE.encode(), b"0" * 64)
    answer = await connector.push([wire])
    assert isinstance(answer, Acknowledged)
    assert answer.server_ms == 1_795_388_400_500
    assert isinstance(await connector.cursor(), RegisterCursor)
    asked: list[Callable[[], Awaitable[object]]] = [
        lambda: connector.push([wire]), connector.cursor, lambda: connector.page("carts", ""), lambda: connector.manifest("catalogue"),
    ]  # fmt: skip
    kinds = {
        "lose": Unreachable,
        "html": Unreachable,
        "redirect": Unreachable,
        "busy": Busy,
        "unauthorised": Refused,
        "forbidden": Refused,
        "error": Unreachable,
    }
    for fault, kind in kinds.items():
        for ask in asked:
            central.faults.append(fault)
            assert type(await ask()) is kind, fault
    central.frozen = "fork"
    assert await connector.push([wire.replace(b'"1","source', b'"2","source')]) == Frozen("frozen", "because register-frozen")
    await connector.aclose()


async def test_that_nothing_is_new_answers_only_who_named_a_page() -> None:
    central, named = FakeCentral(), list[str | None]()

    async def unchanged(request: httpx.Request) -> httpx.Response:
        named.append(request.headers.get("if-none-match"))
        return httpx.Response(304)

    central.routes["/edge/v1/feeds/"] = unchanged
    connector = central.connector()
    assert isinstance(await connector.page("customers", "1", 'W/"tag"'), Unchanged)
    assert isinstance(await connector.page("customers", "1"), Unreachable)
    assert named == ['W/"tag"', None]
    await connector.aclose()


async def test_what_a_problem_of_centrals_says_is_one_line() -> None:
    central = FakeCentral()

    async def refused(request: httpx.Request) -> httpx.Response:
        body = {"type": "urn:edge:problem:unauthorised", "title": "No\n", "status": 401, "detail": "gone\r\nerror: all is well\u202e"}
        return httpx.Response(401, json=body, headers={"content-type": "application/problem+json"})

    central.routes["/edge/v1/events"] = refused
    connector = central.connector()
    assert await connector.push([b"{}"]) == Refused(401, "No : gone error: all is well ")
    await connector.aclose()


def a_people_central() -> FakeCentral:
    central = FakeCentral()
    held: dict[str, str] = {}

    async def people(request: httpx.Request) -> httpx.Response:
        match request.url.params.get("value", ""):
            case "LOY1":
                return httpx.Response(200, json={"customers": [customer("k/1", "Anna Berg", loyalty="LOY1")]})
            case "broken":
                return httpx.Response(200, json={"customers": [{"id": 5}]})
            case _:
                if request.url.raw_path == b"/edge/v1/customers/k%2F1/cart":
                    return httpx.Response(200, json=a_cart)
                return problem(404, "not-found")

    async def carts(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        body = json.loads(await request.aread() or b"{}")
        if path.endswith("/claim"):
            if body["version"] != 4:
                return problem(409, "cart-changed", version=4)
            if held.get("key", body["key"]) != body["key"]:
                return problem(409, "cart-held", heldBy="0001/03", untilMs=9)
            held["key"] = body["key"]
            return httpx.Response(200, json={"cart": "c1", "version": 4, "token": "lease", "untilMs": 99})
        if path.endswith(("/release", "/complete")):
            return httpx.Response(204) if body["token"] == "lease" else problem(409, "lease-gone")
        return httpx.Response(200, json=a_cart) if path == "/edge/v1/carts/c1" else problem(404, "not-found")

    a_cart = {"id": "c1", "customer": "k/1", "version": 4, "currency": "EUR", "channel": "web", "openedMs": 1, "heldBy": "",
              "lines": [{"line": "l1", "sku": "TS-1", "pieces": 2, "unitPriceMinor": 500}]}  # fmt: skip
    central.routes = {"/edge/v1/customers": people, "/edge/v1/carts": carts}
    return central


async def test_customers_and_carts_are_asked_for_claimed_and_given_back() -> None:
    connector = a_people_central().connector()
    (found,) = await connector.identify(Identifier(IdentifierKind.LOYALTY, "LOY1"))
    assert found.name == "Anna Berg"
    assert found.as_of_ms > NOW_MS - 10**12
    assert await connector.identify(Identifier(IdentifierKind.PHONE, "+49")) == []
    cart = await connector.cart_of("k/1")
    assert cart is not None
    assert cart == await connector.cart("c1") or cart.total_minor == 1000
    assert await connector.cart("c2") is None
    lease = await connector.claim("c1", 4, "key-12345")
    assert lease == Lease("c1", 4, "lease", 99) == await connector.claim("c1", 4, "key-12345")
    with pytest.raises(CentralConflict) as held:
        await connector.claim("c1", 4, "key-99999")
    assert (held.value.reason, held.value.args_shown["held_by"]) == ("held", "0001/03")
    with pytest.raises(CentralConflict) as changed:
        await connector.claim("c1", 3, "key-12345")
    assert (changed.value.reason, changed.value.args_shown["version"]) == ("changed", "4")
    await connector.complete(lease, "sale-1", {"l1": 1})
    await connector.release(lease)
    await connector.release(Lease("c1", 4, "other", 1))
    await connector.release(Lease("c1", 4, "", 0))
    await connector.complete(Lease("c1", 4, "", 0), "sale-1", {"l1": 1})
    with pytest.raises(CentralConflict) as lost:
        await connector.complete(Lease("c1", 4, "other", 1), "sale-1", {"l1": 1})
    assert lost.value.reason == "lease_gone"
    with pytest.raises(ContractBroken):
        await connector.identify(Identifier(IdentifierKind.LOYALTY, "broken"))
    await connector.aclose()


async def test_central_that_does_not_answer_is_given_up_after_a_second_at_the_latest() -> None:
    central = a_people_central()
    connector = central.connector()
    loop = asyncio.get_running_loop()
    asked: list[Callable[[], Awaitable[object]]] = [
        lambda: connector.identify(Identifier(IdentifierKind.LOYALTY, "LOY1")), lambda: connector.cart("c1"), lambda: connector.claim("c1", 4, "key-12345"),
    ]  # fmt: skip
    central.faults.extend(["slow"] * 3)
    began = loop.time()
    results = await asyncio.gather(*(ask() for ask in asked), return_exceptions=True)
    assert loop.time() - began < 10  # central would take an hour
    assert [type(result) for result in results] == [CentralUnreachable] * 3
    for fault in ("lose", "html", "redirect", "error", "busy"):
        for ask in asked:
            central.faults.append(fault)
            with pytest.raises(CentralUnreachable):
                await ask()
    central.faults.append("unauthorised")
    with pytest.raises(CentralRefused):
        await asked[0]()
    await connector.aclose()
