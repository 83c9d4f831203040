"""psql, started so that it acts for a user."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OWN = Path("~/.psqlrc")

# An identity holds for one transaction, so the shell begins one; a statement that fails does not end it.
_BEGIN = "BEGIN; SELECT ims.set_current_user({user_id}) \\g /dev/null"
_START = """\\set QUIET on
{own}
\\set ON_ERROR_ROLLBACK on
\\set act '{again}'
{begin}
\\set QUIET off
"""


@contextmanager
def start_file(user_id: int) -> Iterator[Path]:
    """A file for psql to begin with: the account's own settings, then a transaction for the user.

    ``:act`` begins the next one.
    """
    own = _OWN.expanduser()
    begin = _BEGIN.format(user_id=user_id)
    with tempfile.NamedTemporaryFile("w", prefix="ims-", suffix=".psqlrc", encoding="utf-8") as file:
        file.write(
            _START.format(
                own=f"\\i {_quoted(own)}" if own.is_file() else "",
                again=begin.replace("\\", "\\\\"),
                begin=begin,
            )
        )
        file.flush()
        yield Path(file.name)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("\\", "\\\\").replace("'", "''") + "'"
