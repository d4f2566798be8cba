"""The scripted day: a whole one with every trouble agrees in all books, the same seed plays the same day, and a planted difference is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_agent.demo.day import run_day
from edge_agent.demo.expected import Books, Sold

FAULTS = {
    "scanner_unplugs", "answers_lost", "network_cuts", "facts_waiting_after_cut", "kills", "carts_edited_online", "reader_unplugs", "central_restarts",
    "paper_outs", "payments_settled_by_asking", "network_slow",
}  # fmt: skip


def summary_of(printed: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(printed.splitlines()[-1])
    return found


def without_ids(sold: list[Sold]) -> list[Sold]:
    return [replace(sale, id="") for sale in sold]


@pytest.mark.timeout(240)
def test_a_day_with_every_trouble_agrees_in_three_books(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run_day(seed=3, sales=30, market="DE", keep=tmp_path)
    printed = capsys.readouterr().out
    told = summary_of(printed)
    assert code == 0, printed
    assert (told["seed"], told["differences"], told["failed"]) == (3, 0, "")
    assert isinstance(told["sales"], int)
    assert told["sales"] >= 30
    faults = told["faults"]
    assert isinstance(faults, dict)
    assert {name for name, count in faults.items() if count > 0} == FAULTS
    assert "The three books agree to the last unit." in printed


@pytest.mark.timeout(120)
def test_the_same_seed_is_the_same_day_and_a_planted_cent_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days: list[list[Sold]] = []

    def keep_only(books: Books) -> None:
        days.append(without_ids(books.sold))

    def plant(books: Books) -> None:
        keep_only(books)
        sale = books.sold[2]
        books.sold[2] = replace(sale, total=sale.total + 1)

    assert run_day(seed=5, sales=5, market="US", keep=tmp_path, troubles=False, plant=keep_only) == 0
    assert run_day(seed=5, sales=5, market="US", keep=tmp_path, troubles=False, plant=plant) == 1
    printed = capsys.readouterr().out
    told = summary_of(printed)
    assert days[0] == days[1]
    assert told["failed"] == ""
    assert told["differences"] == 3, printed  # the sum, the sale at the register, the sale at central
    assert "<-- DIFFERENT" in printed
    assert (tmp_path / "day-2" / "service.log").exists()
