"""The whole path, end to end: issues a second from a tracker into the database, beside a bare fetch loop.

The stand-in, the embedded server and the crawler are processes of their own; the crawler is the command as a
user runs it. The same crawl runs twice: the second one finds nothing changed. The bare loop fetches the same
pages with the same client and throws them away: what the network alone would allow.

Run as ``python -m bench.crawl [--issues N] [--workers W] [--rounds R]``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from db.embedded import ServerAddress

ROOT = Path(__file__).parent.parent
ACCOUNT = {"IMS_TRACKER_USERNAME": "kim", "IMS_TRACKER_PASSWORD": "kim-secret"}


@dataclass(frozen=True)
class Run:
    """One crawl as its operating system saw it."""

    wall: float  # seconds, start of the interpreter included
    crawling: float  # seconds, as the session's row says
    cpu: float  # seconds of the crawling process
    server_cpu: float  # seconds of the database server meanwhile
    peak_mb: float  # of the crawling process
    result: dict[str, Any]


@contextmanager
def standin(issues: int, *, latency_ms: float = 0.0) -> Iterator[str]:
    """A tracker with generated issues, as a process of its own; gives its address."""
    module = ("crawler.sources.ims.standin", "--issues", str(issues), "--until-eof")
    with serving(*module, "--latency-ms", str(latency_ms)) as url:
        yield url


@contextmanager
def serving(*module: str) -> Iterator[str]:
    """A module, with its arguments, as a process of its own whose first line is its address."""
    with subprocess.Popen(
        [sys.executable, "-m", *module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def crawl(url: str, home: Path, workers: int) -> Run:
    """Crawl everything once."""
    command = [sys.executable, "run_crawl.py", "crawl", "*", "--kind", "ims", "--url", url]
    command += ["--workers", str(workers), "--json"]
    environment = {**os.environ, **ACCOUNT, "IMS_HOME": str(home)}
    server_before = server_cpu(home)
    began = time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    if process.returncode != 0:
        raise SystemExit(f"the crawl ended with status {process.returncode}: {output}")
    result = json.loads(output)
    return Run(
        wall=wall,
        crawling=result["duration_seconds"],
        cpu=usage.ru_utime + usage.ru_stime,
        server_cpu=server_cpu(home) - server_before,
        peak_mb=_megabytes(usage),
        result=result,
    )


def fetch_only(url: str, issues: int, workers: int) -> float:
    """Issues a second of a loop that logs in, fetches the same pages and throws them away."""
    from crawler.client import Client
    from crawler.source import Connection
    from crawler.sources import find_kind

    async def loop() -> float:
        connection = Connection(
            base_url=url.rstrip("/"),
            username=ACCOUNT["IMS_TRACKER_USERNAME"],
            password=ACCOUNT["IMS_TRACKER_PASSWORD"],
        )
        async with Client(connection.base_url, concurrency=workers) as client:
            source = find_kind("ims").open_source(connection, client)
            await source.login()
            references = [ref async for page in source.search(None, limit=issues) for ref in page.references]
            todo = iter(references)

            async def work() -> None:
                for reference in todo:
                    await source.fetch(reference)

            began = time.monotonic()
            await asyncio.gather(*(work() for _ in range(workers)))
            return len(references) / (time.monotonic() - began)

    return asyncio.run(loop())


def server_cpu(home: Path) -> float:
    """CPU seconds that the embedded server's processes have used so far, ended ones included."""
    try:
        postmaster = int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0.0
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(stat.parent.name) == postmaster:
            ticks += sum(int(field) for field in fields[11:15])
        elif int(fields[1]) == postmaster:
            ticks += sum(int(field) for field in fields[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024)


def _figures(runs: list[Run], issues: int) -> dict[str, float]:
    def median(values: list[float]) -> float:
        return round(statistics.median(values), 2)

    return {
        "issues_per_second": median([issues / run.crawling for run in runs]),
        "issues_per_second_whole_process": median([issues / run.wall for run in runs]),
        "cpu_seconds_per_1000_client": median([run.cpu / issues * 1000 for run in runs]),
        "cpu_seconds_per_1000_server": median([run.server_cpu / issues * 1000 for run in runs]),
        "peak_mb": median([run.peak_mb for run in runs]),
    }


def main() -> None:
    """Run the benchmark and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issues", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    first, again, bare = [], [], []
    for _ in range(arguments.rounds):
        with (
            tempfile.TemporaryDirectory() as folder,
            standin(arguments.issues) as url,
            held_server(Path(folder)),
        ):
            first.append(crawl(url, Path(folder), arguments.workers))
            bare.append(fetch_only(url, arguments.issues, arguments.workers))
            again.append(crawl(url, Path(folder), arguments.workers))
    fetching = statistics.median(bare)
    figures = {
        "issues": arguments.issues,
        "workers": arguments.workers,
        "rounds": arguments.rounds,
        "first": _figures(first, arguments.issues),
        "unchanged": _figures(again, arguments.issues),
        "bare_fetch_issues_per_second": round(fetching, 1),
    }
    figures["first_to_bare_fetch"] = round(
        _figures(first, arguments.issues)["issues_per_second"] / fetching, 3
    )
    print(json.dumps(figures, indent=2))


@contextmanager
def held_server(home: Path) -> Iterator[ServerAddress]:
    """Hold the embedded server, so that its processes, and their CPU time, last from command to command."""
    from db.embedded import EmbeddedServer

    with EmbeddedServer(home) as address:
        yield address


if __name__ == "__main__":
    main()
