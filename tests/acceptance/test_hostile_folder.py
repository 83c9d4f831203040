"""A folder that one happens to stand in: nothing of what lies there is run or imported."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.fixtures.program import LIMIT, ROOT, Program, Tracker

_OURS = ("cli", "crawler", "db", "pipeline", "sql")
_PROGRAMS = ("psql", "postgres", "initdb", "ps", "sh", "python", "python3", "less", "more")


def _lay_out(folder: Path, mark: Path) -> None:
    """Decoys under every name that a process of ours may import or start; each says that it ran."""
    says = f"with open({str(mark)!r}, 'a') as told:\n    told.write(__file__ + '\\n')\n"
    tops = {*sys.stdlib_module_names, *packages_distributions(), "sitecustomize", "usercustomize"}
    for name in tops - {*_OURS, "tests"}:
        if name.isidentifier():
            (folder / f"{name}.py").write_text(says)
    for name in _OURS:
        for module in (ROOT / name).rglob("*.py"):
            decoy = folder / module.relative_to(ROOT)
            decoy.parent.mkdir(parents=True, exist_ok=True)
            decoy.write_text(says)
    for name in _PROGRAMS:
        program = folder / name
        program.write_text(f"#!/bin/sh\necho {name} >> '{mark}'\n")
        program.chmod(0o755)
    (folder / ".psqlrc").write_text(f"\\! echo psqlrc >> '{mark}'\n")


@pytest.mark.parametrize(
    "program",
    [
        pytest.param([str(Path(sys.executable).with_name("ims-crawl"))], id="as it is installed"),
        pytest.param([sys.executable, str(ROOT / "run_crawl.py")], id="as a file", marks=pytest.mark.long),
    ],
)
def test_nothing_of_the_current_folder_is_run(
    tmp_path: Path, ims_process: Tracker, program: list[str]
) -> None:
    folder, mark, home = tmp_path / "folder", tmp_path / "ran", tmp_path / "home"
    folder.mkdir()
    _lay_out(folder, mark)
    environment = Program(home).environment(**ims_process.ACCOUNT)

    def run(*arguments: str, stdin: str = "") -> None:
        done = subprocess.run(
            [*program, *arguments],
            env=environment,
            cwd=folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    run("trackers", "add", "ims", *ims_process.options, "--username", "kim")  # starts the server, migrates
    run("crawl", "*", "--tracker", "ims", "--max", "3")
    run("schedule", "add", "nightly", "*", "--tracker", "ims", "--cron", "0 2 * * *")
    run("worker", "--once")
    run("db", "shell", stdin="SELECT 1;\n")
    assert not mark.exists(), mark.read_text()
