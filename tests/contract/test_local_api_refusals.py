"""What the local API says no to, and how: RFC 9457 problems with a key and what to do, whatever the way in."""

from __future__ import annotations

import asyncio
import socket
import stat
import threading
from collections.abc import AsyncIterator

import httpx
import pytest

from edge_agent import views as v
from edge_agent.api.app import BODY_BYTES_MAX
from edge_agent.api.problems import STATUS, TITLES, problem_of
from edge_agent.client import ApiProblem, ServiceUnreachable
from edge_agent.domain import errors
from edge_agent.domain.errors import ConfigError, DiskFull, EdgeError
from edge_agent.serving import bind_loopback, bind_unix
from sync.journal_check import Verification
from tests.support_api import WAYS, Served, new_id, served
from tests.support_shop import MemoryCentral, register
from tui.messages import Words

COAT = "4006381333931"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(params=WAYS)
def way(request) -> str:
    return request.param


@pytest.fixture
async def shop(way, tmp_path, monkeypatch) -> AsyncIterator[Served]:
    monkeypatch.setattr("edge_agent.service.core.REOPEN_SECONDS", 0.01)
    async with register(tmp_path / "state", central=MemoryCentral(held=True)) as rig, served(rig, way, tmp_path) as found:
        yield found


def problem_in(answer: httpx.Response) -> v.Problem:
    """The problem that an answer carries, with what every problem has."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = v.Problem(**answer.json())
    assert problem.status == answer.status_code
    assert problem.type == f"urn:edge:problem:{problem.key.split('.')[0]}"
    assert problem.title == TITLES[problem.type.rpartition(":")[2]], "one title per type (RFC 9457, section 3.1.3)"
    assert problem.hint
    return problem


async def post(plain: httpx.AsyncClient, command: dict, **more: object) -> httpx.Response:
    return await plain.post("/v1/commands", json={"id": new_id(), "command": command, **more})


# --- each branch of the error tree -----------------------------------------------------------------------------------------------


async def test_each_kind_of_refusal_has_its_status_its_key_and_the_values_of_its_sentence(shop):
    async with shop.plain() as plain, shop.client() as client:
        no_shift = problem_in(await post(plain, {"do": "enter", "text": COAT}))
        assert (no_shift.status, no_shift.key, no_shift.retry) == (409, "not_now.no_shift", "never")
        await client.send(v.OpenShift("1002"))
        wrong_digit = problem_in(await post(plain, {"do": "enter", "text": "4006381333932"}))
        assert (wrong_digit.status, wrong_digit.key) == (422, "code_invalid.check_digit")
        assert {"value": "4006381333932", "expected": "1", "got": "2"}.items() <= wrong_digit.shown.items()
        unknown = problem_in(await post(plain, {"do": "enter", "text": "96385074"}))
        assert (unknown.status, unknown.key, unknown.shown["code"]) == (422, "code_unknown.article", "96385074")
        await client.send(v.Enter(COAT))
        not_allowed = problem_in(await post(plain, {"do": "void_basket", "reason": "x"}))
        assert (not_allowed.status, not_allowed.key, not_allowed.shown) == (403, "not_allowed.sale_void", {"who": "Jo"})
        too_many = problem_in(await post(plain, {"do": "next_quantity", "text": "10000"}))
        assert (too_many.status, too_many.key, too_many.shown["max"]) == (409, "out_of_bounds.next_quantity", "9999")
        await client.send(v.AttachCustomer("c-maria"))
        held = problem_in(await post(plain, {"do": "load_cart"}))
        assert (held.status, held.key) == (409, "central_conflict.held")
        assert problem_in(await plain.get("/v1/sales/R-9")).key == "code_unknown.sale"
        assert problem_in(await plain.get("/v1/customers/nobody/notes")).key == "code_unknown.customer_gone"


ALONE = "Register 0001/03 holds this online cart."
HELD = {
    "who and until when": (
        {"held_by": "0001/03", "until_ms": 32_503_680_000_000},
        "central_conflict.held_until",
        "Register 0001/03 holds this online cart until 3000-01-01 01:00.",
        ("Register 0001/03 holds this online cart until 1 Jan 3000 01:00.", "Kasse 0001/03 hat diesen Onlinekorb bis 1. Jan. 3000 01:00."),
    ),
    "who": ({"held_by": "0001/03"}, "central_conflict.held_by", ALONE, (ALONE, "Kasse 0001/03 hat diesen Onlinekorb.")),
    "a lease that is over": ({"held_by": "0001/03", "until_ms": 5}, "central_conflict.held_by", ALONE, (ALONE, "Kasse 0001/03 hat diesen Onlinekorb.")),
    "nothing": ({}, "central_conflict.held", "", ("Another register holds this online cart.", "Eine andere Kasse hat diesen Onlinekorb.")),
}
"""What central says, the key of the refusal, its English sentence (nothing where it is central's own), and what the screen says in both languages."""


@pytest.mark.parametrize(("shown", "key", "detail", "told"), HELD.values(), ids=HELD)
async def test_a_cart_that_somebody_else_holds_is_a_conflict_that_says_who_and_until_when(way, tmp_path, shown, key, detail, told):
    central = MemoryCentral(held=True, held_shown=shown)
    async with register(tmp_path / "state", central=central) as rig, served(rig, way, tmp_path) as shop, shop.plain() as plain, shop.client() as client:
        await client.send(v.OpenShift("1001"))
        await client.send(v.AttachCustomer("c-maria"))
        held = problem_in(await post(plain, {"do": "load_cart"}))
    assert (held.status, held.key, held.retry) == (409, key, "never")
    assert {name: str(value) for name, value in shown.items()}.items() <= held.shown.items()
    assert not detail or held.detail == detail
    assert tuple(Words(language).notice(Words(language).problem(held))[0] for language in ("en", "de")) == told


async def test_a_full_disk_stops_selling_until_there_is_room_and_the_same_id_goes_through_then(shop):
    same = new_id()
    async with shop.client() as client, shop.client(ids=lambda: same) as stuck:
        await client.send(v.OpenShift("1001"))
        await client.send(v.Enter(COAT))
        shop.rig.refusing.refuse = DiskFull("No room.", hint="Make room.", path="journal.db")
        with pytest.raises(ApiProblem) as caught:
            await stuck.send(v.PayCash())
        assert (caught.value.problem.status, caught.value.problem.key, caught.value.problem.retry) == (503, "disk_full", "later")
        stopped = await client.snapshot()
        assert (stopped.phase, stopped.stopped.key, stopped.stopped.hint, stopped.basket.total.minor) == ("stopped", "disk_full", "Make room.", 19_900)
        shop.rig.refusing.refuse = None
        async with asyncio.timeout(5):
            while (await client.snapshot()).phase == "stopped":
                await asyncio.sleep(0.002)
        assert (await stuck.send(v.PayCash())).last_sale.total.minor == 19_900
        assert len(await client.sales()) == 1


async def test_a_card_is_never_asked_for_more_than_is_due(shop):
    async with shop.plain() as plain, shop.client() as client:
        await client.send(v.OpenShift("1001"))
        await client.send(v.Enter(COAT))
        await client.send(v.PayCash(10_000))
        too_much = problem_in(await post(plain, {"do": "pay_card", "amount_minor": 9_901}))
        assert (too_much.status, too_much.key, shop.rig.terminal.asked) == (409, "out_of_bounds.card_amount", [])
        assert (await client.send(v.PayCard(9_900))).payment.attempt.amount.minor == 9_900


def every_error() -> list[type[EdgeError]]:
    return [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, EdgeError)]


