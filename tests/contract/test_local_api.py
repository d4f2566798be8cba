"""One client suite for every way to the local API: in process, over the Unix socket, over loopback with a token."""

from __future__ import annotations

import asyncio
import json
from typing import get_args

from edge_agent import views as v
from edge_agent.client import ApiProblem
from edge_agent.domain.receipt import NotPrinted
from edge_agent.domain.tender import Approved, CardResult, Unknown
from edge_agent.views import AnyCommand, Snapshot
from tests.support_api import COAT, fixture_shop, fixture_way, impatient, refused, selling, served, until  # noqa: F401 - fixtures
from tests.support_shop import MARIAS_CART, register

NEVER = "00000000-0000-7000-8000-000000000000"


# --- a day at the counter --------------------------------------------------------------------------------------------------------


async def test_a_shift_is_opened_taken_over_and_closed(shop):
    async with shop.client() as client:
        assert (await client.snapshot()).phase == "closed"
        assert (await refused(client.send(v.OpenShift("9999")))).key == "code_unknown.badge"
        opened = await client.send(v.OpenShift("1001", 10_000))
        assert (opened.phase, opened.shift.operator, opened.notice.key) == ("ready", "Ayse K.", "notice.shift_opened")
        assert (await client.send(v.SignIn("1002"))).shift.operator == "Jo"
        assert (await client.send(v.CloseShift())).phase == "closed"


async def test_lines_come_by_typing_by_choosing_and_by_department(shop):
    async with selling(shop) as client:
        await client.send(v.Enter(COAT))
        await client.send(v.NextQuantity("2"))
        assert (await client.send(v.AddArticle("SOCKS"))).basket.lines[1].quantity == "2"
        await client.send(v.AddArticle("PRAL", "0,412 kg"))
        snapshot = await client.send(v.AddDepartment("Fashion", 2500, "3", "Belt", COAT))
        assert [(line.name, line.quantity, line.amount.text) for line in snapshot.basket.lines] == [
            ("Wool coat", "", "199,00"),
            ("Socks, merino", "2", "25,00"),
            ("Pralines, mixed", "0,412 kg", "16,44"),
            ("Belt", "3", "75,00"),
        ]
        assert (snapshot.basket.total.text, snapshot.basket.articles, snapshot.basket.changed) == ("315,44", 7, snapshot.basket.lines[3].id)
        assert (await refused(client.send(v.AddDepartment("Nowhere", 1)))).key == "out_of_bounds.department"


async def test_lines_are_changed_discounted_and_taken_out(shop):
    async with selling(shop) as client:
        coat = (await client.send(v.Enter(COAT))).basket.lines[0].id
        assert (await client.send(v.SetQuantity(coat, "2"))).basket.total.minor == 39_800
        snapshot = await client.send(v.DiscountLine(coat, "button missing", percent_milli=10_000))
        assert [(cut.reason, cut.amount.text, cut.percent) for cut in snapshot.basket.lines[0].discounts] == [("button missing", "-39,80", "10 %")]
        snapshot = await client.send(v.DiscountBasket("opening", amount_minor=20))
        assert (snapshot.basket.subtotal.minor, snapshot.basket.total.minor) == (35_820, 35_800)
        for neither_or_both in (v.DiscountBasket("x"), v.DiscountBasket("x", 1, 1), v.DiscountLine(coat, "x"), v.DiscountBasket("x", amount_minor=0)):
            assert (await refused(client.send(neither_or_both))).key == "out_of_bounds.discount"
        cut = snapshot.basket.lines[0].discounts[0]
        assert (await client.send(v.RemoveDiscount(cut.id))).basket.lines[0].amount.minor == 39_800
        assert (await client.send(v.RemoveDiscount(snapshot.basket.discounts[0].id))).basket.total.minor == 39_800
        assert (await refused(client.send(v.RemoveDiscount(cut.id)))).key == "not_now.discount_gone"
        too_much = await refused(client.send(v.DiscountLine(coat, "typo", amount_minor=39_801)))
        assert (too_much.key, too_much.shown) == ("out_of_bounds.discount_too_large", {"most_minor": "39800"})
        assert (await client.send(v.RemoveLine(coat))).basket.lines == []
        assert (await refused(client.send(v.RemoveLine(coat)))).key == "not_now.line_gone"


