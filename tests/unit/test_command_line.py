"""The command line as it is typed: queries without quotes, help, examples, near misses."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.app import _run, app
from cli.commands import PLACES
from cli.examples import EXAMPLES
from cli.reference import commands, contents

ROOT: Any = typer.main.get_command(app)
FOLDER = Path(__file__).parent.parent.parent


def parsed(*arguments: str) -> dict[str, Any]:
    """What a command would be called with; it is not."""
    context = ROOT.make_context("ims-crawl", list(arguments))
    rest = [*context._protected_args, *context.args]
    while rest:
        name, command, rest = context.command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)
        rest = [*context._protected_args, *context.args]
    return dict(context.params)


COMMANDS = [
    (name, *verb)
    for name in PLACES
    for verb in ([(one,) for one in getattr(ROOT.commands.get(name), "commands", {})] or [()])
]


@pytest.mark.parametrize(
    "command", ["search", "crawl", "query", "favorites add x", "schedule add x --cron x"]
)
@pytest.mark.parametrize(
    "query", ["hello", "-listener", "foo bar", "+foo -bar", "-the", "-h2o", "-5213 error", "foo -- --bar"]
)
def test_a_query_is_everything_that_is_no_option(command: str, query: str) -> None:
    want = [word for word in query.split() if word != "--"]
    name, option = ("words", ["--json"]) if command == "query" else ("query", ["--yes", "--product", "-p"])
    option = ["--product", "-p"] if command == "favorites add x" else option
    known = shlex.split(command)
    assert parsed(*known, *option, *query.split())[name] == want
    if "--" not in query:
        assert parsed(*known, *query.split(), *option)[name] == want


@given(
    words=st.lists(
        st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda w: not w.startswith("--")), min_size=1
    )
)
@settings(max_examples=200, deadline=None)
def test_whatever_words_are_typed_reach_the_query(words: list[str]) -> None:
    typed = [word for word in words if word != "-h"]
    if typed:
        assert parsed("search", *typed, "--limit", "7") | {"limit": 7} == parsed(
            "search", "--limit", "7", *typed
        )
        assert parsed("search", *typed)["query"] == typed


def test_a_value_that_lacks_is_said_to_lack(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["search", "x", "--limit"]) == 2
    assert "requires an argument" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_examples_of_the_help_can_be_typed(name: str) -> None:
    for line in EXAMPLES[name]:
        words = shlex.split(line.partition(" > ")[0])
        assert line.startswith(name)
        if words[0] != "help":
            parsed(*words)


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("command", [(), *COMMANDS], ids=" ".join)
def test_help_is_never_cut(
    command: tuple[str, ...], width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert _run([*command, "--help"]) == 0
    page = capsys.readouterr().out
    assert "..." not in page.replace("[ARGS]...", "").replace("{QUERY}...", "")
    assert "…" not in page
    assert _run(["help", *command]) == 0
    assert capsys.readouterr().out == page
    prose, _, _ = page.partition("Examples:")
    assert max(map(len, prose.splitlines())) <= width


@pytest.mark.parametrize("group", ["trackers", "users", "db", "schedule", "favorites", "quarantine"])
def test_a_group_alone_shows_its_help(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run([group]) == 0
    alone = capsys.readouterr().out
    assert _run([group, "--help"]) == 0
    assert capsys.readouterr().out == alone
    assert f"Usage: ims-crawl {group}" in alone


def test_the_first_screen_has_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run([]) == 0
    page = capsys.readouterr().out
    assert all(f"\n  {name} " in page for name in PLACES)
    assert _run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("ims-crawl 0.")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("serch x", "'search'"),
        ("schedule ad", "'add'"),
        ("search x --limt 3", "--limit"),
        ("users disabel x", "'disable'"),
        ("search x --limt 3", "ims-crawl search --help."),
        ("trackers add", "ims-crawl trackers add --help."),
        ("search", "ims-crawl search --help."),
        ("schedule ad", "ims-crawl schedule --help."),
    ],
)
def test_what_is_typed_wrong_is_nearly_known(
    typed: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(shlex.split(typed)) == 2
    printed = capsys.readouterr()
    assert told in printed.err
    assert (printed.out, printed.err.count("\n")) == ("", 1)


def found(command: tuple[str, ...]) -> Any:
    """A command by its words."""
    group = ROOT.commands.get(command[0])
    return group.commands[command[1]] if command[1:] else group


# What goes on until it is stopped, and what hands over to another program.
WITHOUT_JSON = {("mcp",), ("demo",), ("serve",), ("worker",), ("db", "shell")}


def test_every_command_prints_json() -> None:
    without = {one for one in COMMANDS if all("--json" not in param.opts for param in found(one).params)}
    assert without == WITHOUT_JSON


def test_names_are_completed_wherever_they_are_taken() -> None:
    named = {"tracker", "product", "session"}
    for command in COMMANDS:
        for param in found(command).params:
            if param.name in named or (param.name == "name" and command[-1] != "add"):
                if command[0] == "users":
                    continue  # users are the database's, not the account's own
                assert param._custom_shell_complete is not None, (command, param.name)


def test_the_page_of_commands_is_fresh() -> None:
    page = (FOLDER / "docs" / "commands.md").read_text("utf-8")
    assert commands() == page, "write it anew: python -m cli.reference commands > docs/commands.md"
    headings = re.findall(r"^### (\S+)", page, re.MULTILINE)
    assert set(headings) == set(PLACES)


def test_the_table_of_contents_is_fresh_and_its_pages_are_there() -> None:
    page = (FOLDER / "llms.txt").read_text("utf-8")
    made = contents((FOLDER / "README.md").read_text("utf-8"))
    assert made == page, "write it anew: python -m cli.reference contents > llms.txt"
    linked = re.findall(r"\]\(([\w/.-]+)\)", page)
    assert {f"docs/{path.name}" for path in (FOLDER / "docs").glob("*.md")} <= set(linked)
    assert [path for path in linked if not (FOLDER / path).is_file()] == []


@pytest.mark.parametrize("columns", ["40", "200"])
def test_it_is_the_same_on_every_terminal(columns: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli.reference", "commands"],
        cwd=FOLDER,
        env={**os.environ, "COLUMNS": columns, "IMS_USER": "somebody", "LANG": "C"},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == commands()


def test_the_program_ends_at_once_but_not_before_what_is_left_to_do() -> None:
    code = (
        "import atexit, sys, threading, time, run_crawl\n"
        "atexit.register(print, 'registered')\n"
        "def late(): time.sleep(0.3); print('worked')\n"
        "if sys.argv[1] == 'busy': threading.Thread(target=late).start()\n"
        "sys.argv[1:] = ['--nonsense']\n"
        "run_crawl.main()\n"
    )
    for how, words in (("idle", ["registered"]), ("busy", ["worked", "registered"])):
        done = subprocess.run(
            [sys.executable, "-c", code, how], cwd=FOLDER, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout.split()) == (2, words), done.stderr
        assert "See ims-crawl --help." in done.stderr