@pytest.mark.parametrize("cls", every_error(), ids=lambda cls: cls.__name__)
def test_every_class_of_the_tree_becomes_a_problem(cls):
    problem = problem_of(cls("What happened.", hint="What to do.", reason="why", number=7))
    assert (problem.type, problem.key, problem.retry) == (f"urn:edge:problem:{cls.code}", f"{cls.code}.why", cls.retry.value)
    assert (problem.title, problem.detail, problem.hint, problem.shown) == (TITLES[cls.code], "What happened.", "What to do.", {"number": "7"})
    assert problem_of(cls("Something else.", hint="Otherwise.", reason="other")).title == problem.title
    assert problem.status == next((status for branch, status in STATUS if issubclass(cls, branch)), 400)


async def test_a_bug_is_a_problem_that_tells_nothing_of_the_inside_and_leaves_the_register_alive(shop):
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    async with shop.plain() as plain, shop.client() as client:
        counter, shop.rig.till.counter.entered = shop.rig.till.counter.entered, broken
        answer = await post(plain, {"do": "enter", "text": COAT})
        assert problem_in(answer).key == "bug"
        assert answer.status_code == 500
        assert "secret" not in answer.text
        shop.rig.till.counter.entered = counter
        await client.send(v.OpenShift("1001"))
        assert (await client.send(v.Enter(COAT))).basket is not None


