"""Without DATABASE_URL the embedded server is set up on first use, and everybody is made on theirs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

LOOK = """
import json
from db import get_session
from sqlalchemy import text
with get_session() as session:
    me = "SELECT user_id, username, role FROM ims.users WHERE user_id = ims.current_user_id()"
    row = session.execute(text(me))
    print(json.dumps([*row.one(), session.scalar(text("SELECT count(*) FROM ims.users"))]))
    session.execute(text("INSERT INTO ims.issues (issue_id) VALUES (gen_random_uuid()::text)"))
"""


def look(home: Path, user: str, *, at_once: int = 1) -> list[list[object]]:
    """What processes of their own see with nothing but IMS_HOME and IMS_USER set."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", LOOK],
            env={"IMS_HOME": str(home), "IMS_USER": user, "PATH": "/usr/bin:/bin"},
            cwd=Path(__file__).parents[3],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(at_once)
    ]
    answers = []
    for process in processes:
        out, complaints = process.communicate(timeout=60)
        assert (process.returncode, complaints) == (0, "")
        answers.append(json.loads(out))
    return answers


@pytest.mark.xdist_group("place")
def test_the_first_user_is_an_admin_the_next_are_not_and_each_is_made_once(tmp_path: Path) -> None:
    home = tmp_path / "a home"
    assert look(home, "sora", at_once=3) == [[1, "sora", "admin", 1]] * 3
    ((_, name, role, seen),) = look(home, "minji")
    assert (name, role, seen) == ("minji", "user", 1)
    assert look(home, "sora") == [[1, "sora", "admin", 2]]
    assert oct((home / "app.password").stat().st_mode & 0o777) == "0o600"
