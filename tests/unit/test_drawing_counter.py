"""What is drawn around the sale: header, devices and link, messages and keys, rows of lists, banners; and that all of it keeps within its columns."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import CustomerRowView, DeviceView, DiscountView, LinkView, NoticeView, PriceView, RepriceView
from sync.push_standing import HINTS
from tests.support_drawing import DE, EN, joined, shown, texts
from tests.support_snapshots import (
    COAT,
    DAY,
    DEVICES,
    HOUR,
    MARIA,
    MINUTE,
    NOW,
    PARKED,
    PRALINES,
    READY,
    SALE,
    SCARF,
    SOCKS,
    SUSPENDED,
    TERMINAL_AWAY,
    UNKNOWN_CODE,
    attempt,
    euros,
    ident,
    payment,
    selling,
)
from tui.drawing import foot, head, pay, rows, stopped, total
from tui.drawing.basket import basket_rows
from tui.drawing.customer import customer_fold, customer_panel
from tui.drawing.foot import KeyHint
from tui.messages import Words, read

replace = msgspec.structs.replace


# --- top and bottom --------------------------------------------------------------------------------------------------------------


def test_the_header_says_where_who_and_when() -> None:
    drawn = head.header(shown(READY), 120)
    assert drawn[0].text.split("  ")[0].strip() == "Berlin Mitte · register 02"
    assert "Ayse K." in drawn[0].text
    assert drawn[0].text.rstrip().endswith("Sun 22 Nov 14:07")
    assert drawn[0].cells == 120


def test_training_is_said_on_every_screen() -> None:
    assert "TRAINING" in joined(head.header(shown(replace(READY, training=True)), 120))


def test_a_device_that_is_gone_says_since_when_and_what_works_without_it() -> None:
    drawn = joined(head.status(shown(replace(READY, devices=[*DEVICES[:3], TERMINAL_AWAY])), 130))
    assert "○ card terminal: not answering since 14:02, cash works" in drawn


def test_on_a_narrow_screen_only_trouble_is_said() -> None:
    assert texts(head.status(shown(READY), 60)) == [" ● all devices ready"]
    assert texts(head.status(shown(replace(READY, devices=[*DEVICES[:3], TERMINAL_AWAY])), 60))[0].startswith(" ○ card terminal")


@pytest.mark.parametrize("cells", [60, 80, 120])
def test_where_all_is_wrong_at_once_each_trouble_is_still_named(cells: int) -> None:
    away = [DeviceView(name, kind, "absent", NOW, "unplugged") for name, kind in (("a", "serial_scanner"), ("b", "nfc_reader"), ("c", "receipt_printer"))]
    drawn = head.status(shown(replace(READY, link=LinkView("offline", NOW, 12), devices=[*away, TERMINAL_AWAY])), cells)
    assert len(drawn) <= 3
    for name in ("central not reachable", "○ scanner", "○ NFC", "○ printer", "○ card terminal"):
        assert name in joined(drawn)


def test_what_is_well_makes_room_for_what_is_not() -> None:
    drawn = texts(head.status(shown(replace(READY, link=LinkView("offline", NOW, 12), devices=[*DEVICES[:3], TERMINAL_AWAY])), 80))
    assert drawn == [
        " ○ central not reachable since 14:07, selling goes on",
        " 12 records wait safely on disk   ○ card terminal: not answering",
    ]


@pytest.mark.parametrize(
    ("link", "said"),
    [
        (LinkView("in_step", NOW, 0), "● in step with central"),
        (LinkView("sending", NOW, 3), "● sending to central"),
        (LinkView("offline", NOW - 5 * MINUTE, 12), "○ central not reachable since 14:02, selling goes on   12 records wait safely on disk"),
        (LinkView("frozen", NOW, 12, "frozen"), "■ central has frozen this register: call IT   selling goes on, 12 records wait safely on disk"),
        (LinkView("frozen", NOW, 0, "fork"), "■ central has frozen this register: call IT   selling goes on"),
        (LinkView("offline", NOW - 5 * MINUTE, 1, "refused_401"), "○ central refuses this register since 14:02: call IT   selling goes on, 1 record waits"),
        (LinkView("offline", NOW - 5 * MINUTE, 2, "no_progress"), "○ central refuses this register since 14:02: call IT   selling goes on, 2 records wait"),
        (LinkView("frozen", NOW, 2, "withheld_refused"), "■ central refuses this register since 14:07: call IT   selling goes on, 2 records wait"),
        (LinkView("offline", NOW - 5 * MINUTE, 0, "busy"), "○ central not reachable since 14:02, selling goes on"),
        (LinkView("alone", NOW, 0), "○ central was not asked yet"),
        (LinkView("in_step", NOW, 0, quarantined=1), "● in step with central   ▲ 1 record needs a look at central"),
    ],
)
def test_every_state_of_the_link_has_a_mark_and_words(link: LinkView, said: str) -> None:
    assert said in joined(head.status(shown(replace(READY, link=link)), 160))


@pytest.mark.parametrize("words", [EN, DE], ids=["en", "de"])
@pytest.mark.parametrize("link", [LinkView("frozen", NOW, 1200, "frozen"), LinkView("offline", NOW - DAY, 1200, "refused_401")], ids=["frozen", "refused"])
@pytest.mark.parametrize("cells", [60, 80])
def test_whoever_is_locked_out_by_central_reads_whom_to_call_on_the_smallest_screen(cells: int, link: LinkView, words: Words) -> None:
    drawn = head.status(shown(replace(READY, link=link, devices=[*DEVICES[:3], TERMINAL_AWAY]), words), cells)
    assert len(drawn) <= 2
    assert ("call IT" if words is EN else "IT anrufen") in drawn[0].text
    assert "…" not in joined(drawn)


@pytest.mark.parametrize(
    ("link", "said", "gesagt"),
    [
        (
            LinkView("frozen", NOW, 1, "frozen", "till moved, ask Ms Yıldız"),
            "frozen there: till moved, ask Ms Yıldız",
            "dort gesperrt: till moved, ask Ms Yıldız",
        ),
        (LinkView("frozen", NOW, 1, "fork", "Fact 7 differs."), "two machines sell as this register", "zwei PCs verkaufen als diese Kasse"),
        (LinkView("offline", NOW, 1, "refused_404", "?"), "refuses what this register asks (HTTP 404).", "weist ab, was diese Kasse fragt (HTTP 404)."),
        (LinkView("offline", NOW, 1, "refused_401", "?"), "does not accept this register's key", "nimmt den Schlüssel dieser Kasse nicht an"),
        (LinkView("offline", NOW, 1, "moon_phase", "The moon is full."), "The moon is full.", "The moon is full."),
    ],
)
def test_beside_the_devices_stands_why_nothing_goes_to_central_in_one_line(link: LinkView, said: str, gesagt: str) -> None:
    (row,), (zeile,) = (rows.link_advice(shown(replace(READY, link=link), words), 80) for words in (EN, DE))
    assert row.text.startswith(f" ▲ Central: {said}")
    assert zeile.text.startswith(f" ▲ Zentrale: {gesagt}")


@pytest.mark.parametrize("words", [EN, DE], ids=["en", "de"])
def test_each_reason_of_centrals_fits_on_one_line(words: Words) -> None:
    reasons = [key.removeprefix("link_reason.") for key in read(words.language) if key.startswith("link_reason.")]
    assert {*HINTS, "no_progress", "refused_401", "refused_403"} <= {*reasons}
    for reason in reasons:
        assert len(rows.link_advice(shown(replace(READY, link=LinkView("offline", NOW, 1, reason)), words), 80)) <= 1, reason


@pytest.mark.parametrize("link", [LinkView("in_step", NOW, 0), LinkView("offline", NOW, 0), LinkView("alone", NOW, 0, "x", "y")])
def test_nothing_is_said_about_central_where_nothing_is_wrong_or_known(link: LinkView) -> None:
    assert rows.link_advice(shown(replace(READY, link=link)), 80) == []


def test_a_device_of_an_unknown_kind_is_still_readable() -> None:
    strange = DeviceView("x", "coffee_machine", "degraded", NOW, reason="no_beans")
    assert "◐ coffee machine: works, with a problem" in joined(head.status(shown(replace(READY, devices=[strange])), 120))


def test_a_notice_says_what_happened_and_what_to_do_on_one_line() -> None:
    drawn = foot.notice(shown(replace(READY, notice=UNKNOWN_CODE)), 120)
    assert texts(drawn) == [" ■ 4006381333931 is not in the catalogue.  F4 finds it by name; F9 T sells it by department."]
    assert len(foot.notice(shown(replace(READY, notice=UNKNOWN_CODE)), 60)) == 2


@pytest.mark.parametrize(("end", "there"), [("not_processed", "Try again, or take cash."), ("declined", "Another card, or cash.")])
def test_nobody_is_told_to_try_a_card_on_a_terminal_that_is_not_there(end: str, there: str) -> None:
    failed = NoticeView(f"notice.payment_{end}", "bad", "", shown={"reason": "unreachable"})
    picture = replace(selling(COAT), notice=failed, payment=payment(15920))
    assert there in joined(foot.notice(shown(picture), 120))
    away = replace(picture, payment=replace(picture.payment, methods=["cash"]))
    told = joined(foot.notice(shown(away), 120))
    assert there not in told
    assert "Take cash; a card only once the terminal is back." in told


def test_a_long_message_takes_both_rows_and_is_never_torn_in_silence() -> None:
    loaded = NoticeView(
        "x.y", "warn", "Central did not answer: a copy of the online cart is loaded. Still to pick: 3; 1 cannot be sold here.", "Ask the customer."
    )
    assert texts(foot.notice(shown(replace(READY, notice=loaded)), 80)) == [
        " ▲ Central did not answer: a copy of the online cart is loaded. Still to pick:",
        "   3; 1 cannot be sold here. Ask the customer.",
    ]
    endless = replace(loaded, text=" ".join(["word"] * 60))
    rows = texts(foot.notice(shown(replace(READY, notice=endless)), 80))
    assert len(rows) == 2
    assert rows[1].endswith("word … Ask the customer.")
    brief = replace(
        loaded, text="Short.", hint="A hint that is longer than both rows have room for, and that says so by its very last sign, in words that go on and on."
    )
    assert [row[-1] == "…" for row in texts(foot.notice(shown(replace(READY, notice=brief)), 60))] == [False, True]


@pytest.mark.parametrize("words", [EN, DE], ids=["en", "de"])
@pytest.mark.parametrize("key", ["notice.payment_reported", "notice.payment_differs", "notice.payment_to_give_back", "notice.payment_missing"])
@pytest.mark.parametrize("cells", [60, 80])
@pytest.mark.parametrize("until_ms", [0, NOW + MINUTE], ids=["stands", "just told"])
def test_what_a_manager_has_to_see_to_says_what_to_do_to_its_end_on_a_small_terminal(words: Words, key: str, cells: int, until_ms: int) -> None:
    said = {"amount": "1.234,56 EUR", "receipt": "R-0001-02-000009", "terminal": "terminal-1", "attempt": ident("a"), "reported": "1.299,00 USD"}
    rows = foot.notice(shown(replace(READY, notice=NoticeView(key, "bad", "", shown=said, until_ms=until_ms)), words, rows=24), cells)
    told = " ".join(joined(rows).split())
    assert words(f"{key}.hint", **said) in told
    assert len(rows) <= 3
    assert cells < 80 or "1.234,56 EUR" in told
    assert cells < 80 or "…" not in told


def test_a_command_without_an_answer_is_said_to_be_waited_for() -> None:
    assert "One moment  3 s" in joined(foot.notice(shown(READY, waiting_seconds=3), 80))


def test_a_hint_too_long_for_its_row_goes_on_behind_the_message() -> None:
    held = NoticeView("x", "bad", "Receipt R-1 was not printed: the printer does not answer.", "Check that it is switched on, " * 2 + "then press Ctrl+R.")
    told = foot.notice(shown(replace(READY, notice=held)), 80)
    assert len(told) == 2
    assert "…" not in joined(told)
    assert joined(told).endswith("then press Ctrl+R.")


def test_the_key_line_drops_what_matters_least_and_never_help_and_pay() -> None:
    hints = [KeyHint("F1", "help", rank=0), KeyHint("F2", "pay", rank=0), *(KeyHint(f"F{n}", "something long", rank=2) for n in range(3, 13))]
    drawn = joined(foot.keys(hints, 40))
    assert "F1 help  F2 pay" in drawn
    assert "F12" not in drawn


def test_a_count_that_waits_behind_a_key_stands_beside_it() -> None:
    assert "F7 recall 2" in joined(foot.keys([KeyHint("F7", "recall", badge=2)], 40))


def test_no_cash_is_offered_for_a_card_payment_whose_outcome_is_not_known() -> None:
    devices = [*DEVICES[:3], TERMINAL_AWAY]
    unclear = replace(selling(COAT), devices=devices, payment=payment(20064, attempt=attempt("unknown")))
    told = joined(head.status(shown(unclear), 200))
    assert "card terminal: not answering" in told
    assert "cash works" not in told
    assert "cash works" in joined(head.status(shown(replace(selling(COAT), devices=devices)), 200))


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("paper_out", "not working now: paper is out"),
        ("cover_open", "not working now: cover is open"),
        ("paper_low", "works, with a problem: paper nearly out"),
    ],
)
def test_a_printer_that_cannot_print_is_not_said_to_work(reason: str, said: str) -> None:
    printer = DeviceView("printer-1", "receipt_printer", "degraded", NOW, reason=reason)
    row = rows.device_row(shown(READY), printer, 100).text
    assert said in row
    assert row.startswith("◐" if reason == "paper_low" else "○")
    assert ("○ printer" in joined(head.status(shown(replace(READY, devices=[printer])), 100))) == (reason != "paper_low")


# --- rows and banners ------------------------------------------------------------------------------------------------------------


def test_set_aside_rows_say_how_the_payment_stands() -> None:
    assert "parked · Outcome not known yet" in rows.aside_row(shown(READY), PARKED, 100).text
    assert "lady with the umbrella" in rows.aside_row(shown(READY), SUSPENDED, 100).text


def test_a_sale_whose_receipt_did_not_print_is_marked_in_the_list() -> None:
    assert "not printed" in rows.sale_row(shown(READY), replace(SALE, print_state="not_printed"), 100).text
    assert "printed" not in rows.sale_row(shown(READY), SALE, 100).text


@pytest.mark.parametrize("words", [EN, DE], ids=["en", "de"])
def test_a_last_visit_years_ago_keeps_its_year(words: Words) -> None:
    september = NOW - 790 * DAY
    drawn = rows.customer_row(shown(READY, words), CustomerRowView("c-1", "Anna Müller", "gold", "…4711, Berlin", september), 80)
    assert drawn.text.rstrip().endswith("2024" if words is EN else "Sept. 2024")
    assert drawn.text.startswith("Anna Müller  Gold")


def test_a_device_row_says_how_it_is_and_its_advice_what_to_do() -> None:
    drawn = rows.device_row(shown(READY), TERMINAL_AWAY, 120).text
    assert drawn.count("not answering") == 1
    advice = rows.device_advice(shown(READY), TERMINAL_AWAY, 30)
    assert " ".join(row.text.strip(" ▲") for row in advice) == "card terminal (terminal-1): Check the cable of the card terminal."
    assert all(row.cells <= 30 for row in advice)


def test_a_register_that_stopped_says_why_what_to_do_and_what_is_safe() -> None:
    picture = replace(READY, phase="stopped", stopped=NoticeView("disk_full", "bad", "The disk is full.", "Make room."))
    drawn = joined(stopped.stopped_panel(shown(picture, DE), 100))
    assert "V E R K A U F" in drawn
    assert "Die Festplatte der Kasse ist voll." in drawn
    assert "Jeder abgeschlossene Verkauf ist sicher" in drawn
    assert stopped.stopped_panel(shown(READY), 100) == []


def test_every_drawing_keeps_within_its_columns_in_both_languages() -> None:
    busy = selling(
        COAT, SOCKS, replace(PRALINES, discounts=[DiscountView("d", "x" * 80, euros(-1))]), SCARF, customer=MARIA, notice=UNKNOWN_CODE, suspended=[SUSPENDED],
        parked=[PARKED], devices=[*DEVICES[:3], TERMINAL_AWAY], repriced=RepriceView(euros(9), euros(8)), price_check=PriceView("", "n"*90, "", euros(1), "kg"),
        link=LinkView("offline", NOW - HOUR, 4, quarantined=2),
    )  # fmt: skip
    for words in (EN, DE):
        for cells in (40, 60, 80, 120):
            picture = shown(busy, words)
            held = attempt("unknown", reason="connection_lost")
            drawn = [
                *[row.line for row in basket_rows(picture, COAT.id, cells)], *total.total(picture, cells), *total.price_check(picture, cells),
                *total.repriced(picture, cells), *customer_panel(picture, cells), *customer_fold(picture, cells), *head.header(picture, cells),
                *head.status(picture, cells), *foot.notice(picture, cells), *pay.pay_panel(picture, "50", 0, cells), *pay.attempt_panel(picture, held, cells),
            ]  # fmt: skip
            assert [row.text for row in drawn if row.cells > cells] == [], (words.language, cells)
