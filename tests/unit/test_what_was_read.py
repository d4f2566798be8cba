"""A reading that leads to nothing says what was read and what to do; a customer whom central was asked about in vain says their age."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from drivers.contract import DeviceReport, DeviceState
from edge_agent.counter_devices import Devices
from edge_agent.domain import commands as do
from edge_agent.domain.errors import CodeUnknown
from edge_agent.domain.reading import Reading, Source, TagKind
from edge_agent.domain.tender import Declined, Unknown
from edge_agent.service import paying
from tests.support_central import eventually
from tests.support_shop import MemoryCentral, Rig, ScriptedTerminal, register
from tui.messages import Words


async def scanned(rig: Rig, text: str, **more: object) -> tuple[str, str]:
    """What the screen says in English after a scan: the sentence, and what to do."""
    await rig.till.scanned(Reading(text.encode(), "scanner", rig.core.ports.clock.now_ms(), **more))  # type: ignore[arg-type]
    return Words("en").notice(rig.presenter.snapshot().notice)


@pytest.fixture
async def rig(tmp_path):
    async with register(tmp_path) as rig:
        await rig.till.day.open("1001", 0, "")
        yield rig


async def test_a_card_a_tag_a_cart_and_a_badge_that_nobody_knows_are_named(rig):
    assert (await scanned(rig, "LOY0000000009"))[0] == "This store's copy does not know LOY0000000009, and central does not answer."
    tag, _ = await scanned(rig, "04A1B2C3D4FFEE", source=Source.NFC, tag=TagKind.FIXED_UID)
    assert "…FFEE" in tag
    assert "04A1B2" not in tag, "nobody can compare a whole UID with anything"
    assert "CART-ZZZZZZZZ" in (await scanned(rig, "CART-ZZZZZZZZ"))[0]
    assert "9999" in (await scanned(rig, "STAFF-9999"))[0]


async def test_central_s_answer_that_nobody_has_that_card_names_it_too(tmp_path):
    async with register(tmp_path, central=MemoryCentral()) as rig:
        await rig.till.day.open("1001", 0, "")
        assert (await scanned(rig, "LOY0000000009"))[0] == "No customer is known by LOY0000000009."


async def test_a_scanned_nonsense_offers_the_typed_line_and_speaks_of_typing_only_to_who_typed(rig):
    text, hint = await scanned(rig, "what is this", aim="]Q1")
    assert text == "what is this is no article, customer or receipt here."
    assert "F9 T" in hint
    assert "typed" not in hint
    with pytest.raises(CodeUnknown) as refused:
        await rig.till.counter.entered("what is this", "")
    assert refused.value.key == "code_unknown.nothing"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("R-0001-02-000999", "This register has no receipt R-0001-02-000999."),
        ("R-0001-03-000001", "Receipt R-0001-03-000001 is from register 03 of this store."),
        ("R-0002-02-000001", "Receipt R-0002-02-000001 is from another store."),
    ],
)
async def test_a_receipt_that_is_not_here_says_where_it_is_from(rig, code, said):
    assert (await scanned(rig, code))[0] == said


async def test_a_code_that_is_too_long_says_at_most_how_long_one_is(rig):
    assert (await scanned(rig, "x" * 2049, aim="]Q1"))[0] == "That code is too long: at most 2048 characters, got 2049."


# --- what is no code at all ------------------------------------------------------------------------------------------------------


class Sounds:
    def __init__(self) -> None:
        self.heard: list[tuple[str, bool]] = []

    def beep(self, device: str, good: bool) -> None:
        self.heard.append((device, good))


async def test_every_dropped_frame_that_a_device_reports_is_heard_and_said_in_one_line(rig):
    sounds = Sounds()
    rig.core.ports = replace(rig.core.ports, beeps=sounds)
    devices = Devices(asyncio.get_running_loop(), rig.core.changed, lambda: None, rig.till.counter.unreadable)
    at = rig.core.view
    for dropped in (0, 1, 1, 2):  # the same count again is another report, of no new frame
        devices.report(DeviceReport("scanner", "serial_scanner", DeviceState.DEGRADED, 1, 0, reason="frames_dropped", dropped=dropped))
    await eventually(lambda: len(sounds.heard) == 2 and rig.core.view >= at + 6, "both are heard")
    assert sounds.heard == [("scanner", False), ("scanner", False)]
    notice = rig.presenter.snapshot().notice
    assert (notice.level, Words("en").notice(notice)) == ("bad", ("The scanner sent something unreadable.", "Scan again."))
    assert [kept.key for kept in rig.core.desk.notices].count("notice.scan_unreadable") == 2


async def test_a_scan_without_its_end_is_said_to_lack_it(rig):
    devices = Devices(asyncio.get_running_loop(), rig.core.changed, lambda: None, rig.till.counter.unreadable)
    devices.report(DeviceReport("scanner", "serial_scanner", DeviceState.DEGRADED, 1, 0, reason="no_terminator", dropped=1))
    await eventually(lambda: rig.presenter.snapshot().notice.key == "notice.scan_not_ended", "it is said")
    notice = rig.presenter.snapshot().notice
    text = "The scan was not taken: it lacks the end that this register expects."
    assert Words("en").notice(notice) == (text, "Scan again. For IT, if it stays so: `edge-agent devices` says what to set.") == (notice.text, notice.hint)


# --- central was asked, and did not answer ---------------------------------------------------------------------------------------


async def test_a_customer_whom_central_was_asked_about_in_vain_says_so_until_it_answers(tmp_path):
    central = MemoryCentral(down=True)
    async with register(tmp_path, central=central) as rig:
        await rig.till.day.open("1001", 0, "")
        await scanned(rig, "LOY0000000001")
        await eventually(lambda: rig.presenter.snapshot().customer.unanswered, "it is shown as a copy")
        customer = rig.presenter.snapshot().customer
        assert (customer.fresh, customer.cart.fresh, customer.cart.unanswered) == (False, False, True)
        central.down = False
        rig.till.clienteling.recalled()
        await eventually(lambda: rig.presenter.snapshot().customer.fresh, "central answers")
        assert not rig.presenter.snapshot().customer.unanswered
        central.down = True
        await rig.till.clienteling.load("", "")
        customer = rig.presenter.snapshot().customer
        assert (customer.unanswered, customer.cart.unanswered) == (True, True)
        await rig.till.void("x", "")
        assert not rig.core.desk.unanswered


# --- a parked payment that was clarified -----------------------------------------------------------------------------------------


async def test_a_parked_sale_is_shown_as_being_clarified_only_while_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(paying, "ASK_SECONDS", (0.01, 0.01))
    terminal = ScriptedTerminal(findings=[Unknown("silent")])
    async with register(tmp_path, terminal=terminal) as rig:
        await rig.till.day.open("1001", 0, "")
        await rig.till.counter.entered("4006381333931", "")
        await rig.till.paying.card(None, "")
        terminal.answers.put_nowait(Unknown("answer lost"))
        await eventually(lambda: rig.presenter.snapshot().payment.attempt.can_park, "it can be parked")
        await rig.till.set_aside(do.Park("coat"), "")
        (held,) = rig.presenter.snapshot().parked
        assert (held.kind, held.attempt) == ("parked", "unknown")
        terminal.findings[:] = [Declined("refused")]
        await eventually(lambda: not rig.core.state.open_attempts(), "it is clarified")
        (held,) = rig.presenter.snapshot().parked
        assert (held.kind, held.attempt) == ("unpaid", "")
