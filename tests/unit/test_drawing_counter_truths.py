"""What the counter must not say when it is not so: that all is safe, that something is young, that a payment is still being clarified."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import LinkView, NoticeView
from tests.support_drawing import DE, EN, joined, roles, shown, texts
from tests.support_snapshots import CART, COAT, DEVICES, MARIA, NOW, PARKED, READY, SUSPENDED, TERMINAL_AWAY, selling
from tui.drawing import head, rows, stopped, total
from tui.drawing.customer import customer_fold, customer_panel

replace = msgspec.structs.replace
UNPAID = replace(PARKED, kind="unpaid", attempt="")


@pytest.mark.parametrize(("key", "safe"), [("disk_full", True), ("storage_failed.busy", True), ("journal_corrupt", False)])
def test_only_a_journal_that_is_whole_is_called_safe_and_goes_on_by_itself(key: str, safe: bool) -> None:
    picture = replace(READY, phase="stopped", stopped=NoticeView(key, "bad", "It is stopped.", "Call."))
    for words, kept, other, again in ((EN, "is safe", "use another one", "every few seconds"), (DE, "ist sicher", "eine andere nehmen", "alle paar Sekunden")):
        drawn = " ".join(joined(stopped.stopped_panel(shown(picture, words), 100)).split())
        assert [text in drawn for text in (kept, again, other)] == [safe, safe, not safe], words.language
    assert len(stopped.stopped_panel(shown(picture, DE), 80)) <= 20, "it fits the smallest terminal"


@pytest.mark.parametrize("link", [
    LinkView("offline", NOW, 0), LinkView("offline", NOW, 2), LinkView("offline", NOW, 2, "refused_401"), LinkView("frozen", NOW, 1, "fork"),
    LinkView("sending", NOW, 1, "too_large_on_the_way"), LinkView("offline", NOW, 0, "stopped"),
])  # fmt: skip
def test_a_register_that_has_stopped_says_nowhere_that_it_sells_on(link: LinkView) -> None:
    picture = replace(READY, phase="stopped", link=link)
    for words, goes_on in ((EN, "selling goes on"), (DE, "Verkauf läuft weiter")):
        assert goes_on not in joined(head.status(shown(picture, words), 120))
        if link.reason != "stopped":
            assert goes_on in joined(head.status(shown(replace(picture, phase="ready"), words), 120))


def test_central_that_is_not_asked_is_not_called_out_of_reach() -> None:
    picture = replace(READY, phase="stopped", link=LinkView("offline", NOW, 0, "stopped", "Nothing is sent."), devices=[])
    assert joined(head.status(shown(picture, EN), 80)) == " ○ central is not asked: the journal cannot be opened"
    assert joined(head.status(shown(picture, DE), 80)) == " ○ Zentrale wird nicht gefragt: das Journal lässt sich nicht öffnen"


@pytest.mark.parametrize(("unanswered", "told"), [(False, 0), (True, 2)])
def test_a_young_copy_says_its_age_at_once_when_central_was_given_up_for_it(unanswered: bool, told: int) -> None:
    cart = replace(CART, fresh=False, unanswered=unanswered, as_of_ms=NOW - 5_000)
    known = replace(MARIA, fresh=False, unanswered=unanswered, as_of_ms=NOW - 5_000, cart=cart)
    picture = shown(replace(selling(COAT), customer=known))
    assert picture.snapshot.link.state == "in_step"
    for drawn in (joined(customer_panel(picture, 60)), joined(customer_fold(picture, 120))):
        assert drawn.count("as of 14:06") == told


def test_a_payment_that_was_clarified_is_not_counted_as_being_clarified() -> None:
    both = shown(replace(READY, suspended=[SUSPENDED], parked=[PARKED, UNPAID]))
    assert texts(total.total(both, 80)) == [" 2 baskets suspended (F7)", " 1 payment is being clarified (F7)"]
    done = total.total(shown(replace(READY, parked=[UNPAID])), 80)
    assert texts(done) == [" 1 basket suspended (F7)"]
    assert roles(done, "suspended") == {"muted"}
    assert "not paid yet" in rows.aside_row(shown(READY), UNPAID, 100).text
    assert "noch nicht bezahlt" in rows.aside_row(shown(READY, DE), UNPAID, 100).text


def test_two_devices_of_one_kind_are_told_apart_by_what_they_are_called() -> None:
    second = replace(DEVICES[0], name="scanner-2", state="lost", reason="device_lost")
    foot = joined(head.status(shown(replace(READY, devices=[*DEVICES, second])), 160))
    assert "scanner-1" in foot
    assert "scanner-2: " in foot
    assert "printer-1" not in foot, "the only one of its kind needs no name"


@pytest.mark.parametrize("reason", ["unreachable", "not_answering", "not_a_terminal", "other_terminal"])
def test_what_is_wrong_with_a_card_terminal_is_said_in_german_too(reason: str) -> None:
    away = msgspec.structs.replace(TERMINAL_AWAY, reason=reason, detail="The card terminal does this.", hint="Check the terminal's screen.")
    drawn = joined([rows.device_row(shown(READY, DE), away, 80), *rows.device_advice(shown(READY, DE), away, 80)])
    assert "terminal does" not in drawn
    assert "Check" not in drawn
