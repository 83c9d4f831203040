"""Stored passwords: encrypted, rotatable, with a key file for its owner only."""

import json
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from crawler.errors import UsageError
from pipeline.trackers.secrets import KEY_FILE, Purpose, Vault, add_key, open_vault, password_of, webhook_of

MINE = password_of(2, 7, "https://ims.example.com:443")


def test_what_was_sealed_opens_again_and_does_not_show_the_password(tmp_path: Path) -> None:
    sealed = open_vault(tmp_path, None).seal("pass word 비밀", MINE)
    assert "비밀".encode() not in sealed
    assert open_vault(tmp_path, None).open(sealed, MINE) == "pass word 비밀"


def test_the_key_file_is_for_its_owner_only(tmp_path: Path) -> None:
    open_vault(tmp_path / "home", None)
    assert (tmp_path / "home" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700


def test_after_a_rotation_old_and_new_secrets_open_and_new_ones_need_the_new_key(tmp_path: Path) -> None:
    before = open_vault(tmp_path, None)
    sealed = before.seal("secret", MINE)
    after = add_key(tmp_path)
    assert after.open(sealed, MINE) == "secret"
    rotated = after.rotate(sealed)
    assert open_vault(tmp_path, None).open(rotated, MINE) == "secret"
    with pytest.raises(UsageError, match="another key"):
        before.open(rotated, MINE)


def test_keys_from_the_environment_are_tried_in_turn(tmp_path: Path) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = Vault([old]).seal("secret", MINE)
    assert open_vault(tmp_path, f"{new}, {old}").open(sealed, MINE) == "secret"
    assert not (tmp_path / KEY_FILE).exists()


def test_a_key_that_is_none_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refusal:
        open_vault(tmp_path, "hunter2-hunter2")
    assert "IMS_SECRET_KEY" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "other",
    [
        password_of(3, 7, "https://ims.example.com:443"),
        password_of(2, 8, "https://ims.example.com:443"),
        password_of(2, 7, "http://ims.example.com:443"),
        password_of(2, 7, "https://evil.example.com:443"),
        webhook_of(2, "nightly"),
    ],
)
def test_a_secret_opens_for_nothing_but_what_it_was_sealed_for(tmp_path: Path, other: Purpose) -> None:
    vault = open_vault(tmp_path, None)
    for sealed in (vault.seal("canary", MINE), vault.rotate(vault.seal("canary", MINE))):
        with pytest.raises(UsageError, match="again with") as refusal:
            vault.open(sealed, other)
        assert "canary" not in str(refusal.value)


def test_a_password_that_was_sealed_for_nothing_in_particular_does_not_open(tmp_path: Path) -> None:
    key = Fernet.generate_key()
    vault = Vault([key.decode()])
    looks_sealed = json.dumps([MINE.words, "canary"])
    for text in ("canary", looks_sealed):
        with pytest.raises(UsageError, match="earlier version"):
            vault.open(Fernet(key).encrypt(text.encode()), MINE)