async def test_a_price_is_shown_without_selling(shop):
    async with selling(shop) as client:
        assert (await client.send(v.NextIsCheck())).next_is_check
        checked = await client.send(v.Enter(COAT))
        assert (checked.basket, checked.price_check.price.text, checked.next_is_check) == (None, "199,00", False)
        assert (await client.send(v.CheckPrice("PRAL"))).price_check.per == "kg"
        assert not (await client.send(v.NextIsCheck(False))).next_is_check
        assert (await client.send(v.Enter(COAT))).price_check is None


async def test_a_basket_is_voided_suspended_and_recalled(shop):
    async with selling(shop) as client:
        await client.send(v.Enter(COAT))
        suspended = await client.send(v.Suspend("scarf"))
        assert [(aside.label, aside.total.minor, aside.kind) for aside in suspended.suspended] == [("scarf", 19_900, "suspended")]
        recalled = await client.send(v.Recall(suspended.suspended[0].id))
        assert (recalled.basket.total.minor, recalled.suspended) == (19_900, [])
        voided = await client.send(v.VoidBasket("changed their mind"))
        assert (voided.basket, voided.phase, voided.notice.key) == (None, "ready", "notice.voided")


async def test_a_customer_their_cart_and_the_question_about_a_second_one(shop):
    async with selling(shop) as client:
        await client.send(v.Enter(COAT))
        attached = await client.send(v.AttachCustomer("c-maria"))
        assert (attached.customer.name, attached.repriced.before.minor, attached.repriced.after.minor) == ("Maria Fernandez", 19_900, 17_900)
        assert (await client.customer_notes("c-maria")).notes == []
        assert (await until(client, lambda now: now.customer.fresh)).customer.cart.state == "open"
        loaded = await client.send(v.LoadCart())
        assert (loaded.customer.cart.state, loaded.basket.to_pick, loaded.basket.articles) == ("here", 2, 1)  # the coat lay there already
        assert (loaded.customer.cart.articles, loaded.customer.cart.total.minor) == (2, 2_500)
        assert (await client.send(v.ReleaseCart())).basket.to_pick == 0
        asked = (await client.send(v.AttachCustomer("c-omar"))).question
        assert (asked.key, asked.answers[-1]) == ("question.replace_customer", "keep")
        assert (asked.total.before.minor, asked.total.after.minor, asked.leaves) == (17_900, 19_900, 0)
        answered = await client.send(v.Answer(asked.id, "replace"))
        assert (answered.question, answered.customer.name, answered.basket.total.minor) == (None, "Omar Said", 19_900)
        assert (await refused(client.send(v.Answer(asked.id, "keep")))).key == "not_now.no_question"
        assert (await client.send(v.DetachCustomer())).customer is None
        assert (await client.send(v.LoadCart(MARIAS_CART.id))).customer.name == "Maria Fernandez"


async def test_cash_is_taken_given_back_and_completes_the_sale(shop):
    async with selling(shop) as client:
        await client.send(v.Enter(COAT))
        part = await client.send(v.PayCash(5_000))
        assert (part.payment.paid.minor, part.payment.rest.minor, [tender.state for tender in part.payment.tenders]) == (5_000, 14_900, ["settled"])
        back = await client.send(v.ReturnTender(part.payment.tenders[0].id))
        assert (back.payment.paid.minor, back.notice.key, back.notice.level) == (0, "notice.cash_returned", "warn")
        assert back.notice.shown == {"amount": "50,00 EUR"}
        sold = await client.send(v.PayCash(20_000))
        assert (sold.basket, sold.last_sale.change.minor, sold.last_sale.receipt) == (None, 100, "R-0001-02-000001")
        await until(client, lambda now: now.last_sale.print_state == "printed")
        assert shop.rig.paper.jobs[0].open_drawer


async def test_a_card_payment_is_conducted_cancelled_and_undone(shop):
    async with selling(shop) as client:
        await client.send(v.Enter(COAT))
        started = await client.send(v.PayCard(5_000))
        assert (started.phase, started.basket.locked, started.payment.attempt.can_cancel) == ("paying", True, True)
        cancelling = await client.send(v.CancelPayment())
        assert (cancelling.payment.attempt.state, cancelling.payment.attempt.can_cancel) == ("aborting", False)
        shop.rig.terminal.approve(5_000)  # too late
        approved = await until(client, lambda now: now.notice is not None and now.notice.key == "notice.payment_too_late")
        assert (approved.payment.paid.minor, approved.phase) == (5_000, "selling")
        voiding = await client.send(v.ReturnTender(approved.payment.tenders[0].id))
        assert voiding.payment.attempt.kind == "void"
        shop.rig.terminal.approve(5_000)
        undone = await until(client, lambda now: now.phase == "selling")
        assert (undone.payment.paid.minor, undone.payment.tenders[0].state) == (0, "voided")
        assert (await refused(client.send(v.CancelPayment()))).key == "not_now.no_payment"


