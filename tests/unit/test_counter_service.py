"""The use cases over the real journal: scans, customers, carts, money, a disk that refuses, a restart at any point."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.errors import CentralConflict, CodeUnknown, DiskFull, NotAllowed, NotNow
from edge_agent.domain.reading import Reading, Source, TagKind
from edge_agent.domain.tender import Approved, AttemptState, CardResult, Declined, NotFound, Unknown
from edge_agent.service import paying
from edge_agent.views import OpeningView, Snapshot
from tests.support_shop import MARIAS_CART, MemoryCentral, ScriptedTerminal, register


async def eventually(condition, what="it", seconds=5.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


def scan(rig, text: str, aim: str = "") -> Reading:
    return Reading(text.encode(), "scanner", rig.core.ports.clock.now_ms(), aim=aim)


async def opened(rig):
    await rig.till.day.open("1001", 10_000, rig.core.ports.new_id())


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(paying, "ASK_SECONDS", (0.01, 0.01))
    monkeypatch.setattr("edge_agent.service.core.REOPEN_SECONDS", 0.01)


async def test_scan_tap_cart_pick_and_pay(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await opened(rig)
        await rig.till.scanned(Reading(b"", "nfc", rig.core.ports.clock.now_ms(), Source.NFC, tag=TagKind.RANDOM_UID))
        assert rig.core.desk.notice.key.startswith("code_invalid.")
        await rig.till.scanned(Reading(b"04A1B2C3D4E5F6", "nfc", rig.core.ports.clock.now_ms(), Source.NFC, tag=TagKind.FIXED_UID))
        assert rig.core.desk.customer.name == "Maria Fernandez"
        await rig.till.clienteling.load("", "")
        assert rig.presenter.snapshot().customer.cart.state == "here"
        await rig.till.scanned(scan(rig, "4006381333931", "]E0"))
        snapshot = rig.presenter.snapshot()
        assert (snapshot.basket.total.minor, snapshot.basket.to_pick) == (17900, 2)  # gold pays less than the cart promised
        await rig.till.paying.cash(20_000, "")
        sale = rig.core.desk.last_sale
        assert (sale.change_minor, [line.cart_line for line in sale.lines]) == (2100, ["w1"])
        await eventually(lambda: rig.paper.jobs)
        assert rig.paper.jobs[0].open_drawer
        await eventually(lambda: ("complete", MARIAS_CART.id, sale.id, ("w1",)) in rig.central.calls)
        assert rig.presenter.snapshot().customer is None


async def test_a_wrong_check_digit_and_an_unknown_article_change_nothing_and_say_what_to_do(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await rig.till.scanned(scan(rig, "4006381333932"))
        assert "expected 1" in rig.core.desk.notice.text
        await rig.till.scanned(scan(rig, "96385074"))
        assert rig.core.desk.notice.key == "code_unknown.article"
        assert rig.core.state.basket is None


async def test_a_typed_quantity_before_the_scan_is_for_that_scan_alone(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await rig.till.counter.entered("3*4006381333931", "")
        await rig.till.scanned(scan(rig, "4006381333948"))
        assert [line.quantity.amount for line in rig.core.state.basket.lines] == [3, 1]
        rig.till.counter.next_quantity("2")
        await rig.till.scanned(scan(rig, "4006381333948"))
        assert [line.quantity.amount for line in rig.core.state.basket.lines] == [3, 3]


async def test_a_price_check_sells_nothing_and_is_for_one_scan(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        rig.till.counter.next_is_check(True)
        await rig.till.scanned(scan(rig, "4006381333931"))
        assert rig.core.state.basket is None
        assert rig.presenter.snapshot().price_check.price.minor == 19900
        await rig.till.scanned(scan(rig, "4006381333931"))
        assert rig.core.state.basket is not None


@pytest.mark.parametrize(
    ("code", "minor", "label"),
    [
        ("2112345004129", 1644, "0,412 kg"),
        ("]C101040063813339313922500", 500, ""),
    ],
)
async def test_a_price_check_of_a_label_tells_what_the_same_scan_sells_at(tmp_path, code, minor, label):
    aim, text = (code[:3], code[3:]) if code.startswith("]") else ("", code)
    async with register(tmp_path) as rig:
        await opened(rig)
        rig.till.counter.next_is_check(True)
        await rig.till.scanned(scan(rig, text, aim))
        told = rig.presenter.snapshot().price_check
        assert (told.label_price.minor, told.label) == (minor, label)
        assert rig.core.state.basket is None
        await rig.till.scanned(scan(rig, text, aim))
        assert [line.amount_minor for line in rig.core.state.basket.lines] == [told.label_price.minor]


async def test_a_typed_label_with_a_price_takes_the_right_to_type_prices(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        rig.core.state = replace(rig.core.state, operator=replace(rig.core.state.operator, rights=frozenset()))
        with pytest.raises(NotAllowed):
            await rig.till.counter.entered("(01)04006381333931(3922)0001", "")
        assert rig.core.state.basket is None


async def test_a_second_customer_in_mid_sale_is_a_question(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await rig.till.scanned(scan(rig, "LOY0000000001"))
        await rig.till.scanned(scan(rig, "LOY0000000002"))
        question = rig.presenter.snapshot().question
        assert question.shown == {"new": "Omar Said", "current": "Maria Fernandez"}
        assert rig.core.state.basket.customer.id == "c-maria"
        await rig.till.clienteling.answered(question.id, "keep", "")
        assert rig.core.state.basket.customer.id == "c-maria"
        await rig.till.scanned(scan(rig, "LOY0000000002"))
        await rig.till.clienteling.answered(rig.presenter.snapshot().question.id, "replace", "")
        assert rig.core.state.basket.customer.id == "c-omar"


async def test_without_central_the_cart_is_sold_from_the_copy_and_says_so(tmp_path):
    async with register(tmp_path, central=MemoryCentral(down=True)) as rig:
        await opened(rig)
        await rig.till.scanned(scan(rig, "LOY0000000001"))
        await rig.till.clienteling.load("", "")
        assert rig.core.desk.notice.key == "notice.cart_copy_loaded"
        assert rig.core.state.basket.lease.token == ""
        assert rig.presenter.snapshot().customer.cart.offline_copy


async def test_a_cart_that_another_register_holds_is_not_loaded(tmp_path):
    async with register(tmp_path, central=MemoryCentral(held=True)) as rig:
        await opened(rig)
        await rig.till.scanned(scan(rig, "LOY0000000001"))
        with pytest.raises(CentralConflict):
            await rig.till.clienteling.load("", "")
        assert rig.core.state.basket.lease is None


async def test_an_unknown_outcome_is_asked_about_until_it_is_settled(tmp_path):
    terminal = ScriptedTerminal(findings=[Unknown("still silent"), Approved(19900, "EUR", CardResult(last_four="1111"))])
    async with register(tmp_path, terminal=terminal) as rig:
        await opened(rig)
        await rig.till.scanned(scan(rig, "4006381333931"))
        await rig.till.paying.card(None, "")
        await eventually(lambda: rig.presenter.snapshot().payment and rig.presenter.snapshot().payment.attempt.step == "present_card")
        terminal.answers.put_nowait(Unknown("answer lost"))
        await eventually(lambda: rig.core.desk.last_sale)
        assert rig.core.desk.last_sale.tenders[0].attempts[0].state is AttemptState.APPROVED
        assert len(terminal.queried) == 2


async def test_not_found_is_not_believed_while_the_wire_may_still_deliver(tmp_path):
    terminal = ScriptedTerminal(findings=[NotFound()], settle=60_000)
    async with register(tmp_path, terminal=terminal) as rig:
        await opened(rig)
        await rig.till.scanned(scan(rig, "4006381333931"))
        await rig.till.paying.card(None, "")
        terminal.answers.put_nowait(Unknown("answer lost"))
        await eventually(lambda: len(terminal.queried) > 3)
        assert rig.core.state.basket.open_attempt.state is AttemptState.UNKNOWN
        terminal.findings[:] = [Declined("refused")]
        await eventually(lambda: rig.core.state.basket.open_attempt is None)


async def test_a_restart_in_the_middle_of_a_payment_settles_it_by_asking_and_the_basket_is_back(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await rig.till.scanned(scan(rig, "4006381333931"))
        await rig.till.scanned(scan(rig, "LOY0000000001"))
        await rig.till.paying.card(None, "")
        await eventually(lambda: rig.terminal.asked)
        wire_ref = rig.terminal.asked[0].wire_ref
    terminal = ScriptedTerminal(findings=[Approved(17900, "EUR", CardResult(last_four="1111"))])
    async with register(tmp_path, terminal=terminal) as rig:
        assert rig.core.state.basket is None or rig.core.state.basket.lines[0].sku == "COAT"
        await eventually(lambda: rig.journal.sales("", 10))
        assert terminal.queried[0].wire_ref == wire_ref
        assert terminal.asked == []
        assert rig.journal.sales("", 10)[0].total_minor == 17900


async def test_a_full_disk_stops_selling_says_so_and_selling_goes_on_by_itself(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await rig.till.scanned(scan(rig, "4006381333931"))
        rig.refusing.refuse = DiskFull("The disk is full.", hint="Free some space.")
        await rig.till.scanned(scan(rig, "4006381333948"))
        snapshot = rig.presenter.snapshot()
        assert (snapshot.phase, snapshot.stopped.key, len(snapshot.basket.lines)) == ("stopped", "disk_full", 1)
        with pytest.raises(DiskFull):
            await rig.till.paying.cash(None, "")
        rig.refusing.refuse = None
        await eventually(lambda: rig.presenter.snapshot().phase == "selling")
        await rig.till.paying.cash(None, "")
        assert rig.core.desk.last_sale.totals.total_minor == 19900


async def test_suspend_and_recall_bring_the_customer_back(tmp_path):
    async with register(tmp_path) as rig:
        await opened(rig)
        await rig.till.scanned(scan(rig, "4006381333931"))
        await rig.till.scanned(scan(rig, "LOY0000000001"))
        basket = rig.core.state.basket.id
        await rig.till.set_aside(do.Suspend("scarf"), "")
        assert rig.presenter.snapshot().customer is None
        assert rig.presenter.snapshot().suspended[0].customer == "Maria Fernandez"
        await rig.till.recall(basket, "")
        assert rig.presenter.snapshot().customer.name == "Maria Fernandez"


async def test_an_unknown_badge_opens_nothing_and_a_badge_that_is_scanned_waits_for_its_float(tmp_path):
    async with register(tmp_path) as rig:
        with pytest.raises(CodeUnknown):
            await rig.till.day.open("9999", 0, "")
        await rig.till.scanned(scan(rig, "4006381333931"))
        assert rig.core.desk.notice.key == "not_now.no_shift"
        await rig.till.scanned(scan(rig, "STAFF-1001"))
        waiting = rig.presenter.snapshot()
        assert (waiting.phase, waiting.shift, waiting.opening) == ("closed", None, OpeningView("STAFF-1001", "Ayse K."))
        await rig.till.day.open(waiting.opening.badge, 15_000, "")
        opened = rig.presenter.snapshot()
        assert (opened.shift.operator, opened.opening, rig.core.state.shift.float_minor) == ("Ayse K.", None, 15_000)
        with pytest.raises(NotNow):
            await rig.till.day.open("1001", 0, "")
        await rig.till.scanned(scan(rig, "STAFF-1003"))
        assert rig.presenter.snapshot().shift.operator == "Manager", "to an open shift a badge signs in at once"
        await rig.till.day.close("")
        assert rig.presenter.snapshot().opening is None


async def test_a_badge_that_waits_for_its_float_is_replaced_forgotten_and_refused_by_name(tmp_path):
    async with register(tmp_path) as rig:
        await rig.till.scanned(scan(rig, "STAFF-1001"))
        await rig.till.scanned(scan(rig, "STAFF-9999"))
        assert rig.core.desk.notice.key == "code_unknown.badge"
        assert rig.presenter.snapshot().opening.badge == "STAFF-1001"
        await rig.till.scanned(scan(rig, "STAFF-1003"))
        rig.till.day.forget("STAFF-1001")  # somebody's Esc, which came late
        assert rig.presenter.snapshot().opening == OpeningView("STAFF-1003", "Manager")
        rig.core.ports.people.staff = ()  # central took the badge away
        with pytest.raises(CodeUnknown):
            await rig.till.day.open("STAFF-1003", 0, "")
        assert rig.presenter.snapshot().opening is None


async def test_while_the_disk_refuses_a_badge_waits_for_nothing_and_a_shift_that_was_opened_after_all_leaves_nobody_waiting(tmp_path):
    async with register(tmp_path) as rig:
        await rig.till.scanned(scan(rig, "STAFF-1001"))
        commit = rig.refusing.commit

        async def written_but_refused(wanted):
            await commit(wanted)
            rig.refusing.commit = commit
            raise DiskFull("The disk is full.", hint="Make room.")

        rig.refusing.commit, rig.refusing.refuse = written_but_refused, None
        with pytest.raises(DiskFull):
            await rig.till.day.open("STAFF-1001", 5_000, "")
        await rig.till.scanned(scan(rig, "STAFF-1003"))
        assert rig.core.desk.notice.key.startswith("disk_full")
        assert rig.presenter.snapshot().opening.badge == "STAFF-1001"
        await eventually(lambda: rig.core.desk.stopped is None)
        assert (rig.core.state.shift.float_minor, rig.presenter.snapshot().opening) == (5_000, None)


async def test_the_snapshot_is_one_value_that_survives_the_wire(tmp_path):
    import msgspec

    async with register(tmp_path) as rig:
        await opened(rig)
        await rig.till.scanned(scan(rig, "4006381333931"))
        snapshot = rig.presenter.snapshot()
        assert msgspec.json.decode(msgspec.json.encode(snapshot), type=Snapshot) == snapshot


async def test_what_is_shown_of_an_event_names_nobody_and_no_badge(tmp_path):
    from edge_agent.service.codec import shown_body

    async with register(tmp_path) as rig:
        await opened(rig)
        shown = "".join(shown_body(stored.row) for stored in rig.journal.tail(10))
        assert '"id":"1001"' in shown
        assert "Ayse" not in shown
        assert "badge" not in shown
