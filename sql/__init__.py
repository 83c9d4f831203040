"""The SQL of the schema, one object a file; ``CONVENTIONS.md`` tells how it is written.

``cluster/`` is run by an administrator when a database is set up. The files of the other folders say what
each object *is*: they are applied again, all of them in this order, whenever the text of one of them changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# Functions before the views, triggers and policies that call them; within a folder the order is of no
# account.
_FOLDERS = ("identity", "functions", "search", "analytics", "views", "triggers", "policies")
_AS_ADMINISTRATOR = "-- runs as: administrator\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class SqlFile:
    """One file of SQL."""

    name: str  # folder/file, without its ending
    text: str

    @property
    def as_administrator(self) -> bool:
        """Whether it gives an object to another role than the owner's, which only an administrator can."""
        return self.text.startswith(_AS_ADMINISTRATOR)

    @property
    def digest(self) -> str:
        """What changes when the text does."""
        return hashlib.blake2b(self.text.encode(), digest_size=16).hexdigest()


def cluster(name: str) -> SqlFile:
    """Return a file of ``cluster/``."""
    return _read("cluster", name)


@cache
def repeatable() -> Sequence[SqlFile]:
    """Return the files that say what each object is, in the order in which they are applied."""
    return tuple(_read(folder, name) for folder in _FOLDERS for name in _names(folder))


def digest() -> str:
    """Return what changes when any of the repeatable files does."""
    return hashlib.blake2b("".join(one.digest for one in repeatable()).encode(), digest_size=16).hexdigest()


def _names(folder: str) -> Sequence[str]:
    found = (files(__name__) / folder).iterdir()
    return sorted(one.name.removesuffix(".sql") for one in found if one.name.endswith(".sql"))


def _read(folder: str, name: str) -> SqlFile:
    text = (files(__name__) / folder / f"{name}.sql").read_text("utf-8")
    return SqlFile(name=f"{folder}/{name}", text=text)
