"""The program at a terminal: it asks back, pages and completes, and what was asked is looked back on."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.program import ROOT, Program, Tracker

pytestmark = pytest.mark.xdist_group("terminal")

UNCLEAR = "timeout " + " ".join(f"not this{number}" for number in range(9)) + " 없는 것"


@pytest.fixture(scope="module")
def crawled(ims_crawl: Program, ims_process: Tracker) -> dict[str, Any]:
    """A few issues of the stand-in."""
    done = ims_crawl("crawl", "timeout", *ims_process.options, "--max", "12", "--json", **ims_process.ACCOUNT)
    assert done.status == 0, done.err
    document: dict[str, Any] = done.document
    return document


def at_terminal(
    program: Program, *arguments: str, answer: bytes = b"", waits_for: bytes = b""
) -> tuple[int, str]:
    """Run a command on a terminal of its own; type the answer once something is on the screen."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "run_crawl.py"), *arguments],
        env=program.environment(TERM="xterm", LINES="24", PAGER="less", LESS="-X"),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    screen = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([leader], [], [], 0.2)[0]:
            try:
                read = os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
            if not read:
                break
            screen += read
        if answer and waits_for in screen:
            os.write(leader, answer)
            answer = b""
    status = process.wait(timeout=10)
    os.close(leader)
    return status, screen.decode(errors="replace")


@pytest.mark.usefixtures("crawled")
def test_an_unclear_question_is_asked_back_before_anything_is_done(
    ims_crawl: Program, ims_process: Tracker
) -> None:
    status, screen = at_terminal(ims_crawl, "search", UNCLEAR, answer=b"n\n", waits_for=b"[Y/n]")
    assert status == 2, screen
    assert "Nothing was done" in screen
    sessions = ims_crawl("sessions", "--json").document
    status, screen = at_terminal(
        ims_crawl, "crawl", UNCLEAR, "--tracker", sessions[0]["tracker"], answer=b"n\n", waits_for=b"[Y/n]"
    )
    assert status == 2, screen
    assert ims_crawl("sessions", "--json").document == sessions


@pytest.mark.skipif(shutil.which("less") is None, reason="less is not installed")
def test_a_page_that_is_longer_than_the_screen_is_paged(ims_crawl: Program, crawled: dict[str, Any]) -> None:
    assert crawled["issues_crawled"] > 0
    hits = ims_crawl("search", "timeout", "--json").document
    status, screen = at_terminal(ims_crawl, "show", hits[0]["issue_id"], answer=b"q", waits_for=b"status")
    assert status == 0, screen
    assert hits[0]["issue_id"] in screen
    whole = ims_crawl("show", hits[0]["issue_id"]).out.splitlines()
    assert len(whole) > 30
    assert len(screen.splitlines()) <= 26


@pytest.mark.usefixtures("crawled")
def test_what_was_asked_is_looked_back_on(ims_crawl: Program, crawled: dict[str, Any]) -> None:
    ims_crawl("search", "timeout", "--limit", "3", "--json", "--exact")
    rows = ims_crawl("history", "--json").document
    assert (rows[0]["original_query"], rows[0]["results_count"], rows[0]["session_uuid"]) == (
        "timeout",
        3,
        None,
    )
    crawl = next(row for row in rows if row["session_uuid"] == crawled["session_uuid"])
    assert crawl["results_count"] == crawled["total_issues_found"]
    assert crawl["tracker"]


