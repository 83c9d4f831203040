"""A first and a second crawl beside a Scrapy pipeline, in turn, round by round, as one JSON document.

The tracker is a process that answers out of memory; both crawlers write into the same PostgreSQL, each into
a database of its own. Ours is the command as a user runs it. Whoever began a round comes last in the next
one. At the end of a round comes the limit: the same pages fetched, taken apart and copied, and nothing else
(:mod:`bench.peer.limit`). Processor time is what each process used in itself: our coordinator, its tracker
processes, the peer, PostgreSQL and the tracker. Seconds are those of the crawl, without the start of an
interpreter; those of the whole process count that, too.

Run as ``python -m bench.peer [--issues N] [--rounds R] [--workers W] [--concurrency C] [--peer best|usual]
[--cores 0,1]``; Scrapy is in the extra ``[bench]``. Where a machine does other work, only processor time is
steady.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.crawl import ACCOUNT, ROOT, held_server, server_cpu

if TYPE_CHECKING:
    from db.embedded import ServerAddress

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Run:
    """One crawl by one crawler."""

    crawling: float  # seconds
    whole: float  # seconds, with the start of the interpreter
    cpu: dict[str, float]  # seconds by process


@dataclass(frozen=True)
class Place:
    """Where both crawl: the tracker, and the server that they write to."""

    url: str
    tracker: int  # process id
    home: Path
    server: ServerAddress


@contextmanager
def tracker(issues: int) -> Iterator[tuple[str, int]]:
    """The tracker as a process of its own; gives its address and its process id."""
    command = [sys.executable, "-m", "bench.peer.tracker", "--issues", str(issues)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.terminate()


def run(
    place: Place, command: Sequence[str], environment: dict[str, str], names: tuple[str, str]
) -> tuple[Run, dict[str, Any]]:
    """Run a crawler to its end; its own time and that of its children under these names."""
    before = server_cpu(place.home), _spent(place.tracker)[0]
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **ACCOUNT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        output, errors = process.stdout, process.stderr
        assert output is not None
        assert errors is not None
        told = output.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it can still be looked at
        own, children = _spent(process.pid)
        whole = time.monotonic() - began
        process.wait()
        if process.returncode != 0:
            raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}: {errors.read()}")
    result: dict[str, Any] = json.loads(told)
    cpu = {
        names[0]: own,
        names[1]: children,
        "postgresql": server_cpu(place.home) - before[0],
        "tracker": _spent(place.tracker)[0] - before[1],
    }
    seconds = float(result.get("duration_seconds") or result["seconds"])
    return Run(seconds, whole, {name: used for name, used in cpu.items() if name}), result


def _spent(process: int) -> tuple[float, float]:
    """Processor seconds of a process, and of its children that have ended."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS, (int(fields[13]) + int(fields[14])) / TICKS


def ours(place: Place, arguments: argparse.Namespace, again: bool) -> Run:
    """Crawl with the command of this project."""
    command = ["run_crawl.py", "crawl", "*", "--kind", "ims", "--url", place.url, "--json"]
    command += ["--workers", str(arguments.workers)]
    names = "coordinator", "tracker processes"
    made, told = run(place, command, {"IMS_HOME": str(place.home)}, names)
    _expect(told["issues_crawled"], arguments.issues, "ours")
    _expect(told["issues_new"], 0 if again else arguments.issues, "ours, as new")
    return made


def peer(place: Place, arguments: argparse.Namespace, again: bool) -> Run:
    """Crawl with the Scrapy project."""
    command = ["-m", "bench.peer.spider", "--url", place.url, "--concurrency", str(arguments.concurrency)]
    command += ["--settings", arguments.peer]
    database = {"PEER_DATABASE": _libpq(place.server, "peer")}
    made, told = run(place, command, database, ("scrapy", ""))
    _expect(told["seen"], arguments.issues, "the peer")
    _expect(told["stored"], 0 if again else arguments.issues, "the peer, as new")
    return made


def limit(place: Place, arguments: argparse.Namespace) -> Run:
    """Fetch, take apart and copy every page, and nothing else, in as many processes as there are cores."""
    command = ["-m", "bench.peer.limit", "--url", place.url, "--issues", str(arguments.issues)]
    database = {"PEER_DATABASE": _libpq(place.server, "peer")}
    made, told = run(place, command, database, ("start", "bare processes"))
    _expect(told["stored"], arguments.issues, "the limit")
    return made


