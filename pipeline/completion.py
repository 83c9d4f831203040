"""The names that a shell completes, kept in a file: a database is not reached in the time of a key press.

The file is of one user on one database, in the data folder and for this account only. What lists or changes
names writes it; what a worker on another machine adds meanwhile is completed after the next list.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

FOLDER = "completion"
_SORTS = ("trackers", "kinds", "schedules", "favorites", "sessions")
_SESSIONS = 50  # the newest
_MOST = 1000  # names of one sort
_ISSUES, _FILES = 30, 200  # whose files are known, and how many of each


def read_names(sort: str) -> list[tuple[str, str]]:
    """Return names with what they are about; none where nothing is known.

    Args:
        sort: ``trackers``, ``kinds`` (of one's trackers), ``schedules``, ``favorites``, ``sessions`` or
            ``products``.
    """
    try:
        named = json.loads(_file().read_text(encoding="utf-8"))[sort]
        return [(str(name), str(about)) for name, about in named]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def refresh(user_id: int) -> None:
    """Write a user's names down; nothing depends on them, so a failure is passed over."""
    from contextlib import suppress

    from psycopg import Error

    from db.errors import DatabaseError
    from db.files import whole_file

    with suppress(DatabaseError, Error, OSError):
        text = json.dumps(_names(user_id), ensure_ascii=False)
        path = _file()
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with whole_file(path) as file:
            file.write(text.encode("utf-8", "replace"))


def note_files(issue_id: str, names: Sequence[str]) -> None:
    """Write down the names of an issue's files, for the next command about it."""
    from contextlib import suppress

    from db.files import whole_file

    plain = [name for name in names if name.isprintable()][:_FILES]
    if not plain:
        return
    with suppress(OSError):
        path = _file().with_suffix(".files.json")
        path.parent.mkdir(mode=0o700, exist_ok=True)
        known = {issue_id: plain, **{key: each for key, each in _noted().items() if key != issue_id}}
        text = json.dumps(dict(list(known.items())[:_ISSUES]), ensure_ascii=False)
        with whole_file(path) as file:
            file.write(text.encode("utf-8", "replace"))


def read_files(issue_id: str) -> list[str]:
    """Return the names of the files of an issue that was looked at lately."""
    return _noted().get(issue_id, [])


def _noted() -> dict[str, list[str]]:
    try:
        told = json.loads(_file().with_suffix(".files.json").read_text(encoding="utf-8"))
        return {str(key): [str(name) for name in names] for key, names in told.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _names(user_id: int) -> dict[str, list[tuple[str, str]]]:
    from db.acting import acting_for
    from pipeline.search.products import own_products

    names: dict[str, list[tuple[str, str]]] = {sort: [] for sort in _SORTS}
    with acting_for(user_id) as acting:
        for row in acting.rows("asking", "names", {"most": _MOST, "sessions": _SESSIONS}):
            names[row["sort"]].append((row["name"], row["about"] or ""))
        names["products"] = [(name, "") for name in own_products(acting)]
    # A shell reads a line a name, and some of these come from a tracker.
    return {
        sort: [(name, _plain(about)) for name, about in each if name.isprintable()]
        for sort, each in names.items()
    }


def _plain(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:80]


def _file() -> Path:
    known = _environment()
    if known.get("IMS_HOME"):
        home = Path(known["IMS_HOME"]).expanduser()
    else:
        import platformdirs

        home = platformdirs.user_data_path("ims-crawler")
    whose = f"{known.get('IMS_USER') or ''}\0{known.get('DATABASE_URL') or ''}"
    return home / FOLDER / f"{sha256(whose.encode('utf-8', 'replace')).hexdigest()[:32]}.json"


def _environment() -> dict[str, str]:
    # Reading a .env by the rules loads the database's half of the program: only where there is one.
    if not Path(".env").is_file():
        return dict(os.environ)
    from db.settings import environment

    return dict(environment())
