"""The first thing that a newcomer runs."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.embedded import EmbeddedServer
from tests.fixtures.embedded import folder_of_its_own
from tests.fixtures.program import ROOT, Program

pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def newcomer(scratch_folder: Path) -> Iterator[Program]:
    """A machine on which nothing was run yet."""
    with folder_of_its_own(scratch_folder) as folder:
        yield Program(folder / "home")


@pytest.fixture(scope="module")
def demonstrated(scratch_folder: Path) -> Iterator[Program]:
    """A machine on which the demo was run; its server runs all the time."""
    with folder_of_its_own(scratch_folder) as folder, EmbeddedServer(folder / "home"):
        program = Program(folder / "home")
        assert program("demo").status == 0
        yield program


def test_the_demo_works_twice_and_ends_with_three_commands_that_work(newcomer: Program) -> None:
    first = newcomer.afresh("demo")
    assert first.status == 0, first.err
    again = newcomer.afresh("demo")
    assert again.status == 0, again.err
    commands = [line.strip() for line in again.out.splitlines() if line.startswith("  ")][-3:]
    assert all("run_crawl.py" in command for command in commands)
    assert "user\tstatus\tfound\tnew" in first.out
    hits = newcomer("search", "ORA-01555 오류", "--json", IMS_USER="demo-kim").document
    assert hits
    sessions = newcomer("sessions", "--json", IMS_USER="demo-kim").document
    assert [session["status"] for session in sessions] == ["completed", "completed"]
    assert _counts(first.out)["demo-kim"][1] > 50
    assert _counts(again.out)["demo-kim"][1:3] == [0, 0]


def _counts(out: str) -> dict[str, list[int]]:
    """Found, new, changed, unchanged of each user's crawl."""
    lines = [line.split() for line in out.splitlines() if "\tcompleted\t" in line]
    return {words[0]: [int(word) for word in words[2:6]] for words in lines}


def test_what_readme_says_to_try_after_the_demo_finds_something(demonstrated: Program) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.partition("there is something to find:")[2].split("```")[1]
    commands = [line for line in block.splitlines() if line.startswith("IMS_USER=")]
    assert len(commands) == 5
    for line in commands:
        who, _, *arguments = shlex.split(line)
        if "-o" in arguments:
            arguments[-1] = str(demonstrated.home / "report.html")
        done = demonstrated(*arguments, IMS_USER=who.removeprefix("IMS_USER="))
        assert done.status == 0, line
        assert "Nothing found" not in done.out + done.err, line


def test_neither_user_of_the_demo_finds_the_others_issues(demonstrated: Program) -> None:
    kim = {
        session["session_uuid"]
        for session in demonstrated("sessions", "--json", IMS_USER="demo-kim").document
    }
    sato = {
        session["session_uuid"]
        for session in demonstrated("sessions", "--json", IMS_USER="demo-sato").document
    }
    assert kim
    assert sato
    assert not kim & sato


@pytest.mark.long
def test_the_demo_is_removed_and_can_be_had_again(demonstrated: Program) -> None:
    removed = demonstrated("demo", "--remove")
    assert removed.status == 0, removed.err
    assert "demo-kim: " in removed.out
    assert demonstrated("search", "ORA-01555", IMS_USER="demo-kim").status == 3  # disabled
    assert demonstrated("search", "ORA-01555", "--everybody", "--json").document == []
    assert "nothing to remove" in demonstrated("demo", "--remove").out
    assert demonstrated("demo").status == 0
    assert demonstrated("search", "ORA-01555 오류", "--json", IMS_USER="demo-kim").document


def test_nothing_of_the_data_folder_is_for_others(newcomer: Program) -> None:
    newcomer("sessions")
    open_to_others = [
        path for path in (newcomer.home, *newcomer.home.iterdir()) if path.stat().st_mode & 0o077
    ]
    assert open_to_others == []


def test_help_answers_without_a_database(tmp_path: Path) -> None:
    nothing = Program(tmp_path / "home")
    assert "crawl" in nothing.afresh("--help").out
    assert nothing("crawl", "--help").status == 0
    assert not nothing.home.exists()
