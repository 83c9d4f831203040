"""The rules of the house, held within the test command: style, types, the direction of imports."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent.parent
TOOLS = Path(sys.executable).parent
_STATEMENT = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|MERGE|CALL|SET)\s")


TYPES = ("mypy",)
CHECKS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), TYPES, ("lint-imports",))


@pytest.mark.parametrize(
    "command",
    [  # .ci/run has the types beside what it installs
        pytest.param(command, id=command[0], marks=pytest.mark.long if command == TYPES else ())
        for command in CHECKS
    ],
)
def test_the_house_is_in_order(command: tuple[str, ...]) -> None:
    environment = {**os.environ, "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(
        [str(TOOLS / command[0]), *command[1:]],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_of_the_readme_exists() -> None:
    from cli.commands import PLACES

    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    used = {line.split()[1] for line in lines if line.startswith("ims-crawl ")}
    assert used
    assert used <= set(PLACES)


def test_every_dependency_is_accounted_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[\[<>=;~! ]", line)[0] for line in project["dependencies"]}
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    told = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")} - {"library"}
    assert wanted == told


def test_importing_the_rooms_opens_nothing() -> None:
    code = (
        "import socket, sqlite3\n"
        "def refuse(*a, **k): raise AssertionError('a socket at import')\n"
        "socket.socket.connect = refuse\n"
        "import cli.app, pipeline.bootstrap, pipeline.sessions.conductor, db.location\n"
        "import crawler.sources.ims.source, crawler.sources.trac.source\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


ASKING = sorted(path for room in ("cli", "web", "pipeline") for path in (ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("path", ASKING)
def test_the_acting_user_is_passed_and_sql_stands_in_sql_files(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    anonymous = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"get_session", "acting_for"}
        and not (node.args or node.keywords)
    ]
    # Only where the program starts the environment says who that is.
    assert len(anonymous) == (path == ROOT / "pipeline" / "bootstrap.py")
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert [text for text in texts if isinstance(text, str) and _STATEMENT.match(text)] == []


def test_the_task_runner_and_the_hooks_have_the_checks_of_the_suite() -> None:
    checks = {" ".join(command) for command in CHECKS}
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"entry: \.venv/bin/(.+)", hooks)) == checks
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ncheck:")[2].partition("\n\n")[0]
    assert set(re.findall(r"\$\(BIN\)/(.+)", recipe)) == checks


def test_what_contributors_are_told_to_run_is_there() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake (\w+)", page)) <= targets
    named = re.findall(r"\.venv/bin/pytest -n 0 (tests/\S+\.py)", page) + re.findall(
        r"\]\(([\w/.-]+)\)", page
    )
    assert [path for path in named if not (ROOT / path).exists()] == []
    for folder in re.findall(r"^\| `(tests/\w+/)", page, re.MULTILINE):
        assert (ROOT / folder).is_dir()


def test_the_lock_file_has_every_dependency_in_a_version_that_is_allowed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))
    unhashed = [block for block in re.split(r"\n(?=[a-z])", lock) if "--hash=sha256:" not in block]
    assert unhashed == []
    for text in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
        wanted = Requirement(text)
        assert wanted.specifier.contains(locked[wanted.name]), text


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ("", 0, "cannot be reached"),
        (
            '{"dependencies": [{"name": "a", "skip_reason": "x"}]}',
            0,
            "1 of 1 dependencies could not",
        ),
        ('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', 0, "no known hole in 1"),
        (
            '{"dependencies": [{"name": "a", "version": "1", "vulns":'
            ' [{"id": "CVE-1", "fix_versions": ["2"]}]}]}',
            1,
            "a 1 has CVE-1, mended in 2",
        ),
    ],
)
def test_the_audit_says_what_it_knows_and_what_it_does_not(answer: str, status: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "audit"], input=answer, capture_output=True, text=True, check=False
    )
    assert (done.returncode, said in done.stdout) == (status, True), done.stdout


def test_every_file_that_the_map_names_is_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:crawler|pipeline|db|cli|web|sql)/[\w<>/.]*)`", page)
    assert len(named) > 20
    for name in named:
        for kind in ("ims", "trac") if "<kind>" in name else ("",):
            assert (ROOT / name.replace("<kind>", kind)).exists(), name
