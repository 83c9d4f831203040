"""Tracker passwords at rest: encrypted, with keys that can be rotated.

The key is the ``IMS_SECRET_KEY`` of the environment (several, the newest first, separated by commas), else a
file in the data folder that only its owner can read, made on first use.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from crawler.errors import UsageError
from db.files import data_folder, read_own, whole_file

KEY_FILE = "secret.key"


class Vault:
    """Encrypts and decrypts with the newest of several keys; older ones still decrypt."""

    def __init__(self, keys: list[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise UsageError(
                "IMS_SECRET_KEY is not a key: make one with "
                "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'."
            ) from error

    def seal(self, secret: str) -> bytes:
        """Encrypt a text."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """Decrypt what :meth:`seal` made.

        Raises:
            UsageError: it was sealed with a key that is not here.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise UsageError(
                "The stored password was encrypted with another key: set IMS_SECRET_KEY to it, "
                "or store the password again with trackers add."
            ) from error

    def rotate(self, sealed: bytes) -> bytes:
        """Encrypt again with the newest key."""
        return self._fernet.rotate(sealed)


def open_vault(home: Path, secret_key: str | None) -> Vault:
    """The vault of this installation; its key file is made when there is none.

    Args:
        home: the data folder.
        secret_key: keys separated by commas, the newest first; None: the key file.
    """
    if secret_key:
        return Vault([key.strip() for key in secret_key.split(",") if key.strip()])
    return Vault(_read_keys(home))


def add_key(home: Path) -> Vault:
    """Put a new key before the others of the key file and give the vault that has them all."""
    keys = [Fernet.generate_key().decode(), *_read_keys(home)]
    with whole_file(home / KEY_FILE) as file:
        file.write("\n".join(keys).encode() + b"\n")
    return Vault(keys)


def _read_keys(home: Path) -> list[str]:
    path = data_folder(home) / KEY_FILE
    if not path.exists():
        with whole_file(path, replace=False) as file:
            file.write(Fernet.generate_key() + b"\n")
    return read_own(path).decode().split()
