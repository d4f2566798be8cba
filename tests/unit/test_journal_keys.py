"""Where secrets come from, and what a device says when it enrols."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.clock import SystemRandom
from edge_agent.domain.errors import ConfigError, StorageFailed
from sync.cipher import open_file, require_sqlite
from sync.contract.messages import Enrolled, EnrolRequest, enrol_message
from sync.durable_files import write_synced
from sync.enrol import enrol, request_of, require_url
from sync.enrolment import Enrolment, load, save
from sync.identity import Identity
from sync.keys import Keys, derived_key, find_keyring

SECRET = bytes(range(100, 132))


class MemoryKeyring:
    """A keyring that remembers."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, name: str, /) -> str | None:
        return self.held.get((service, name))

    def set_password(self, service: str, name: str, value: str, /) -> None:
        self.held[service, name] = value


def keys_in(folder: Path, **places: object) -> Keys:
    return Keys(folder, SystemRandom(), **places)  # type: ignore[arg-type] # the caller's keywords are Keys' own


def test_the_first_key_is_made_as_a_private_file_and_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    key = keys_in(folder).journal_key()
    assert len(key) == 32
    assert stat.S_IMODE((folder / "journal-key").stat().st_mode) == 0o600
    assert keys_in(folder).journal_key() == key
    assert keys_in(folder).device_key() != key
    assert not list(folder.glob("*.new"))


@pytest.mark.parametrize("written", [SECRET, SECRET.hex().encode(), SECRET.hex().upper().encode() + b"\n"])
def test_a_credential_comes_before_everything(tmp_path: Path, written: bytes) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "journal-key").write_bytes(written)
    other = keys_in(tmp_path).journal_key()
    keyring = MemoryKeyring()
    keyring.set_password("edge-agent", "journal-key", bytes(32).hex())
    assert keys_in(tmp_path, credentials=credentials, keyring=keyring).journal_key() == SECRET != other
    assert keys_in(tmp_path, credentials=tmp_path / "none", keyring=keyring).journal_key() == bytes(32)
    assert Keys.here(tmp_path, SystemRandom(), {"CREDENTIALS_DIRECTORY": str(credentials)}).journal_key() == SECRET
    assert Keys.here(tmp_path, SystemRandom(), {}).journal_key() == other


def test_a_keyring_that_works_keeps_the_new_key_and_an_existing_file_is_still_used(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    key = keys_in(tmp_path, keyring=keyring).journal_key()
    assert not (tmp_path / "journal-key").exists()
    assert keyring.held == {("edge-agent", "journal-key"): key.hex()}
    write_synced(tmp_path / "device-key", SECRET.hex().encode())
    assert keys_in(tmp_path, keyring=keyring).device_key() == SECRET
    assert len(keyring.held) == 1


def test_a_key_that_others_could_read_is_refused_with_what_to_do(tmp_path: Path) -> None:
    keys_in(tmp_path).journal_key()
    (tmp_path / "journal-key").chmod(0o640)
    with pytest.raises(ConfigError, match="expected mode 0600, got 0640") as told:
        keys_in(tmp_path).journal_key()
    assert "chmod 600" in told.value.hint


@pytest.mark.parametrize("content", [b"", b"short", b"zz" * 32, bytes(33), bytes(5000), b"\xff" * 64])
def test_a_key_that_is_none_is_refused_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal-key"
    write_synced(path, content)
    with pytest.raises(ConfigError, match="expected 32 bytes or 64 hexadecimal digits"):
        keys_in(tmp_path).journal_key()
    assert path.read_bytes() == content


def test_a_journal_whose_key_is_lost_gets_no_new_one(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"precious")
    with pytest.raises(ConfigError, match="got nothing") as told:
        keys_in(tmp_path).journal_key()
    assert "Bring the key back" in told.value.hint
    assert not (tmp_path / "journal-key").exists()


def test_keys_for_other_purposes_are_made_from_it() -> None:
    assert derived_key(SECRET, "people.db") == derived_key(SECRET, "people.db")
    assert len({derived_key(SECRET, "people.db"), derived_key(SECRET, "identifiers"), derived_key(bytes(32), "people.db"), SECRET}) == 4
    assert find_keyring() is None or hasattr(find_keyring(), "get_password")


def test_an_old_sqlite_is_refused() -> None:
    require_sqlite((3, 51, 3))
    with pytest.raises(StorageFailed, match=r"SQLite 3\.51\.2 can damage"):
        require_sqlite((3, 51, 2))


def test_a_file_that_is_no_database_is_met_when_it_is_opened(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"no database at all " * 500)
    with pytest.raises(Exception, match="not a database"):
        open_file(tmp_path / "x.db", None)


ENROLLED = Enrolled(
    tenant="acme", store="0001", store_name="Berlin Mitte", register="02", epoch="3", token="secret-token", country="DE", issued_ms=5
)  # fmt: skip


class Answering:
    """An enroller that answers, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[EnrolRequest] = []

    async def enrol(self, request: EnrolRequest) -> Enrolled:
        self.asked.append(request)
        return ENROLLED


async def test_enrolling_proves_the_key_and_keeps_the_answer_privately(tmp_path: Path) -> None:
    enroller = Answering()
    keys = keys_in(tmp_path)
    made = await enrol("https://central.example/", "7KQ2M-9XW01", "till PC 3", keys, enroller)
    assert made == load(tmp_path) == Enrolment("https://central.example", ENROLLED)
    assert made.identity == Identity("/t/acme/s/0001/r/02", "3")
    assert stat.S_IMODE((tmp_path / "enrolment.json").stat().st_mode) == 0o600
    assert b"secret-token" in (tmp_path / "enrolment.json").read_bytes()
    (request,) = enroller.asked
    key = Ed25519PrivateKey.from_private_bytes(keys.device_key()).public_key()
    assert (len(request.public_key), len(request.proof), request.device) == (43, 86, "till PC 3")
    proof = _raw(request.proof)
    key.verify(proof, enrol_message("7KQ2M-9XW01", request.public_key))
    with pytest.raises(InvalidSignature):
        key.verify(proof, enrol_message("other code", request.public_key))
    assert request_of(keys.device_key(), "7KQ2M-9XW01", "till PC 3") == request


def _raw(text: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_an_enrolment_that_is_none_is_refused(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    save(tmp_path, Enrolment("https://central.example", ENROLLED))
    (tmp_path / "enrolment.json").chmod(0o644)
    with pytest.raises(ConfigError, match="0600"):
        load(tmp_path)
    write_synced(tmp_path / "enrolment.json", b'{"url": 5}')
    with pytest.raises(ConfigError, match="expected what enrolling wrote"):
        load(tmp_path)


@pytest.mark.parametrize("url", ["central.example", "http://central.example", "ftp://x", "", "https://", "https://x/?a=1"])
def test_only_an_encrypted_address_or_this_computer_is_accepted(url: str) -> None:
    with pytest.raises(ConfigError, match="expected https"):
        require_url(url)
    assert require_url("http://127.0.0.1:8080/") == "http://127.0.0.1:8080"
