"""What a question costs in a shell: each command's time, beside a bare script that asks the same question.

The stand-in's issues are crawled once. Then every command runs as a user runs it, on a terminal, in turn with
the bare script: cold, where it starts the embedded server itself, and warm, where another process holds the
server. The bare script imports psycopg and rich, connects, calls the search function and prints a table. CPU
seconds are those of the command's own process; a noisy machine changes them less than the time on the wall.

Run as ``python -m bench.shell [--issues N] [--rounds R]``.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from bench.crawl import ROOT, crawl, held_server, standin
from db.embedded.locks import is_held
from db.embedded.paths import data_paths

PROGRAM = (sys.executable, "run_crawl.py")
_BARE = """
import os, sys
import psycopg
from rich.console import Console
from rich.table import Table

with psycopg.connect(os.environ["BARE_CONNINFO"]) as connection:
    connection.execute("SELECT ims.set_current_user(ims.find_user(%s))", (os.environ["IMS_USER"],))
    rows = connection.execute(
        "SELECT issue_id, status, product, title, snippet FROM ims.search_issues(%s, NULL, 21)", sys.argv[1:]
    ).fetchall()
table = Table(box=None)
for name in ("issue", "status", "product", "title", "snippet"):
    table.add_column(name)
for row in rows:
    table.add_row(*map(str, row))
Console(width=120).print(table)
"""


def commands(issue: str) -> dict[str, tuple[tuple[str, ...], dict[str, str]]]:
    """The commands by name: their arguments and further variables."""
    asked = {
        "search": ("search", "timeout"),
        "show": ("show", issue),
        "sessions": ("sessions",),
        "history": ("history",),
        "news": ("news",),
        "stats": ("stats",),
        "help": ("--help",),
    }
    completing = {"_IMS_CRAWL_COMPLETE": "complete_bash", "COMP_WORDS": "ims-crawl fav", "COMP_CWORD": "1"}
    return {
        **{name: ((*PROGRAM, *words), {}) for name, words in asked.items()},
        "completion": (PROGRAM, completing),
        "bare": ((sys.executable, "-c", _BARE, "timeout"), {}),
    }


def timed(command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Run a command once, its output on a terminal; seconds on the wall, and of its process's CPU."""
    leader, follower = pty.openpty()
    shown = threading.Thread(target=_drain, args=(leader,))
    began = time.monotonic()
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=follower, stderr=follower
    ) as process:
        os.close(follower)
        shown.start()
        _, status, usage = os.wait4(process.pid, 0)
        took = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    shown.join()
    os.close(leader)
    if process.returncode != 0:
        raise SystemExit(f"{command} ended with status {process.returncode}")
    return took, usage.ru_utime + usage.ru_stime


def _drain(terminal: int) -> None:
    with suppress(OSError):  # the other end is closed
        while os.read(terminal, 65536):
            pass


def measure(home: Path, issue: str, conninfo: str, *, warm: bool, rounds: int) -> dict[str, Any]:
    """Run every command so many times, in turn; each one's medians."""
    taken: dict[str, list[tuple[float, float]]] = {}
    known = {
        **os.environ,
        "IMS_HOME": str(home),
        "BARE_CONNINFO": conninfo,
        "COLUMNS": "120",
        "TERM": "xterm",
    }
    with held_server(home) if warm else nullcontext():
        for place in range(rounds + 1):
            for name, (command, variables) in commands(issue).items():
                if name == "bare" and not warm:
                    continue  # it starts no server
                took = timed(command, {**known, **variables})
                if place:  # the first of each compiles modules and fills caches
                    taken.setdefault(name, []).append(took)
                if not warm:
                    _wait_for_the_end(home)
    return {name: _figures(times) for name, times in taken.items()}


def _figures(times: Sequence[tuple[float, float]]) -> dict[str, float]:
    wall, cpu = zip(*times, strict=True)
    return {"wall": round(statistics.median(wall), 3), "cpu": round(statistics.median(cpu), 3)}


def _wait_for_the_end(home: Path) -> None:
    """The server stops once nobody uses it; the next command is to start another one."""
    while is_held(data_paths(home).lock("supervisor")):
        time.sleep(0.02)


def _issue_of(home: Path) -> str:
    words = (*PROGRAM, "search", "timeout", "--json")
    known = {**os.environ, "IMS_HOME": str(home)}
    done = subprocess.run(words, cwd=ROOT, env=known, stdout=subprocess.PIPE, check=True)
    return str(json.loads(done.stdout)[0]["issue_id"])


def _conninfo_of(home: Path) -> str:
    with held_server(home) as address:
        password = (home / "app.password").read_text()
        return address.url("ims_app", password, "ims").replace("+psycopg", "", 1)


def main() -> None:
    """Run the benchmark and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issues", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    os.environ["IMS_USER"] = "bench"
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with held_server(home), standin(arguments.issues) as url:
            crawl(url, home, 4)
            issue = _issue_of(home)
        conninfo = _conninfo_of(home)
        warm = measure(home, issue, conninfo, warm=True, rounds=arguments.rounds)
        cold = measure(home, issue, conninfo, warm=False, rounds=arguments.rounds)
    ratio = {unit: round(warm["search"][unit] / warm["bare"][unit], 2) for unit in ("wall", "cpu")}
    print(json.dumps({"warm": warm, "cold": cold, "search_to_bare": ratio}, indent=2))


if __name__ == "__main__":
    main()
