"""A service that is not there, does not answer or must not sell, and leaving the screen."""

from __future__ import annotations

import asyncio

import msgspec

from edge_agent.client import WHY, ApiProblem, ServiceUnreachable
from edge_agent.views import AnyCommand, Enter, NoticeView, PayCash, Problem, Snapshot
from tests.support_service import ScriptedService
from tests.support_snapshots import COAT, NOW, READY, SALE, SOCKS, SUSPENDED, selling
from tests.support_till import World, till
from tui.messages import Words
from tui.screens.waiting import told

replace = msgspec.structs.replace
STOPPED = replace(
    selling(COAT), phase="stopped", stopped=NoticeView("disk_full", "bad", "The disk is full.", "Make room."),
    notice=NoticeView("disk_full", "bad", "The disk is full.", "Make room.", at_ms=NOW),
)  # fmt: skip


# --- a service that is not there, or must not sell -------------------------------------------------------------------------------


async def test_without_a_service_the_screen_waits_with_a_word_and_goes_on_by_itself() -> None:
    service = ScriptedService(READY)
    service.down = True
    async with till(service) as counter:
        await counter.sees("Waiting for the register's service", "for 0 s", "nothing listens")
        counter.clock.seconds += 65
        await counter.sees("for 1:05 min")
        service.down = False
        await counter.sees("Scan an article, a customer's card")


def test_why_the_service_is_waited_for_is_said_in_words_with_where_and_what_to_do() -> None:
    absent = told(Words("de"), ServiceUnreachable("absent", "/run/edge-agent/api.sock"))
    assert absent[0] == "/run/edge-agent/api.sock: Diesen Socket gibt es nicht; der Dienst läuft nicht."
    assert "systemctl status edge-agent" in absent[1]
    assert "usermod -aG edge-till" in told(Words("en"), ServiceUnreachable("denied", "/run/x"))[1]
    for language in ("en", "de"):
        assert all(Words(language).maybe(f"unreachable.{reason}", "", where="x") for reason in WHY)
    refused = ApiProblem(Problem("about:blank", "Wrong token", 401, "This is not the token.", "nobody_says", "Restart the till."))
    assert told(Words("en"), refused) == ("This is not the token.", "Restart the till.")


async def test_a_service_that_goes_away_is_said_at_once_and_waited_for_in_full_later() -> None:
    async with till(selling(COAT, SOCKS)) as counter:
        counter.service.down = True
        counter.service.wake()
        await counter.sees("The register's service does not answer; waiting for it.", "Wool coat")
        counter.clock.seconds += 5
        await counter.sees("Waiting for the register's service", "Nothing that was sold is lost")
        counter.service.down = False
        await counter.sees("Wool coat", "F2 pay")
        await counter.until(lambda: "does not answer" not in counter.text(), "the word going")


async def test_a_command_without_an_answer_says_to_look_before_doing_it_again() -> None:
    async with till(READY) as counter:
        counter.app.client._resend_seconds = (0.01, 0.01)
        counter.service.lose_answers = 3
        await counter.type("40")
        await counter.press("enter")
        await counter.sees("The service did not answer. Look whether it was done before you do it again.")
        assert len(counter.service.commands) == 1


async def test_what_was_given_behind_a_command_that_was_given_up_is_not_carried_out() -> None:
    waited = asyncio.Event()
    async with till(selling(COAT, SOCKS)) as counter:
        client = counter.app.client
        client._resend_seconds = (0.01, 0.01)
        counter.service.down, send = True, client.send

        async def slowly(command: AnyCommand) -> Snapshot:
            await waited.wait()
            return await send(command)

        client.send = slowly
        counter.app.command(Enter("40"))
        counter.app.command(PayCash())
        await asyncio.sleep(0)
        waited.set()
        await counter.sees("The service did not answer.")
        counter.service.down = False
        await counter.until(lambda: "does not answer" not in counter.text(), "the service")
        await asyncio.sleep(0.2)
        assert counter.service.commands == []


async def test_a_lost_answer_is_asked_for_again_under_the_same_id() -> None:
    async with till(READY) as counter:
        counter.service.lose_answers = 1
        await counter.type("40")
        await counter.press("enter")
        await counter.until(lambda: len(counter.service.repeated) == 1, "the repetition")
        assert len(counter.service.commands) == 1
        assert "did not answer" not in counter.text()


async def test_a_register_that_must_not_sell_says_why_in_large_and_still_shows_past_sales() -> None:
    service = ScriptedService(READY)
    service.sales = [SALE]
    async with till(service) as counter:
        await counter.shows(STOPPED)
        await counter.sees("S E L L I N G   H A S   S T O P P E D", "The disk of the register is full.", "Every sale that was completed is safe on the disk.")
        assert "Wool coat" not in counter.text()
        assert counter.app.bells == 1
        await counter.press("f9", "s")
        await counter.sees("R-0001-02-000123")
        await counter.press("escape")
        await counter.shows(selling(COAT))
        await counter.sees("Wool coat")


async def test_what_is_typed_while_selling_is_stopped_is_not_lost_on_the_way() -> None:
    async with till(STOPPED) as counter:
        await counter.press("f2")
        await counter.sees("S E L L I N G")
        assert counter.service.commands == []


# --- leaving ---------------------------------------------------------------------------------------------------------------------


async def test_leaving_with_an_open_basket_says_what_becomes_of_it_and_asks() -> None:
    async with till(selling(COAT, SOCKS)) as counter:
        await counter.press("ctrl+q")
        await counter.sees("Leave the screen?", "A basket with 3 articles is open.", "It stays at the register as it is", "Esc stay here")
        await counter.press("escape")
        await counter.sees("F2 pay")
        await counter.press("f9", "x")
        await counter.sees("Leave the screen?")
        assert not counter.app._exit
        await counter.press("enter")
        await counter.until(lambda: counter.app._exit, "leaving")
        assert counter.service.commands == []


async def test_leaving_a_demo_says_that_it_ends_and_a_second_ctrl_q_insists() -> None:
    async with till(replace(READY, suspended=[SUSPENDED]), panel=World()) as counter:
        await counter.press("ctrl+q")
        await counter.sees("1 sale is suspended or parked. Leaving ends the world.")
        await counter.press("ctrl+q")
        await counter.until(lambda: counter.app._exit, "leaving")


async def test_x_leaves_the_screen_and_the_service_goes_on() -> None:
    async with till(READY) as counter:
        await counter.press("f9", "x")
        await counter.until(lambda: counter.app._exit, "leaving")
        assert counter.service.commands == []