async def test_a_payment_that_nobody_knows_is_parked_and_decided_by_a_person(shop):
    shop.rig.terminal.findings[:] = [Approved(99, "USD", CardResult())]  # another's payment
    async with selling(shop) as client:
        await client.send(v.Enter(COAT))
        await client.send(v.PayCard())
        shop.rig.terminal.answers.put_nowait(Unknown("answer lost"))
        unclear = await until(client, lambda now: now.payment.attempt.state == "needs_review")
        assert unclear.payment.attempt.can_park
        parked = await client.send(v.Park("coat"))
        assert [(aside.kind, aside.attempt) for aside in parked.parked] == [("parked", "needs_review")]
        attempt = unclear.payment.attempt.id
        assert (await refused(client.send(v.ReviewPayment(attempt, True, " ")))).key == "out_of_bounds.reason"
        decided = await client.send(v.ReviewPayment(attempt, True, "the terminal's list has it"))
        assert (decided.parked, decided.last_sale.total.minor) == ([], 19_900)


async def test_receipts_are_printed_again_as_what_they_are(shop):
    shop.rig.paper.outcome = NotPrinted("no_paper", "Put paper in.")
    async with selling(shop) as client:
        await client.send(v.Enter(COAT))
        await client.send(v.PayCash())
        missing = await until(client, lambda now: now.last_sale is not None and now.last_sale.print_state == "not_printed")
        assert missing.notice.key == "notice.not_printed.no_paper"
        shop.rig.paper.outcome = type(shop.rig.paper)().outcome
        await client.send(v.PrintReceipt(missing.last_sale.id))
        printed = await until(client, lambda now: now.last_sale.print_state == "printed")
        assert printed.notice.key == "notice.printed"  # what was said about the first try is over
        assert (await refused(client.send(v.PrintReceipt(printed.last_sale.id)))).key == "not_now.printed_already"
        await client.send(v.Reprint("R-0001-02-000001"))
        await until(client, lambda now: now.notice is not None and now.notice.key == "notice.copy_printed")
        assert [job.copy for job in shop.rig.paper.jobs] == [False, False, True]
        assert (await refused(client.send(v.Reprint("R-9")))).key == "code_unknown.sale"


async def test_everything_that_can_be_asked_is_answered(shop):
    async with selling(shop) as client:
        await client.send(v.Enter(COAT))
        await client.send(v.AttachCustomer("c-maria"))
        await client.send(v.PayCash())
        assert [(row.sku, row.price.text) for row in (await client.articles("coat")).rows] == [("COAT", "199,00")]
        assert [row.name for row in (await client.customers("omar", limit=1)).rows] == ["Omar Said"]
        first = await client.articles("o", limit=1)  # coat and socks
        assert (len(first.rows), first.more, (await client.articles("coat", limit=1)).more) == (1, True, False)
        assert await client.departments() == ["Fashion", "Food"]
        (sale,) = await client.sales("000001")
        assert (sale.total.minor, sale.customer, sale.tenders) == (17_900, "Maria Fernandez", ["cash"])
        detail = await client.sale(sale.receipt)
        assert detail.sale.id == sale.id
        assert any("Wool coat" in line for line in detail.receipt)
        assert [notice.key for notice in await client.notices()][-1] == "notice.shift_opened"
        assert await client.devices() == []
        status = await client.status()
        assert (status.register, status.phase, {stream.stream: stream.head for stream in status.streams}) == (
            "02",
            "ready",
            {"trade": 2, "people": 1, "ops": 1},
        )
        assert (await client.verification()).problems == []
        assert [event.type for event in await client.journal_tail(3) if event.type != "ReceiptTried"][-2:] == ["TenderAdded", "SaleCompleted"]
        exported = b"".join([piece async for piece in client.journal_export()]).splitlines()
        assert {json.loads(line).get("type") for line in exported} >= {"retail.sale.completed.v1", "retail.visit.recorded.v1", "SaleCompleted"}
        assert b"Maria Fernandez" not in b"".join(exported)


