"""Stored passwords: encrypted, rotatable, with a key file for its owner only."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from crawler.errors import UsageError
from pipeline.trackers.secrets import KEY_FILE, Vault, add_key, open_vault


def test_what_was_sealed_opens_again_and_does_not_show_the_password(tmp_path: Path) -> None:
    sealed = open_vault(tmp_path, None).seal("pass word 비밀")
    assert "비밀".encode() not in sealed
    assert open_vault(tmp_path, None).open(sealed) == "pass word 비밀"


def test_the_key_file_is_for_its_owner_only(tmp_path: Path) -> None:
    open_vault(tmp_path / "home", None)
    assert (tmp_path / "home" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700


def test_after_a_rotation_old_and_new_secrets_open_and_new_ones_need_the_new_key(tmp_path: Path) -> None:
    before = open_vault(tmp_path, None)
    sealed = before.seal("secret")
    after = add_key(tmp_path)
    assert after.open(sealed) == "secret"
    rotated = after.rotate(sealed)
    assert open_vault(tmp_path, None).open(rotated) == "secret"
    with pytest.raises(UsageError, match="another key"):
        before.open(rotated)


def test_keys_from_the_environment_are_tried_in_turn(tmp_path: Path) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = Vault([old]).seal("secret")
    assert open_vault(tmp_path, f"{new}, {old}").open(sealed) == "secret"
    assert not (tmp_path / KEY_FILE).exists()


def test_a_key_that_is_none_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refusal:
        open_vault(tmp_path, "hunter2-hunter2")
    assert "IMS_SECRET_KEY" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)