def _expect(found: int, wanted: int, whose: str) -> None:
    if found != wanted:
        raise SystemExit(f"{whose}: {found} issues instead of {wanted}; these figures would mean nothing.")


def _libpq(server: ServerAddress, database: str | None = None) -> str:
    return server.superuser_url(database).replace("+psycopg", "", 1)


def _prepare(place: Place) -> None:
    """Make both databases, so that neither first crawl does."""
    import psycopg

    with psycopg.connect(_libpq(place.server), autocommit=True) as connection:
        connection.execute("CREATE DATABASE peer")
    listing = [sys.executable, "run_crawl.py", "sessions", "--json"]
    environment = {**os.environ, "IMS_HOME": str(place.home)}
    subprocess.run(listing, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)


Crawler = Callable[[Place, argparse.Namespace, bool], Run]
CRAWLERS: dict[str, Crawler] = {"ours": ours, "peer": peer}


def one_round(
    url: str, process: int, arguments: argparse.Namespace, order: Sequence[str]
) -> dict[str, list[Run]]:
    """A first and a second crawl by each crawler, on an empty server."""
    runs: dict[str, list[Run]] = {who: [] for who in order}
    with tempfile.TemporaryDirectory() as folder, held_server(Path(folder)) as server:
        place = Place(url, process, Path(folder), server)
        _prepare(place)
        for again in (False, True):
            for who in order:
                runs[who].append(CRAWLERS[who](place, arguments, again))
        runs["limit"] = [limit(place, arguments)]
    return runs


def _figures(runs: Sequence[Run], issues: int) -> dict[str, Any]:
    def a_thousand(name: str) -> float:
        return round(statistics.median(run.cpu[name] for run in runs) / issues * 1000, 2)

    mine = [name for name in runs[0].cpu if name not in ("postgresql", "tracker")]
    return {
        "issues_per_second": round(statistics.median(issues / run.crawling for run in runs), 1),
        "issues_per_second_whole_process": round(statistics.median(issues / run.whole for run in runs), 1),
        "cpu_ms_per_issue": {
            **{name: a_thousand(name) for name in runs[0].cpu},
            "crawler": round(
                statistics.median(sum(run.cpu[name] for name in mine) for run in runs) / issues * 1000, 2
            ),
        },
    }


def _ratios(rounds: Sequence[dict[str, list[Run]]], which: int) -> dict[str, Any]:
    """How many times as fast as the peer we are, median of the rounds and each of them."""

    def told(measure: Callable[[Run], float]) -> dict[str, Any]:
        each = [round(measure(one["peer"][which]) / measure(one["ours"][which]), 2) for one in rounds]
        return {"median": round(statistics.median(each), 2), "each": each}

    def crawler(run: Run) -> float:
        return sum(used for name, used in run.cpu.items() if name not in ("postgresql", "tracker"))

    return {
        "issues_per_second": told(lambda run: run.crawling),
        "whole_process": told(lambda run: run.whole),
        "cpu_of_the_crawler": told(crawler),
        "cpu_with_postgresql": told(lambda run: crawler(run) + run.cpu["postgresql"]),
    }


def main() -> None:
    """Run the benchmark and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issues", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=8, help="of ours")
    parser.add_argument("--concurrency", type=int, default=16, help="requests at once of the peer")
    parser.add_argument(
        "--peer",
        choices=("best", "usual"),
        default="best",
        help="its settings: all off that it does not need, or Scrapy's own",
    )
    parser.add_argument("--cores", help="everything on these cores, such as 0 or 0,1")
    arguments = parser.parse_args()
    if arguments.cores:
        os.sched_setaffinity(0, {int(core) for core in arguments.cores.split(",")})
    load_before = os.getloadavg()[0]
    rounds = []
    with tracker(arguments.issues) as (url, process):
        for number in range(arguments.rounds):
            order = list(CRAWLERS) if number % 2 == 0 else list(reversed(CRAWLERS))
            rounds.append(one_round(url, process, arguments, order))
    figures: dict[str, Any] = {
        "issues": arguments.issues,
        "rounds": arguments.rounds,
        "peer": f"{arguments.peer} settings",
        "cores": len(os.sched_getaffinity(0)),
        "load": [round(load_before, 1), round(os.getloadavg()[0], 1)],
    }
    for which, name in enumerate(("first", "second")):
        figures[name] = {
            **{who: _figures([each[who][which] for each in rounds], arguments.issues) for who in CRAWLERS},
            "times_the_peer": _ratios(rounds, which),
        }
    figures["limit"] = _figures([each["limit"][0] for each in rounds], arguments.issues)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