# --- what is no request of ours --------------------------------------------------------------------------------------------------


MALFORMED = (
    b"", b"{", b"null", b"[]", b"\xff\xfe", b'{"id": 7, "command": {"do": "park"}}', b'{"command": {"do": "park"}}',
    b'{"id": "not-a-uuid", "command": {"do": "park"}}', b'{"id": "00000000-0000-7000-8000-000000000000"}',
    b'{"id": "00000000-0000-7000-8000-000000000000", "command": {"do": "rob"}}',
    b'{"id": "00000000-0000-7000-8000-000000000000", "command": {"do": "park", "also": 1}}',
    b'{"id": "00000000-0000-7000-8000-000000000000", "command": {"do": "park"}, "also": 1}',
    b'{"id": "00000000-0000-7000-8000-000000000000", "command": {"do": "pay_cash", "given_minor": -1}}',
    b'{"id": "00000000-0000-7000-8000-000000000000", "command": {"do": "pay_cash", "given_minor": 1e30}}',
    b'{"id": "00000000-0000-7000-8000-000000000000", "command": {"do": "pay_cash", "given_minor": "500"}}',
    b'{"id": "00000000-0000-7000-8000-000000000000", "command": {"do": "pay_cash", "given_minor": 5.5}}',
    b'{"id": "00000000-0000-7000-8000-000000000000", "command": {"do": "next_is_check", "on": 0}}',
    b'{"id": "00000000-0000-7000-8000-000000000000", "command": {"do": "enter", "text": "' + b"9" * 600 + b'"}}',
    b'{"id":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
)  # fmt: skip


async def test_a_malformed_request_is_refused_and_changes_nothing(shop):
    async with shop.plain() as plain:
        before = shop.rig.core.view
        for body in MALFORMED:
            problem = problem_in(await plain.post("/v1/commands", content=body, headers={"Content-Type": "application/json"}))
            assert (problem.status, problem.key) == (400, "request_malformed"), body
        assert shop.rig.core.view == before


TYPED = "Fernandez"
QUESTIONS = (f"/v1/customers?q={TYPED * 50}", f"/v1/customers?name={TYPED}", f"/v1/customers?q={TYPED}&limit={TYPED}", f"/v1/events?boot={TYPED}&after=x",
             f"/v1/sales?q={TYPED}&limit=0", f"/v1/customers/{TYPED * 20}/notes", f"/v1/nowhere/{TYPED}?q={TYPED}")  # fmt: skip
BODIES = (f'{{"do": "{TYPED}"}}', f'{{"do": "enter", "text": "{TYPED * 100}"}}', f'{{"do": "next_is_check", "on": "{TYPED}"}}')


async def test_what_somebody_typed_is_not_repeated_in_a_refusal_of_the_request(shop):
    async with shop.plain() as plain:
        answers = [await plain.get(question) for question in QUESTIONS]
        answers += [await plain.post("/v1/commands", content=f'{{"id": "{new_id()}", "command": {body}}}', headers=JSON) for body in BODIES]
        answers.append(await plain.delete(f"/v1/customers?q={TYPED}"))
    for answer in answers:
        assert problem_in(answer).key in ("request_malformed", "not_found", "method_not_allowed")
        assert TYPED not in answer.text
    assert "limit" in problem_in(answers[2]).detail, "which parameter is wrong is said"


