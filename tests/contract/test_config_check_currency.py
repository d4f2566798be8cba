"""``edge-agent config check`` knows the store's currency from the enrolment: what does not fit it is told before a start."""

from __future__ import annotations

from pathlib import Path

from edge_agent.domain.market import MARKETS
from sync.contract.messages import Enrolled
from sync.enrolment import Enrolment, save
from tests.support_command_line import configured, edge_agent

CENTS = '[codes.weighed]\nprice = "22.....{NNNDD}"\n'
MILLS = '[codes.weighed]\nprice = "22.....{NNDDD}"\n'


def enrolled(folder: Path, country: str) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    who = Enrolled(tenant="acme", store="0001", store_name="Shop", register="02", epoch="1", country=country, token="t" * 32, issued_ms=1)
    save(folder, Enrolment("https://central.example", who))


def test_a_price_in_codes_that_is_finer_than_the_stores_currency_is_told(tmp_path: Path) -> None:
    assert MARKETS["DE"].currency == "EUR"
    config = configured(tmp_path, "a", MILLS)
    before = edge_agent(config, "config", "check")
    assert (before.returncode, "store      not known" in before.stdout) == (0, True), before
    enrolled(tmp_path / "a", "DE")
    after = edge_agent(config, "config", "check")
    assert after.returncode == 1
    assert after.stderr.splitlines()[0] == f"error: {config}: [codes.weighed] price: expected at most 2 decimals, as EUR has, got '22.....{{NNDDD}}'.", after
    assert edge_agent(configured(tmp_path, "a", CENTS), "config", "check").stdout.splitlines()[1] == "store      0001, DE, EUR"


def test_a_store_in_a_market_that_is_not_known_is_told(tmp_path: Path) -> None:
    enrolled(tmp_path / "a", "XX")
    done = edge_agent(configured(tmp_path, "a"), "config", "check")
    assert (done.returncode, "store is in 'XX'" in done.stderr) == (1, True), done


def test_it_is_told_beside_every_other_mistake_of_the_codes(tmp_path: Path) -> None:
    enrolled(tmp_path / "a", "DE")
    done = edge_agent(configured(tmp_path, "a", f'[codes]\nexpects_aim = "perhaps"\n{MILLS}'), "config", "check")
    told = [line.partition(".toml: ")[2].partition(":")[0] for line in done.stderr.splitlines() if line.startswith("error:")]
    assert (done.returncode, sorted(told)) == (1, ["[codes.weighed] price", "[codes] expects_aim"]), done


def test_what_enrolling_wrote_and_nobody_can_read_is_told_as_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a" / "enrolment.json").mkdir(parents=True)
    done = edge_agent(configured(tmp_path, "a"), "config", "check")
    assert (done.returncode, done.stdout.splitlines()[1].partition(": ")[2]) == (0, "what enrolling wrote cannot be read here (Is a directory)"), done