@pytest.mark.parametrize(
    ("shell", "typed"),
    [
        ("bash", {"COMP_WORDS": "ims-crawl favorites a", "COMP_CWORD": "2"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "ims-crawl favorites a"}),
        (
            "fish",
            {"_TYPER_COMPLETE_ARGS": "ims-crawl favorites a", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
        ),
    ],
)
def test_commands_complete_in_every_shell(tmp_path: Path, shell: str, typed: dict[str, str]) -> None:
    program = Program(tmp_path / "home")
    script = program(_IMS_CRAWL_COMPLETE=f"source_{shell}")
    assert script.status == 0, script.err
    assert "ims-crawl" in script.out
    assert f"complete_{shell}" in script.out
    done = program(**typed, _IMS_CRAWL_COMPLETE=f"complete_{shell}")
    assert "add" in done.out
    assert "remove" not in done.out
    assert not (tmp_path / "home").exists()  # nothing is started for it


def test_bash_itself_completes(tmp_path: Path) -> None:
    installed = tmp_path / "ims-crawl"
    installed.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "run_crawl.py"}" "$@"\n')
    installed.chmod(0o755)
    script = (
        'eval "$(_IMS_CRAWL_COMPLETE=source_bash ims-crawl)"; COMP_WORDS=(ims-crawl simi); COMP_CWORD=1; '
        '_ims_crawl_completion ims-crawl; echo "${COMPREPLY[@]}"'
    )
    environment = {**Program(tmp_path / "home").environment(), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("similar\n", "")


@pytest.mark.usefixtures("crawled")
def test_psql_acts_for_the_user_in_each_transaction_that_it_begins(ims_crawl: Program) -> None:
    count = "SELECT 'rows', count(*) FROM ims.issues;\n"
    done = ims_crawl(
        "db", "shell", stdin=f"\\t\n\\a\n{count}SELECT nonsense;\n{count}COMMIT;\n{count}:act;\n{count}"
    )
    assert done.status == 0, done.err
    first, after_an_error, without_identity, again = (
        int(line.partition("|")[2]) for line in done.out.splitlines() if line.startswith("rows|")
    )
    assert first > 0
    assert (after_an_error, without_identity, again) == (first, 0, first)


# Loading one of these takes longer than a key press may; how long is no test, for machines differ.
HEAVY = ("sqlalchemy", "psycopg", "pydantic", "httpx", "rich.console", "asyncio", "structlog", "cryptography")


# What a question needs no part of: it is asked with the driver alone, and nothing is logged.
FOR_OTHERS = (
    "sqlalchemy",
    "alembic",
    "httpx",
    "structlog",
    "pydantic",
    "cryptography",
    "zstandard",
    "msgspec",
    "crawler.source",
    "crawler.query.natural.korean",  # the question is English; its synonyms are not read as questions
    "crawler.query.natural.japanese",
)


def watched(
    program: Program, modules: tuple[str, ...], arguments: list[str], **changed: str
) -> subprocess.CompletedProcess[str]:
    """Run a command that names at its end those of the modules that were loaded for it."""
    code = (
        f"import sys\nfrom cli.app import run\ntry:\n    run({arguments})\nfinally:\n"
        f"    print('loaded:', *(name for name in {modules} if name in sys.modules), file=sys.stderr)"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        env=program.environment(PYTHONPATH=str(ROOT), **changed),
        cwd=program.home.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def completed(program: Program, *words: str) -> list[str]:
    """What bash would be told about the last word; nothing heavy may be loaded for it."""
    typed = {"COMP_WORDS": " ".join(("ims-crawl", *words)), "COMP_CWORD": str(len(words))}
    done = watched(program, HEAVY, [], _IMS_CRAWL_COMPLETE="complete_bash", **typed)
    assert done.stderr.strip() == "loaded:", (words, done.stderr)
    return [line for line in done.stdout.split("\n") if line]


@pytest.mark.usefixtures("crawled")
@pytest.mark.parametrize(
    "command", ["search", "show", "similar", "sessions", "history", "news", "stats", "attachments list"]
)
def test_a_question_loads_what_it_needs_and_no_more(ims_crawl: Program, command: str) -> None:
    words = ["timeout", "this", "year"] if command == "search" else []
    if command in ("show", "similar", "attachments list"):
        words = [ims_crawl("search", "timeout", "--json").document[0]["issue_id"]]
    done = watched(ims_crawl, FOR_OTHERS, [*command.split(), *words])
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "loaded:", done.stderr


@pytest.mark.usefixtures("crawled")
def test_a_crawl_loads_what_it_needs_and_no_more(ims_crawl: Program, ims_process: Tracker) -> None:
    words = ["crawl", "+timeout", *ims_process.options, "--max", "2", "--json"]
    # Requests are the tracker process's, and no stored password is opened.
    for_others = (
        *("sqlalchemy", "alembic", "pydantic", "crawler.client", "httpx", "tenacity", "cryptography"),
        *("rich", "pygments", "crawler.query.natural.sentence"),
    )
    done = watched(ims_crawl, for_others, words, **ims_process.ACCOUNT)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "loaded:", done.stderr


def test_names_complete_without_loading_the_program(ims_crawl: Program, crawled: dict[str, Any]) -> None:
    (tracker,) = {row["tracker"] for row in ims_crawl("sessions", "--json").document} - {None}
    for command in (
        ("schedule", "add", "nightly", "*", "--cron", "0 2 * * *", "--tracker", tracker),
        ("favorites", "add", "mine", "timeout"),
    ):
        assert ims_crawl(*command).status == 0
    hits = ims_crawl("search", "timeout", "--json").document
    product = next(hit["product"] for hit in hits if hit["product"])
    short = crawled["session_uuid"][:8]
    for words, name in (
        (("trackers", "test", tracker[:2]), tracker),
        (("crawl", "x", "--tracker", tracker[:3]), tracker),
        (("search", "x", "--limit", "3", "--tracker", tracker[:3]), tracker),
        (("schedule", "run", "ni"), "nightly"),
        (("runs", "ni"), "nightly"),
        (("favorites", "run", "m"), "mine"),
        (("receipt", short[:3]), short),
        (("resume", short[:3]), short),
        (("search", "x", "--product", product[:2]), product),
        (("trackers", "edit", tracker, "--option", "rel"), "relations="),
        (("trackers", "add", "x", "--kind", "trac", "--option", ""), "page_size="),
        (("trackers", "options", "tr"), "trac"),
    ):
        assert name in completed(ims_crawl, *words), words
    assert completed(ims_crawl, "fav") == ["favorites"]
    assert set(completed(ims_crawl, "schedule", "re")) == {"resume", "remove"}
    for command in (("schedule", "remove", "nightly"), ("favorites", "remove", "mine")):
        assert ims_crawl(*command).status == 0
    assert completed(ims_crawl, "schedule", "run", "ni") == []
    assert completed(ims_crawl, "favorites", "run", "m") == []
    (file,) = (ims_crawl.home / "completion").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("{}")
    assert completed(ims_crawl, "trackers", "test", "") == []


def test_a_crawl_that_ends_at_its_limit_says_that_there_is_more(
    ims_crawl: Program, ims_process: Tracker
) -> None:
    done = ims_crawl("crawl", "*", *ims_process.options, "--max", "3", **ims_process.ACCOUNT)
    assert done.status == 0, done.err
    found = next(line for line in done.out.splitlines() if line.startswith("found "))
    total = int(found.partition(" of ")[2].partition(",")[0])
    assert found.startswith("found        3 of ")
    assert f"{total - 3} more issues match" in done.err
    whole = ims_crawl("crawl", "*", *ims_process.options, **ims_process.ACCOUNT)
    assert f"found        {total}, related" in whole.out
    assert "more issues match" not in whole.err
