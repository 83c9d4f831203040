"""Secrets at rest: passwords of trackers and addresses of webhooks, encrypted, with keys that can be rotated.

A secret is sealed together with what it is for. Copied to another user's row, or left in a row whose address
somebody changed, it does not open.

The key is the ``IMS_SECRET_KEY`` of the environment (several, the newest first, separated by commas), else a
file in the data folder that only its owner can read, made on first use.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import cached_property
from os import urandom
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.errors import UsageError
from crawler.http.origin import Origin
from db.files import data_folder, read_own, whole_file

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

KEY_FILE = "secret.key"
_KEY_SIZE = 32  # bytes


_MARK = b"\0"  # no password that was typed begins with it: before it, passwords were sealed as they are


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a secret is for."""

    words: list[str | int]  # what must be the same
    noun: str
    command: str  # stores it again
    changed: str  # what is different where the words are


def password_of(user_id: int, tracker_id: int, address: str) -> Purpose:
    """The password of a user's account at a tracker, for its address's origin."""
    words: list[str | int] = ["password", user_id, tracker_id, Origin(address).name]
    return Purpose(words, "password", "trackers add", "the tracker's address changed")


def proxy_password_of(user_id: int, tracker_id: int, proxy: str) -> Purpose:
    """The password at the proxy that a user's tracker is asked through."""
    words: list[str | int] = ["proxy", user_id, tracker_id, proxy]
    return Purpose(words, "proxy's password", "trackers edit --proxy", "the proxy's address changed")


def webhook_of(user_id: int, name: str) -> Purpose:
    """The address that gets the news of a user's schedule of this name."""
    words: list[str | int] = ["webhook", user_id, name]
    return Purpose(words, "webhook", "schedule add", "another schedule")


def alert_webhook_of(user_id: int, name: str) -> Purpose:
    """The address that gets the new hits of a user's favorite of this name."""
    words: list[str | int] = ["alert", user_id, name]
    return Purpose(words, "webhook", "favorites add", "another favorite")


class Vault:
    """Encrypts and decrypts with the newest of several keys; older ones still decrypt."""

    def __init__(self, keys: list[str]) -> None:
        if not keys or not all(map(_is_key, keys)):
            raise UsageError(
                "IMS_SECRET_KEY is not a key: make one with "
                "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'."
            )
        self._keys = keys

    @cached_property
    def _fernet(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet  # large, and many a tracker has no password

        return MultiFernet([Fernet(key) for key in self._keys])

    def seal(self, secret: str | None, purpose: Purpose) -> bytes:
        """Encrypt a secret with what it is for.

        Args:
            secret: None: only that its owner named this place for the account in their environment.
            purpose: must be the same when it is opened.
        """
        return self._fernet.encrypt(_MARK + json.dumps([purpose.words, secret]).encode())

    def open(self, sealed: bytes, purpose: Purpose) -> str | None:
        """Decrypt what :meth:`seal` made.

        Raises:
            UsageError: it was sealed with a key that is not here, or for something else.
        """
        from cryptography.fernet import InvalidToken

        try:
            text = self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise _other_key(purpose.noun, purpose.command) from error
        if not text.startswith(_MARK):
            raise UsageError(
                f"The stored {purpose.noun} is of an earlier version, which did not note what it is for: "
                f"store the {purpose.noun} again with {purpose.command}."
            )
        words, secret = json.loads(text.removeprefix(_MARK))
        if words != purpose.words:
            raise UsageError(
                f"The {purpose.noun} was stored for something else ({purpose.changed}): "
                f"store the {purpose.noun} again with {purpose.command}."
            )
        return None if secret is None else str(secret)

    def rotate(self, sealed: bytes) -> bytes:
        """Encrypt again with the newest key; what it is for stays.

        Raises:
            UsageError: it was sealed with a key that is not here.
        """
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.rotate(sealed)
        except InvalidToken as error:
            raise _other_key("password", "trackers add") from error


def _other_key(noun: str, command: str) -> UsageError:
    return UsageError(
        f"The stored {noun} was encrypted with another key: set IMS_SECRET_KEY to it, "
        f"or store the {noun} again with {command}."
    )


def open_vault(home: Path, secret_key: str | None) -> Vault:
    """The vault of this installation; its key file is made when there is none.

    Args:
        home: the data folder.
        secret_key: keys separated by commas, the newest first; None: the key file.
    """
    if secret_key:
        return Vault([key.strip() for key in secret_key.split(",") if key.strip()])
    return Vault(_read_keys(home))


def place_of_key(home: Path, secret_key: str | None) -> str:
    """Where the key of :func:`open_vault` is, in words."""
    return "IMS_SECRET_KEY" if secret_key else str(home / KEY_FILE)


def add_key(home: Path) -> Vault:
    """Put a new key before the others of the key file and give the vault that has them all."""
    keys = [_new_key().decode(), *_read_keys(home)]
    with whole_file(home / KEY_FILE) as file:
        file.write("\n".join(keys).encode() + b"\n")
    return Vault(keys)


def _read_keys(home: Path) -> list[str]:
    path = data_folder(home) / KEY_FILE
    if not path.exists():
        with whole_file(path, replace=False) as file:
            file.write(_new_key() + b"\n")
    return read_own(path).decode().split()


def _new_key() -> bytes:
    """A key as Fernet makes it."""
    return urlsafe_b64encode(urandom(_KEY_SIZE))


def _is_key(text: str) -> bool:
    try:
        return len(urlsafe_b64decode(text)) == _KEY_SIZE
    except ValueError:
        return False
