"""Requests an issue and issues a second for each kind of tracker with an API, beside Perceval.

Both read the same stand-in (of Roundup: a real one), a process of its own, in the same run and in turn,
without latency and with some.
Ours is the whole command: search, fetch, parse, and everything stored in PostgreSQL; Perceval only yields its
items. Seconds are those of the crawl, without the start of an interpreter. The second crawl asks for what has
changed since the first one, as ``--since last`` does and as Perceval does that is given a time: nothing has.
A third one of ours lists everything once more. ``checks`` are requests that only ask who one is, or log in.
``limit`` is what the stand-in gives at most: the requests of our first crawl once more, over as many bare
connections as ours had, nothing read or stored.

Run as ``python -m bench.trackers [KIND …] [--issues N] [--rounds R] [--latency-ms L]``; Perceval is in the
extra ``[bench]``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

from bench.crawl import held_server, server_cpu
from bench.subjects import SUBJECTS
from tests.fixtures.api_server import Asked

ROOT = Path(__file__).parent.parent
CONNECTIONS = 4  # as many as a crawl has at once
AIM = 5  # times Perceval's speed
PEERS = ("ours", "perceval")
CRAWLS = ("first", "changed since")


@dataclass(frozen=True)
class Run:
    """What one crawl cost."""

    issues: int
    asked: Counter[str]  # requests by method and path, numbers left out
    checks: int  # of them only ask who one is, or log in
    seconds: float
    cpu: float = 0.0  # seconds of everybody's processor time but the stand-in's
    standin_cpu: float = 0.0  # and of the stand-in's

    @property
    def requests(self) -> int:
        """All of them."""
        return self.asked.total()

    @property
    def counted(self) -> dict[str, Any]:
        """How they are told."""
        asked = dict(sorted(self.asked.items()))
        return {"requests": self.requests, "checks": self.checks, "asked": asked}


class StandIn:
    """A stand-in in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = self._line()

    @property
    def cpu(self) -> float:
        """Seconds of processor time that its threads have used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def requests(self) -> list[str]:
        """The requests that came since this was last asked, as they are sent."""
        return list(json.loads(self._told("requests")))

    def _told(self, command: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._line()


@contextmanager
def _standin(kind: str, issues: int, latency_ms: float) -> Iterator[StandIn]:
    command = [sys.executable, "-m", "bench.trackers", kind, "--issues", str(issues), "--serve"]
    command += ["--latency-ms", str(latency_ms)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield StandIn(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def _serve(kind: str, issues: int, latency_ms: float) -> None:
    server = SUBJECTS[kind].standin(issues)
    server.latency = latency_ms / 1000
    with server.serving() as url:
        print(url, flush=True)
        for _ in sys.stdin:
            asked = list(server.asked)
            server.asked.clear()
            print(json.dumps([_written(each) for each in asked]), flush=True)


def _written(asked: Asked) -> str:
    lines = [f"{asked.method} {asked.raw_path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in asked.headers.items() if name != "connection"]
    return "\r\n".join(lines) + "\r\n\r\n" + asked.body.decode("latin-1")


async def _replayed(url: str, requests: list[str]) -> float:
    """Seconds to send requests over bare connections and to receive the answers."""
    address = urlsplit(url)
    waiting = list(reversed(requests))

    async def send() -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1 << 20)
        while waiting:
            writer.write(waiting.pop().encode("latin-1"))
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(size or 0))
        writer.close()

    began = time.monotonic()
    await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
    return time.monotonic() - began


def _counted(kind: str, requests: list[str]) -> tuple[Counter[str], int]:
    """Requests by what they ask for, and how many of them only ask who one is."""
    lines = [request.partition(" HTTP/")[0] for request in requests]
    is_check = re.compile(SUBJECTS[kind].checks)
    asked = Counter(re.sub(r"[0-9]+", "N", unquote(line.partition("?")[0])) for line in lines)
    return asked, sum(1 for line in lines if is_check.fullmatch(line))


def _loaded(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def _forget(module: ModuleType) -> None:
    """Perceval keeps whom it asked for in its classes, from one run to the next."""
    for known in vars(module).values():
        for name in ("_users", "_users_orgs"):
            getattr(known, name, {}).clear()


def _ours(kind: str, standin: StandIn, home: Path, *more: str) -> tuple[Run, list[str]]:
    """One crawl of ours, and the requests that it made."""
    subject = SUBJECTS[kind]
    environment = {**os.environ, "IMS_HOME": str(home), "IMS_TRACKER_PASSWORD": subject.secret}
    if subject.username is not None:
        environment["IMS_TRACKER_USERNAME"] = subject.username
    command = [sys.executable, "run_crawl.py", "crawl", "*", "--kind", subject.kind or kind, "--json", *more]
    command += ["--url", standin.url + subject.path]
    before, standin_before = server_cpu(home) + _cpu(resource.RUSAGE_CHILDREN), standin.cpu
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    used = server_cpu(home) + _cpu(resource.RUSAGE_CHILDREN) - before, standin.cpu - standin_before
    told = json.loads(done.stdout)
    requests = standin.requests()
    return Run(told["issues_crawled"], *_counted(kind, requests), told["duration_seconds"], *used), requests


def _cpu(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


def _perceval(kind: str, standin: StandIn, since: datetime | None) -> Run:
    """Perceval within this process, which has nothing else to do meanwhile."""
    subject = SUBJECTS[kind]
    assert subject.perceval is not None
    backend_of = _loaded(subject.perceval)
    _forget(sys.modules[backend_of.__module__])
    told = {
        name: value.replace("{url}", standin.url) if isinstance(value, str) else value
        for name, value in subject.told.items()
    }
    backend = backend_of(**told)
    began, before, standin_before = time.monotonic(), _cpu(resource.RUSAGE_SELF), standin.cpu
    count = sum(1 for _ in backend.fetch(from_date=since))
    seconds = time.monotonic() - began
    used = _cpu(resource.RUSAGE_SELF) - before, standin.cpu - standin_before
    return Run(count, *_counted(kind, standin.requests()), seconds, *used)


def _measured(kind: str, issues: int, latency_ms: float) -> dict[str, tuple[Run, Run, Run]]:
    runs: dict[str, tuple[Run, Run, Run]] = {}
    with tempfile.TemporaryDirectory() as folder, _standin(kind, issues, latency_ms) as standin:
        home = Path(folder)
        with held_server(home):
            first, asked = _ours(kind, standin, home)
            second, _ = _ours(kind, standin, home, "--since", "last")
            runs["ours"] = (first, second, _ours(kind, standin, home)[0])
        bare = replace(first, seconds=asyncio.run(_replayed(standin.url, asked)))
        standin.requests()
        runs["limit"] = (bare, bare, bare)
        if SUBJECTS[kind].perceval is not None and find_spec("perceval") is not None:
            first = _perceval(kind, standin, None)
            second = _perceval(kind, standin, datetime.now(UTC))
            runs["perceval"] = (first, second, second)
    return runs


def _figures(rounds: list[dict[str, tuple[Run, Run, Run]]], issues: int) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for who in rounds[0]:
        first, second, third = zip(*(each[who] for each in rounds), strict=True)
        speed = round(statistics.median(run.issues / run.seconds for run in first), 1)
        if who == "limit":
            told[who] = {"issues_per_second": speed}
            continue
        told[who] = {
            "issues": first[0].issues,
            "issues_per_second": speed,
            "cpu_ms_per_issue": _per_issue([run.cpu for run in first], issues),
            "cpu_ms_per_issue_of_the_standin": _per_issue([run.standin_cpu for run in first], issues),
            "requests_per_issue": round(first[0].requests / issues, 3),
            "first": first[0].counted,
            "changed since": second[0].counted,
            "seconds_of_changed_since": round(statistics.median(run.seconds for run in second), 2),
        }
        if who == "ours":
            told[who]["everything again"] = third[0].counted
            told[who]["seconds_of_everything_again"] = round(
                statistics.median(run.seconds for run in third), 2
            )
    told["of_the_limit"] = round(told["ours"]["issues_per_second"] / told["limit"]["issues_per_second"], 3)
    if "perceval" in told:
        speeds = {who: told[who]["issues_per_second"] for who in ("ours", "perceval", "limit")}
        told["times_as_fast"] = round(speeds["ours"] / speeds["perceval"], 2)
        told["limit_times_as_fast"] = round(speeds["limit"] / speeds["perceval"], 2)
        told["cpu_ms_per_issue_at_the_aim"] = round(_at_the_aim(told["ours"], told["perceval"]), 2)
        told["more_requests_than_perceval"] = {
            crawl: _without_checks(told["ours"][crawl]) - _without_checks(told["perceval"][crawl])
            for crawl in CRAWLS
        }
    return told


def _at_the_aim(ours: dict[str, Any], perceval: dict[str, Any]) -> float:
    """Processor time that is left for an issue at the aim, when every core is busy and the stand-in answered.

    Perceval does one thing after the other, so that on a machine of its own it is as fast as its processor
    time and the stand-in's allow; what else the machine does now does not matter.
    """
    takes = float(perceval["cpu_ms_per_issue"]) + float(perceval["cpu_ms_per_issue_of_the_standin"])
    return (os.cpu_count() or 1) * takes / AIM - float(ours["cpu_ms_per_issue_of_the_standin"])


def _per_issue(seconds: list[float], issues: int) -> float:
    return round(statistics.median(seconds) / issues * 1000, 2)


def _without_checks(told: dict[str, Any]) -> int:
    return int(told["requests"]) - int(told["checks"])


def _table(figures: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The figures of kinds that Perceval has, a line each, for people."""
    yield "| kind | requests of a first crawl | of one for changes | issues/s: ours, Perceval's, limit |"
    yield "|---|---|---|---|"
    for name, told in figures.items():
        if "perceval" not in told:
            continue
        crawls = [" / ".join(_requests(told[who][crawl]) for who in PEERS) for crawl in CRAWLS]
        speeds = ", ".join(f"{told[who]['issues_per_second']:g}" for who in (*PEERS, "limit"))
        yield f"| {' | '.join([name, *crawls, speeds])} |"
    yield ""
    yield "| kind | Perceval's ms of processor time an issue | ours | left at five times its speed |"
    yield "|---|---|---|---|"
    for name, told in figures.items():
        if "perceval" in told:
            used = [told[who]["cpu_ms_per_issue"] for who in reversed(PEERS)]
            yield f"| {' | '.join(map(str, [name, *used, told['cpu_ms_per_issue_at_the_aim']]))} |"


def _requests(told: dict[str, Any]) -> str:
    return f"{told['requests'] - told['checks']} + {told['checks']}"


def main() -> None:
    """Run the benchmark and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[*SUBJECTS, []], default=[])
    parser.add_argument("--issues", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency-ms", type=float, default=20.0)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    kinds = arguments.kinds or list(SUBJECTS)
    if arguments.serve:
        _serve(kinds[0], arguments.issues, arguments.latency_ms)
        return
    figures = {}
    for kind in kinds:
        for latency in dict.fromkeys((0.0, arguments.latency_ms)):
            rounds = [_measured(kind, arguments.issues, latency) for _ in range(arguments.rounds)]
            name = f"{kind}, {latency:g} ms"
            figures[name] = _figures(rounds, arguments.issues)
            print(name, json.dumps(figures[name]), file=sys.stderr, flush=True)
    print(*_table(figures), sep="\n", file=sys.stderr, flush=True)
    print(json.dumps({"issues": arguments.issues, "rounds": arguments.rounds, **figures}, indent=2))


if __name__ == "__main__":
    main()