async def test_an_integer_written_with_a_point_is_the_same_integer_as_json_schema_says(shop):
    command = b'{"id": "00000000-0000-7000-8000-000000000000", "command": {"do": "open_shift", "badge": "1003"}}'
    priced = b'{"id": "00000000-0000-7000-8000-000000000001", "command": {"do": "add_department", "department": "Fashion", "price_minor": %s}}'
    async with shop.plain() as plain:
        for body in (command, priced % b"1250.0", priced % b"1250", priced % b"1.25e3"):  # the same id and the same command each time: carried out once
            answer = await plain.post("/v1/commands", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 200, answer.text
        assert [line["amount"]["minor"] for line in (await plain.get("/v1/snapshot")).json()["basket"]["lines"]] == [1250]


async def test_another_content_type_is_refused(shop):
    body = b'{"id": "00000000-0000-7000-8000-000000000000", "command": {"do": "park"}}'
    async with shop.plain() as plain:
        for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/msgpack"):
            answer = await plain.post("/v1/commands", content=body, headers={"Content-Type": kind})
            assert (answer.status_code, problem_in(answer).key) == (415, "request_not_json"), kind


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_large_is_refused_before_it_is_read_whole(shop, chunked):
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(BODY_BYTES_MAX // 1024 + 1):
            yield b" " * 1024

    async with shop.plain() as plain:
        content = pieces() if chunked else b" " * (BODY_BYTES_MAX + 1)
        answer = await plain.post("/v1/commands", content=content, headers={"Content-Type": "application/json"})
        assert problem_in(answer).key == "request_too_large"
        assert answer.status_code == 413
        assert (await plain.get("/v1/snapshot")).status_code == 200


NOT_THERE = (
    ("GET", "/", 404, "not_found"), ("GET", "/v1/nothing", 404, "not_found"), ("GET", "/v1/snapshot/x", 404, "not_found"),
    ("GET", "/v1/commands", 405, "method_not_allowed"), ("DELETE", "/v1/snapshot", 405, "method_not_allowed"),
    ("GET", "/v1/events?after=-1", 400, "request_malformed"), ("GET", "/v1/events?wait=3600", 400, "request_malformed"),
    ("GET", "/v1/events?wait=nan", 400, "request_malformed"), ("GET", "/v1/events?after=x", 400, "request_malformed"),
    ("GET", "/v1/articles", 400, "request_malformed"), ("GET", "/v1/articles?q=a&limit=0", 400, "request_malformed"),
    ("GET", "/v1/articles?q=" + "a" * 201, 400, "request_malformed"), ("GET", "/v1/journal/events?count=1001", 400, "request_malformed"),
)  # fmt: skip


async def test_what_is_not_there_or_out_of_range_is_a_problem_too(shop):
    async with shop.plain() as plain:
        for method, path, status, key in NOT_THERE:
            problem = problem_in(await plain.request(method, path))
            assert (problem.status, problem.key) == (status, key), path


async def test_a_wrong_method_is_told_the_right_ones(shop):
    async with shop.plain() as plain:
        assert set((await plain.delete("/v1/commands")).headers["allow"].split(", ")) == {"POST", "OPTIONS"}


async def test_reading_the_whole_journal_is_done_one_at_a_time(shop):
    async with shop.client() as client, shop.plain() as plain:
        await client.send(v.OpenShift("1001"))
        journal = shop.rig.journal
        reading, go_on, verify = threading.Event(), threading.Event(), journal.verify

        def slowly() -> Verification:
            reading.set()
            assert go_on.wait(5)
            return verify()

        journal.verify = slowly
        first = asyncio.create_task(client.verification())
        assert await asyncio.to_thread(reading.wait, 5)
        for path in ("/v1/journal/verification", "/v1/journal/export"):
            assert problem_in(await plain.get(path)).key == "not_now.journal_busy"
        assert (await client.send(v.Enter(COAT))).basket is not None  # the counter waits for nobody
        go_on.set()
        assert (await first).problems == []
        assert [piece async for piece in client.journal_export()]


# --- the token on loopback, and the socket's file --------------------------------------------------------------------------------


WRONG = {
    "none": "", "another": "Bearer wrong", "no ASCII": "Bearer ünïcode", "a part": "Bearer {0[0]}", "more": "Bearer {0}x", "no scheme": "{0}",
    "no token": "Bearer",
}  # fmt: skip


@pytest.mark.parametrize("said", WRONG.values(), ids=WRONG)
async def test_on_loopback_every_request_needs_the_token(tmp_path, said):
    async with register(tmp_path / "state") as rig, served(rig, "loopback_with_token", tmp_path) as shop:
        headers = {"Authorization": said.format(shop.token).encode()} if said else {}
        async with httpx.AsyncClient(base_url=shop.base_url, headers=headers, trust_env=False) as plain:
            for path in ("/v1/snapshot", "/v1/status", "/v1/journal/export", "/schema/openapi.json", "/v1/events"):
                problem = problem_in(await plain.get(path))
                assert (problem.status, problem.key) == (401, "unauthorised")
            assert (await post(plain, {"do": "open_shift", "badge": "1001"})).status_code == 401
        assert rig.core.state.shift is None
        async with shop.plain() as right:
            assert (await right.get("/v1/snapshot")).status_code == 200


async def test_the_socket_is_for_its_owner_and_group_alone(tmp_path):
    async with register(tmp_path / "state") as rig, served(rig, "unix_socket", tmp_path):
        assert stat.S_IMODE((tmp_path / "api.sock").stat().st_mode) == 0o660


async def test_a_second_service_on_one_socket_is_refused_and_the_first_goes_on(tmp_path):
    async with register(tmp_path / "state") as rig, served(rig, "unix_socket", tmp_path) as shop:
        with pytest.raises(ConfigError, match="already listens"):
            bind_unix(tmp_path / "api.sock")
        async with shop.client() as client:
            assert (await client.snapshot()).phase == "closed"


def test_a_service_that_is_too_busy_to_answer_keeps_its_socket(tmp_path):
    path = tmp_path / "api.sock"
    with bind_unix(path) as busy:
        busy.listen(0)
        callers = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) for _ in range(4)]
        for caller in callers:
            caller.connect_ex(str(path))
        with pytest.raises(ConfigError, match="already listens"):
            bind_unix(path)
        for caller in callers:
            caller.close()
    assert path.is_socket()