EXAMPLES: tuple[AnyCommand, ...] = (
    v.OpenShift("1001"), v.CheckBadge("1001"), v.ForgetBadge("1001"), v.CloseShift(), v.SignIn("1001"), v.Enter("x"), v.NextQuantity("1"), v.NextIsCheck(),
    v.AddArticle("x"), v.CheckPrice("x"),
    v.AddDepartment("x", 1), v.SetQuantity(NEVER, "1"), v.RemoveLine(NEVER), v.DiscountLine(NEVER, "x", 1), v.DiscountBasket("x", 1), v.RemoveDiscount(NEVER),
    v.VoidBasket("x"),
    v.Suspend(), v.Recall(NEVER), v.AttachCustomer("x"), v.DetachCustomer(), v.LoadCart(), v.ReleaseCart(), v.Answer(NEVER, "x"), v.PayCash(), v.PayCard(),
    v.CancelPayment(), v.ReturnTender(NEVER), v.Park(), v.ReviewPayment(NEVER, True, "x"), v.HandleContradiction(NEVER, "x"),
    v.Reprint("x"), v.PrintReceipt("x"),
)  # fmt: skip


async def test_every_command_is_carried_out_or_refused_with_a_reason_and_what_to_do(shop):
    assert {type(command) for command in EXAMPLES} == set(get_args(AnyCommand))
    async with shop.client() as client:
        for command in EXAMPLES:
            try:
                assert isinstance(await client.send(command), Snapshot)
            except ApiProblem as caught:
                problem = caught.problem
                assert problem.status in (403, 409, 422), (command, problem)
                assert "." in problem.key
                assert problem.hint


# --- news ------------------------------------------------------------------------------------------------------------------------


async def test_news_comes_at_once_to_everybody_who_waits(shop):
    async with selling(shop) as client, shop.plain() as plain, shop.client() as one, shop.client() as two:
        held = await client.snapshot()
        query = {"after": str(held.view), "boot": held.boot, "wait": "20"}
        waiting = [asyncio.create_task(plain.get("/v1/events", params=query)) for _ in range(25)]
        other = [asyncio.create_task(until(watcher, lambda now: now.basket is not None)) for watcher in (one, two)]
        await asyncio.sleep(0)
        sent = await client.send(v.Enter(COAT))
        async with asyncio.timeout(5):
            answers = await asyncio.gather(*waiting)
            snapshots = await asyncio.gather(*other)
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.json()["view"] for answer in answers} | {snapshot.view for snapshot in snapshots} <= set(range(held.view + 1, sent.view + 1))


async def test_without_news_the_answer_is_nothing_after_the_wait(shop):
    async with selling(shop) as client, shop.plain() as plain:
        held = await client.snapshot()
        for wait in ("0", "0.05"):
            answer = await plain.get("/v1/events", params={"after": str(held.view), "boot": held.boot, "wait": wait})
            assert (answer.status_code, answer.content) == (204, b"")


async def test_a_client_of_an_earlier_run_gets_the_newest_at_once(shop):
    async with selling(shop) as client, shop.plain() as plain:
        answer = await plain.get("/v1/events", params={"after": "999999", "boot": "another", "wait": "20"})
        assert answer.json()["boot"] == (await client.snapshot()).boot


async def test_the_end_of_the_service_does_not_wait_for_those_who_wait_for_news(way, tmp_path):
    async with register(tmp_path / "state") as rig:
        async with served(rig, way, tmp_path) as shop:
            plain, entered, wait_beyond = shop.plain(), asyncio.Event(), rig.core.wait_beyond

            async def heard(view: int, seconds: float) -> bool:
                entered.set()
                return await wait_beyond(view, seconds)

            rig.core.wait_beyond = heard
            held = (await plain.get("/v1/snapshot")).json()
            waiting = asyncio.create_task(plain.get("/v1/events", params={"after": str(held["view"]), "boot": held["boot"], "wait": "20"}))
            await entered.wait()
            began = rig.core.ports.clock.monotonic()
            if way == "in_process":
                rig.core.let_go()
        assert (await waiting).status_code == 204
        assert rig.core.ports.clock.monotonic() - began < 1.5  # uvicorn gives requests two seconds, and then cuts them off
        await plain.aclose()
