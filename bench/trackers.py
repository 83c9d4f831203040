"""Requests an issue and issues a second for each kind of tracker with an API, beside Perceval.

Both read the same stand-in (of Roundup: a real one), a process of its own, in the same run and in turn,
without latency and with some.
Ours is the whole command: search, fetch, parse, and everything stored in PostgreSQL; Perceval only yields its
items. Seconds are those of the crawl, without the start of an interpreter. The second crawl finds nothing
changed; Perceval is given the time of its first one. ``limit`` is what the stand-in gives at most: the
requests of our first crawl once more, over as many bare connections as ours had, nothing read or stored.

Run as ``python -m bench.trackers [KIND …] [--issues N] [--rounds R] [--latency-ms L]``; Perceval is in the
extra ``[bench]``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from bench.subjects import SUBJECTS
from tests.fixtures.api_server import Asked

ROOT = Path(__file__).parent.parent
CONNECTIONS = 4  # as many as a crawl has at once


@dataclass(frozen=True)
class Run:
    """What one crawl cost."""

    issues: int
    requests: int
    seconds: float


class StandIn:
    """A stand-in in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def requests(self) -> int:
        """How many requests came since this was last asked."""
        return int(self._told("count"))

    def counted(self) -> list[str]:
        """The requests that were counted last, as they are sent."""
        return list(json.loads(self._told("counted")))

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
        counted: list[Asked] = []
        for command in sys.stdin:
            if command == "counted\n":
                print(json.dumps([_written(asked) for asked in counted]), flush=True)
                continue
            counted = list(server.asked)
            server.asked.clear()
            print(len(counted), flush=True)


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


def _loaded(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def _forget(module: ModuleType) -> None:
    """Perceval keeps whom it asked for in its classes, from one run to the next."""
    for known in vars(module).values():
        for name in ("_users", "_users_orgs"):
            getattr(known, name, {}).clear()


def _ours(kind: str, standin: StandIn, home: Path) -> Run:
    subject = SUBJECTS[kind]
    environment = {**os.environ, "IMS_HOME": str(home), "IMS_TRACKER_PASSWORD": subject.secret}
    if subject.username is not None:
        environment["IMS_TRACKER_USERNAME"] = subject.username
    command = [sys.executable, "run_crawl.py", "crawl", "*", "--kind", subject.kind or kind, "--json"]
    command += ["--url", standin.url + subject.path]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    told = json.loads(done.stdout)
    return Run(told["issues_crawled"], standin.requests(), told["duration_seconds"])


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
    began = time.monotonic()
    count = sum(1 for _ in backend.fetch(from_date=since))
    return Run(count, standin.requests(), time.monotonic() - began)


def _measured(kind: str, issues: int, latency_ms: float) -> dict[str, tuple[Run, Run]]:
    runs: dict[str, tuple[Run, Run]] = {}
    with tempfile.TemporaryDirectory() as folder, _standin(kind, issues, latency_ms) as standin:
        first = _ours(kind, standin, Path(folder))
        asked = standin.counted()
        runs["ours"] = (first, _ours(kind, standin, Path(folder)))
        bare = Run(first.issues, len(asked), asyncio.run(_replayed(standin.url, asked)))
        standin.requests()
        runs["limit"] = (bare, bare)
        if SUBJECTS[kind].perceval is not None and find_spec("perceval") is not None:
            first = _perceval(kind, standin, None)
            runs["perceval"] = (first, _perceval(kind, standin, datetime.now(UTC)))
    return runs


def _figures(rounds: list[dict[str, tuple[Run, Run]]], issues: int) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for who in rounds[0]:
        first, second = zip(*(each[who] for each in rounds), strict=True)
        told[who] = {
            "issues": first[0].issues,
            "requests_per_issue": round(first[0].requests / issues, 3),
            "requests_of_an_unchanged_second": second[0].requests,
            "issues_per_second": round(statistics.median(run.issues / run.seconds for run in first), 1),
            "seconds_of_an_unchanged_second": round(statistics.median(run.seconds for run in second), 2),
        }
    told["limit"] = {"issues_per_second": told["limit"]["issues_per_second"]}
    told["of_the_limit"] = round(told["ours"]["issues_per_second"] / told["limit"]["issues_per_second"], 3)
    if "perceval" in told:
        speeds = [told[who]["issues_per_second"] for who in ("ours", "perceval")]
        told["times_as_fast"] = round(speeds[0] / speeds[1], 2)
    return told


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
        for latency in (0.0, arguments.latency_ms):
            rounds = [_measured(kind, arguments.issues, latency) for _ in range(arguments.rounds)]
            name = f"{kind}, {latency:g} ms"
            figures[name] = _figures(rounds, arguments.issues)
            print(name, json.dumps(figures[name]), file=sys.stderr, flush=True)
    print(json.dumps({"issues": arguments.issues, "rounds": arguments.rounds, **figures}, indent=2))


if __name__ == "__main__":
    main()