def test_what_a_dead_service_left_is_replaced_and_anything_else_is_left_alone(tmp_path):
    path = tmp_path / "api.sock"
    bind_unix(path).close()
    assert path.is_socket()
    bind_unix(path).close()
    precious = tmp_path / "precious"
    precious.write_text("books")
    with pytest.raises(ConfigError, match="got another file"):
        bind_unix(precious)
    assert precious.read_text() == "books"


def test_a_socket_that_cannot_be_is_a_configuration_to_mend(tmp_path):
    with pytest.raises(ConfigError, match="at most 107 bytes"):
        bind_unix(tmp_path / ("x" * 120))
    with pytest.raises(ConfigError, match="group"):
        bind_unix(tmp_path / "api.sock", "no-such-group-here")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot listen"):
        bind_unix(tmp_path / "file" / "api.sock")


def test_a_port_that_is_taken_is_a_configuration_to_mend():
    with bind_loopback(0) as first:
        assert first.getsockname()[0] == "127.0.0.1"
        with pytest.raises(ConfigError, match="cannot listen"):
            bind_loopback(first.getsockname()[1])


async def test_a_client_whose_service_is_gone_says_so(tmp_path):
    async with register(tmp_path / "state") as rig:
        async with served(rig, "unix_socket", tmp_path) as shop:
            client = shop.client()
        with pytest.raises(ServiceUnreachable):
            await client.snapshot()
        await client.aclose()


async def test_whatever_a_client_asks_for_by_name_stays_a_name(shop):
    async with shop.client() as client:
        for odd in ("../status", "a/b", "a?q=1", "a#b", "ü", "%2e%2e", "\n"):
            for ask in (client.sale, client.customer_notes):
                with pytest.raises(ApiProblem) as caught:
                    await ask(odd)
                assert caught.value.problem.key in ("code_unknown.sale", "code_unknown.customer_gone", "not_found"), odd
