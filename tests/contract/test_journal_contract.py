"""What the journal promises, on the real file."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_agent.domain.errors import JournalCorrupt, JournalLocked
from edge_agent.domain.tender import AttemptState
from edge_agent.ports import Commit, EventRow
from sync.contract.envelope import FIRST_PREVHASH, decode_fact, fact_hash
from sync.identity import ALONE, Identity
from sync.journal import Journal
from sync.journal_disk import LOG_ROOM_BYTES, LOG_ROOM_BYTES_MIN
from sync.journal_read import JournalReader
from tests.support_journal import KEY, a_commit, a_fact, a_sale, an_attempt, completed, new_id, open_journal, raw

REGISTER = Identity("/t/acme/s/0001/r/02", "1")


async def test_what_was_committed_is_there_after_opening_again(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        first = await journal.commit(a_commit(events=2, snapshot=b"state-1"))
        second = await journal.commit(a_commit("later", events=3))
        assert (first.position, first.fresh, second.position) == (2, True, 5)
        assert journal.load()[0] == b"state-1"
    async with open_journal(tmp_path) as journal:
        snapshot, events = journal.load()
        assert snapshot == b"state-1"
        assert [event.position for event in events] == [3, 4, 5]
        assert [json.loads(event.row.body)["of"] for event in events] == ["later"] * 3
        assert await journal.known_command("later")
        assert not await journal.known_command("never")
        assert [event.position for event in journal.tail(2)] == [4, 5]


async def test_a_commit_with_a_known_id_writes_nothing(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        commit = a_commit("one", events=1, facts=1)
        assert (await journal.commit(commit)).fresh
        again = await journal.commit(commit)
        assert (again.position, again.fresh) == (1, False)
        both = await asyncio.gather(*(journal.commit(a_commit("two", events=1)) for _ in range(2)))
        assert sorted(one.fresh for one in both) == [False, True]
        assert journal.streams()[0].head == 1
        assert [event.position for event in journal.tail(10)] == [1, 2]


async def test_many_callers_are_answered_by_few_transactions_in_their_order(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        done = await asyncio.gather(*(journal.commit(a_commit(events=1, facts=1)) for _ in range(500)))
        assert [one.position for one in done] == list(range(1, 501))
        assert [number for number, _ in journal.facts_after("trade", 0, 1000, 1 << 30)] == list(range(1, 501))
        assert journal.verify().sound


async def test_facts_are_numbered_salted_and_chained_per_stream(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.adopt(REGISTER)
        await journal.commit(Commit("a", (), (a_fact("trade"), a_fact("ops"), a_fact("trade"))))
        trade = [decode_fact(wire) for _, wire in journal.facts_after("trade", 0, 10, 1 << 20)]
        assert [(fact.number, fact.source, fact.epoch, fact.stream) for fact in trade] == [
            (1, REGISTER.source, "1", "trade"),
            (2, REGISTER.source, "1", "trade"),
        ]
        first = journal.facts_after("trade", 0, 1, 1)[0][1]
        assert (trade[0].prevhash, trade[1].prevhash) == (FIRST_PREVHASH, fact_hash(first))
        salts = [json.loads(bytes(fact.data))["salt"] for fact in trade]
        assert len(set(salts)) == 2
        assert len(salts[0]) == 22
        ((number, ops),) = journal.facts_after("ops", 0, 10, 1 << 20)
        assert (number, decode_fact(ops).prevhash) == (1, FIRST_PREVHASH)
        assert [(one.stream, one.head, one.acknowledged, one.oldest_waiting_ms) for one in journal.streams()] == [
            ("trade", 2, 0, 1_795_388_400_000), ("people", 0, 0, None), ("ops", 1, 0, 1_795_388_400_000),
        ]  # fmt: skip


async def test_a_cursor_moves_with_acknowledgements_and_facts_come_within_the_limits(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.commit(a_commit(facts=5))
        await journal.acknowledge("central", {"trade": 4})
        assert (journal.streams()[0].acknowledged, journal.streams()[0].head) == (3, 5)
        size = len(journal.facts_after("trade", 0, 1, 1)[0][1])
        assert [number for number, _ in journal.facts_after("trade", 3, 10, 1 << 20)] == [4, 5]
        assert [number for number, _ in journal.facts_after("trade", 0, 2, 1 << 20)] == [1, 2]
        assert [number for number, _ in journal.facts_after("trade", 0, 10, 2 * size + 10)] == [1, 2]
        with pytest.raises(AssertionError):
            await journal.acknowledge("central", {"trade": 7})
        await journal.acknowledge("central", {"trade": 6})
        assert journal.streams()[0].oldest_waiting_ms is None


async def test_the_tables_refuse_a_second_open_attempt_to_its_caller_alone(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        open_one = an_attempt("tender-1", "ref-1")
        await journal.commit(a_commit("open", attempts=(open_one,)))
        results = await asyncio.gather(
            journal.commit(a_commit("other-1")),
            journal.commit(a_commit("same-tender", attempts=(an_attempt("tender-1", "ref-2", terminal="t2"),))),
            journal.commit(a_commit("same-terminal", attempts=(an_attempt("tender-2", "ref-3"),))),
            journal.commit(a_commit("same-reference", attempts=(an_attempt("tender-3", "ref-1", AttemptState.DECLINED),))),
            journal.commit(a_commit("other-2")),
            return_exceptions=True,
        )
        assert [isinstance(result, AssertionError) for result in results] == [False, True, True, True, False]
        assert not await journal.known_command("same-tender")
        ended = replace(open_one, state=AttemptState.DECLINED)
        await journal.commit(a_commit("next", attempts=(an_attempt("tender-1", "ref-4"), ended)))
        with pytest.raises(AssertionError, match="fixed before the first byte"):
            await journal.commit(a_commit("moved", attempts=(replace(ended, wire_ref="ref-9"),)))
        assert journal.stopped is None
        assert len(journal.tail(20)) == 4


async def test_a_callers_bug_stops_that_caller_alone(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        bad = a_commit(facts=0)
        good, failed = await asyncio.gather(
            journal.commit(a_commit("good", facts=1)),
            journal.commit(replace(bad, facts=(a_fact(what=object()),))),
            return_exceptions=True,
        )
        assert isinstance(failed, TypeError)
        assert not isinstance(good, BaseException)
        assert journal.stopped is None
        assert not await journal.known_command(bad.command)


async def test_a_second_service_on_one_journal_is_refused(tmp_path: Path) -> None:
    async with open_journal(tmp_path):
        with pytest.raises(JournalLocked, match=r"Another service \(process \d+\)"):
            open_journal(tmp_path)
    async with open_journal(tmp_path) as journal:
        assert journal.clean_start


async def test_it_says_whether_the_last_stop_was_clean(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    assert journal.clean_start
    await journal.commit(a_commit())
    journal._disk.release()
    journal._lock.release()  # as the operating system does when the process is killed
    async with open_journal(tmp_path) as after:
        assert not after.clean_start
        assert after.boot != journal.boot


async def test_a_wrong_key_is_told_as_such_and_changes_nothing(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.commit(a_commit())
    before = (tmp_path / "journal.db").read_bytes()
    with pytest.raises(JournalCorrupt):
        JournalReader.open(tmp_path, bytes(32)).load()
    assert (tmp_path / "journal.db").read_bytes() == before
    assert b"LineAdded" not in before
    assert not before.startswith(b"SQLite format")


async def test_sales_are_found_by_receipt_number_amount_and_customer_newest_first(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        sales = (a_sale(1), a_sale(2, 123_456, "customer-7"), a_sale(3, 500, currency="JPY"), a_sale(4, -1999), a_sale(23))
        await journal.commit(a_commit(sales=sales))

        def numbers(text: str, limit: int = 10) -> list[int]:
            return [sale.number for sale in journal.sales(text, limit)]

        assert numbers("") == [23, 4, 3, 2, 1]
        assert numbers("", 2) == [23, 4]
        assert numbers("R-0001-02-000002") == [2]
        assert numbers("r-0001-02-0000") == [23, 4, 3, 2, 1]
        assert numbers("23") == [23]
        assert numbers("19,99") == [23, 4, 1]
        assert numbers("1.234,56") == numbers("1234.56") == numbers("123456") == [2]
        assert numbers("500") == [3]
        assert numbers("customer-7") == [2]
        assert numbers("customer-7 1234.56") == [2]
        assert numbers("customer-7 19.99") == numbers("%") == numbers("nothing") == []
        assert journal.sale(sales[1].id) == sales[1]
        assert journal.sale("r-0001-02-000003") == sales[2]
        assert journal.sale("nothing") is None


async def test_forgetting_a_person_empties_their_part_and_the_chain_still_verifies(tmp_path: Path) -> None:
    def about(person: str, words: bytes) -> EventRow:
        return EventRow("CustomerAttached", b"{}", person, words)

    async with open_journal(tmp_path) as journal:
        await journal.commit(Commit("a", (about("anna", b"size 38, likes green"), about("bela", b"size 42"))))
        sale = a_sale(1, customer="anna")
        await journal.commit(Commit("sold", (completed(sale),), sales=(sale,)))
        assert [event.row.personal for event in journal.tail(3)] == [b"size 38, likes green", b"size 42", b""]
        assert await journal.forget("anna")
        assert not await journal.forget("anna")
        assert [event.row.personal for event in journal.tail(3)] == [b"", b"size 42", b""]
        assert journal.sales("anna", 10) == []
        assert journal.verify().sound
        await journal.commit(Commit("b", (about("anna", b"came back"),)))
        assert [event.row.personal for event in journal.tail(4)] == [b"", b"size 42", b"", b"came back"]
    with raw(tmp_path) as db:
        assert [row[0] for row in db.execute("SELECT person FROM person_key ORDER BY id")] == ["bela", "anna"]
        assert [row[0] for row in db.execute("SELECT id FROM person_key ORDER BY id")] == [2, 3]


async def test_a_new_identity_issues_anew_what_central_does_not_have(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        assert journal.identity == ALONE
        await journal.commit(a_commit(facts=3))
        ids = [json.loads(wire)["id"] for _, wire in journal.facts_after("trade", 0, 10, 1 << 20)]
        assert await journal.adopt(REGISTER) == 3
        assert await journal.adopt(REGISTER) == 0
        facts = [decode_fact(wire) for _, wire in journal.facts_after("trade", 0, 10, 1 << 20)]
        assert [(fact.id, fact.number, fact.epoch) for fact in facts] == list(zip(ids, (1, 2, 3), ("1", "1", "1"), strict=True))
        await journal.acknowledge("central", {"trade": 3})
        assert await journal.adopt(Identity(REGISTER.source, "2")) == 1
        ((number, wire),) = journal.facts_after("trade", 0, 10, 1 << 20)
        assert (number, decode_fact(wire).id, decode_fact(wire).epoch, decode_fact(wire).prevhash) == (1, ids[2], "2", FIRST_PREVHASH)
        assert (journal.streams()[0].head, journal.streams()[0].acknowledged) == (1, 0)
        assert journal.verify() == journal.verify()
        assert journal.verify().problems == ()


async def test_a_withheld_fact_keeps_its_number_and_the_chain_after_it_is_linked_anew(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.adopt(REGISTER)
        await journal.commit(a_commit(facts=4))
        await journal.acknowledge("central", {"trade": 2})
        before = journal.facts_after("trade", 0, 10, 1 << 20)
        assert await journal.withhold("trade", 2, "subject is too long")
        assert not await journal.withhold("trade", 2, "again")
        after = journal.facts_after("trade", 0, 10, 1 << 20)
        assert after[0] == before[0]
        facts = [decode_fact(wire) for _, wire in after]
        assert [fact.type for fact in facts] == ["retail.sale.completed.v1", "retail.fact.withheld.v1", *["retail.sale.completed.v1"] * 2]
        assert [fact.number for fact in facts] == [1, 2, 3, 4]
        assert [fact.prevhash for fact in facts[1:]] == [fact_hash(wire) for _, wire in after[:-1]]
        told = json.loads(bytes(facts[1].data))
        assert told["factId"] == json.loads(before[1][1])["id"]
        assert (told["type"], told["reason"], told["retailStoreId"]) == ("retail.sale.completed.v1", "subject is too long", "0001")
        assert [bytes(fact.data) for fact in facts[2:]] == [bytes(decode_fact(wire).data) for _, wire in before[2:]]
        await journal.commit(a_commit(facts=1))
        assert journal.verify().problems == ()
        with pytest.raises(AssertionError):
            await journal.withhold("trade", 1, "central has it")
    with raw(tmp_path) as db:
        assert db.execute("SELECT number, wire FROM withheld").fetchall() == [(2, before[1][1])]


async def test_what_central_put_aside_is_mirrored_once(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.put_aside([("trade", 3, '{"title":"sum"}'), ("trade", 3, '{"title":"sum"}'), ("ops", 1, "{}")])
        await journal.put_aside([("trade", 3, '{"title":"sum"}')])
        assert [(fact.stream, fact.number) for fact in journal.quarantined()] == [("ops", 1), ("trade", 3)]


async def test_the_export_has_every_fact_byte_for_byte_and_every_event(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.commit(Commit("a", (EventRow("Known", b'{"a":1}'), EventRow("Bytes", b"\xff\x00", "anna", b"secret")), (a_fact(), a_fact("ops"))))
        lines = b"".join(journal.export()).splitlines()
        assert lines[0] == journal.facts_after("ops", 0, 1, 1)[0][1]
        assert lines[1] == journal.facts_after("trade", 0, 1, 1)[0][1]
        events = [json.loads(line) for line in lines[2:]]
        assert [(event["event"], event["type"], event.get("body"), event.get("base64")) for event in events] == [
            (1, "Known", {"a": 1}, None), (2, "Bytes", None, "/wA="),
        ]  # fmt: skip
        assert b"secret" not in b"".join(lines)


async def test_a_reader_beside_the_service_sees_what_is_committed(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        beside = JournalReader.open(tmp_path, KEY)
        await journal.commit(a_commit(facts=1))
        assert beside.streams()[0].head == 1
        assert beside.verify().sound
        assert len(beside.tail(5)) == 1
        beside.close()


async def test_the_log_is_copied_into_the_database_before_it_grows_without_end(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        for _ in range(60):
            await journal.commit(Commit(new_id(), (EventRow("Large", bytes(200_000)),)))
        assert (tmp_path / "journal.db-wal").stat().st_size < 12_000_000
        assert (tmp_path / "journal.db").stat().st_size > 4_000_000


async def test_the_log_has_written_room_ahead_which_a_start_after_a_crash_takes_for_nothing(tmp_path: Path) -> None:
    register, copy = tmp_path / "register", tmp_path / "copy"
    async with open_journal(register) as journal:
        commits = [await journal.commit(a_commit(events=2, facts=1)) for _ in range(20)]
        await journal.acknowledge("central", {"trade": 1})  # answered after the room was made
        log = (register / "journal.db-wal").read_bytes()
        assert len(log) > LOG_ROOM_BYTES
        assert set(log[-LOG_ROOM_BYTES_MIN:]) == {0}
        shutil.copytree(register, copy)
    async with open_journal(copy) as journal:
        assert not journal.clean_start
        assert journal.position() == commits[-1].position == 40
        assert journal.verify().problems == ()


async def test_new_facts_are_announced_once_per_commit_that_has_some(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        told: list[int] = []
        journal.on_facts(lambda: told.append(1))
        commit = a_commit(facts=2)
        await journal.commit(commit)
        await journal.commit(commit)
        await journal.commit(a_commit())
        assert told == [1]


def test_the_port_is_fitted() -> None:
    from edge_agent import ports

    def fits(journal: Journal) -> ports.Journal:
        return journal

    assert fits


async def test_what_a_command_said_is_kept_beside_its_id_and_of_an_older_journals_commands_nothing_is(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.commit(a_commit("before", said=b"digest-0"))
    with raw(tmp_path) as db:  # as the version before left it
        db.execute("ALTER TABLE command DROP COLUMN said")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm004_what_a_command_said'")
    async with open_journal(tmp_path) as journal:
        assert await journal.known_command("before")
        assert await journal.said("before") == b""
        assert not (await journal.commit(a_commit("before", said=b"digest-1"))).fresh
        assert await journal.said("before") == b""
        await journal.commit(a_commit("after", said=b"digest-2"))
    async with open_journal(tmp_path) as journal:
        assert await journal.said("after") == b"digest-2"
        assert await journal.said("never") == b""
        assert journal.verify().sound
