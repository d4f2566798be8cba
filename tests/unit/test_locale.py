"""The catalogue of strings: complete in every language, and no key is used that it does not have."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import edge_agent.domain.code_refusal as code_refusal
from drivers.devices._escpos_session import NOT_PRINTED_HINTS, UNCLEAR_HINTS
from edge_agent.domain.tender import AttemptState
from edge_agent.views import AsideView, DeviceView, LineView, LinkView, NoticeView, PriceView, Problem, SaleView, TenderView
from tui.acts import ACTS
from tui.messages import FALLBACK, Words, languages, placeholders, read

TUI = Path(__file__).parents[2] / "tui"
ROOT = TUI.parent
ENGLISH = read(FALLBACK)
SAYING = {"self", "words", "_words", "count", "say", "refuse_with", "maybe", "named", "no_money"}
"""The names of the calls whose first argument is a key."""
NOT_CALLED = re.compile(
    r"(date|number|shown|does|help|answer|question|reason|tender|tier|channel|device|trouble|without|act|key|step|print|department|attempt_state|notice|code_invalid"
    r"|code_unknown|not_now|not_allowed|out_of_bounds|disk_full|journal_corrupt|journal_locked|storage_failed|central_unreachable|central_conflict|client)\b"
)
"""Families whose keys come with the snapshot (or are read as tables), so that no call names them."""


def used() -> tuple[set[str], set[str], set[str]]:
    """The keys that calls name outright, those that are counted, and the beginnings of those that are put together."""
    plain: set[str] = set()
    counted: set[str] = set()
    begun: set[str] = set()
    for path in TUI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and _called(node) in SAYING:
                argument = node.args[0]
                for choice in (argument.body, argument.orelse) if isinstance(argument, ast.IfExp) else (argument,):
                    if isinstance(choice, ast.Constant) and isinstance(choice.value, str) and _called(node) != "named":
                        (counted if _called(node) == "count" else plain).add(choice.value)
                    if isinstance(choice, ast.JoinedStr) and isinstance(choice.values[0], ast.Constant):
                        begun.add(str(choice.values[0].value))
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"(refused|discount_reason|void_reason)\.[a-z_]+", node.value):
                plain.add(node.value)
    return plain, counted, begun


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def test_there_is_english_and_german() -> None:
    assert languages() == ["de", "en"]


@pytest.mark.parametrize("language", [language for language in languages() if language != FALLBACK])
def test_every_language_has_the_same_keys_with_the_same_values_to_fill_in(language: str) -> None:
    other = read(language)
    assert other.keys() == ENGLISH.keys()
    assert {key: placeholders(text) for key, text in other.items()} == {key: placeholders(text) for key, text in ENGLISH.items()}


@pytest.mark.parametrize("language", languages())
def test_no_text_is_empty(language: str) -> None:
    assert [key for key, text in read(language).items() if not text.strip()] == []


def test_every_key_that_the_code_names_is_in_the_catalogue() -> None:
    plain, counted, begun = used()
    assert len(plain) > 150
    assert {key for key in plain if key not in ENGLISH} == set()
    assert {key for key in counted if f"{key}.one" not in ENGLISH or f"{key}.other" not in ENGLISH} == set()
    assert {beginning for beginning in begun if not any(key.startswith(beginning) for key in ENGLISH)} == set()


def test_every_key_in_the_catalogue_is_used() -> None:
    plain, counted, begun = used()
    said = plain | {f"{key}.{number}" for key in counted for number in ("one", "other")}
    unused = {key for key in ENGLISH if key not in said and not NOT_CALLED.match(key) and not any(key.startswith(beginning) for beginning in begun)}
    assert unused == set()


def test_every_act_has_a_name_and_an_explanation() -> None:
    assert {act.name for act in ACTS if f"act.{act.name}" not in ENGLISH or f"does.{act.name}" not in ENGLISH} == set()


def test_every_topic_that_f1_can_be_asked_about_is_explained() -> None:
    topics: set[str] = set()
    for path in TUI.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        topics |= set(re.findall(r'topic(?:: ClassVar\[str\])? = "(\w+)"', source)) | set(re.findall(r'topic="(\w+)"', source))
        topics |= set(re.findall(r'LabelDialog\("(\w+)"', source))
    assert len(topics) > 20
    assert {topic for topic in topics if f"help.{topic}" not in ENGLISH or f"help.{topic}.title" not in ENGLISH} == set()


def test_every_state_that_a_snapshot_can_have_has_its_word() -> None:
    def states(view: type, name: str) -> tuple[str, ...]:
        return get_args(get_type_hints(view)[name])

    wanted = {f"link.{state}" for state in states(LinkView, "state")}
    wanted |= {f"device_state.{state}" for state in states(DeviceView, "state")}
    wanted |= {f"tender_state.{state}" for state in states(TenderView, "state")} | {f"tender.{kind}" for kind in states(TenderView, "kind")}
    wanted |= {f"aside.{kind}" for kind in states(AsideView, "kind")} | {f"check.per_{per}" for per in states(PriceView, "per")}
    wanted |= {f"basket.price_{source}" for source in states(LineView, "source") if source != "book"}
    wanted |= {f"print.{state}" for state in states(SaleView, "print_state") if state != "none"}
    wanted |= {f"print_why.{state}" for state in states(SaleView, "print_state") if state != "not_printed"}
    wanted |= {f"attempt_state.{state.value}" for state in AttemptState} | {
        f"attempt.{state}_text" for state in ("unknown", "needs_review", "aborting", "working")
    }
    wanted |= {f"device.{kind}" for kind in ("serial_scanner", "nfc_reader", "receipt_printer", "counter_link")}
    assert {key for key in wanted if key not in ENGLISH} == set()


def test_every_refusal_of_a_code_can_be_said() -> None:
    assert {reason for reason in code_refusal.HINTS if f"code_invalid.{reason}" not in ENGLISH or f"code_invalid.{reason}.hint" not in ENGLISH} == set()


def test_every_way_in_which_a_receipt_fails_can_be_said() -> None:
    wanted = {f"notice.not_printed.{reason}" for reason in NOT_PRINTED_HINTS} | {f"notice.print_unclear.{reason}" for reason in (*UNCLEAR_HINTS, "bug")}
    assert {key for key in wanted if key not in ENGLISH or f"{key}.hint" not in ENGLISH} == set()


def test_a_sentence_of_the_service_is_said_in_the_language_of_the_screen() -> None:
    notice = NoticeView("code_unknown.article", "bad", "4006381333931 is not in the catalogue.", "F4 finds it by name.", {"code": "4006381333931"})
    assert Words("de")("date.today") == "heute"
    assert Words("de").notice(notice) == ("4006381333931 ist nicht im Katalog.", "F4 sucht nach Namen; F9 T verkauft nach Warengruppe.")


def test_an_unknown_key_falls_back_to_the_english_text() -> None:
    assert Words("de").notice(NoticeView("somebody_elses.key", "bad", "The kettle is off.", "Switch it on.")) == ("The kettle is off.", "Switch it on.")


def test_a_sentence_whose_value_did_not_come_falls_back_too() -> None:
    assert Words("de").notice(NoticeView("code_unknown.article", "bad", "That is not in the catalogue.", "Look.")) == ("That is not in the catalogue.", "Look.")


def test_a_problem_becomes_a_notice_with_its_values() -> None:
    problem = Problem("about:blank", "Out of bounds", 422, "20 baskets are set aside.", "out_of_bounds.aside", "Recall one.", {"limit": "20"})
    assert Words("de").notice(Words("de").problem(problem))[0] == "20 Körbe sind schon geparkt."


def test_a_reason_within_a_sentence_is_said_in_words() -> None:
    declined = NoticeView("notice.payment_declined", "bad", "Card payment: declined.", shown={"reason": "insufficient_funds"})
    assert Words("en").notice(declined)[0] == "Card payment: declined, not enough money on the account."


def test_an_unknown_language_is_english() -> None:
    assert Words("fi_FI").language == "en"


def test_moments_are_said_as_people_say_them() -> None:
    words, zone = Words("en"), "Europe/Berlin"
    now = 1_795_352_820_000
    assert words.heading(now, zone) == "Sun 22 Nov 14:07"
    assert words.when(now - 3_600_000, now, zone) == "13:07"
    assert words.when(now - 86_400_000, now, zone) == "yesterday"
    assert words.when(now - 50 * 86_400_000, now, zone) == "3 Oct"
    assert words.when(now - 400 * 86_400_000, now, zone) == "18 Oct 2025"
    assert words.when(now, now, "Nowhere/Else") == "13:07", "an unknown zone is UTC"


def test_birthdays_that_are_near_are_named_by_their_day() -> None:
    words, zone, now = Words("en"), "Europe/Berlin", 1_795_352_820_000
    assert [words.birthday(text, now, zone) for text in ("--11-22", "--11-24", "--12-31", "", "--02-29", "--13-40")] == [
        "today", "Tuesday", "31 Dec", "", "29 Feb", "--13-40",
    ]  # fmt: skip
