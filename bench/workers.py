"""One session over several workers: issues a second with 1, 2 and 4 of them, against a slow tracker.

The stand-in, the embedded server and each worker are processes of their own, as users run them. A schedule is
made due, and the time runs from the run's start to its end.

Run as ``python -m bench.workers [--issues N] [--latency-ms L] [--at-once R] [--workers 1 2 4]``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from bench.crawl import standin
from db.embedded import EmbeddedServer
from db.location import DATABASE
from db.settings import libpq_url

ROOT = Path(__file__).parent.parent


def run(command: list[str], home: Path, stdin: str = "") -> None:
    """One command of the program."""
    subprocess.run(
        [sys.executable, str(ROOT / "run_crawl.py"), *command],
        env=environment(home),
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )


def environment(home: Path) -> dict[str, str]:
    """The environment of a command."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IMS_", "DATABASE_"))}
    return {**kept, "IMS_HOME": str(home), "IMS_USER": "bench"}


def crawl(url: str, home: Path, database: str, workers: int, at_once: int) -> float:
    """Seconds of one run over so many workers."""
    account = ["--kind", "ims", "--url", url, "--username", "kim", "--password-stdin"]
    run(["trackers", "add", "bench", *account, "--concurrency", "64"], home, stdin="kim-secret\n")
    add = ["schedule", "add", "bench", "*", "--tracker", "bench", "--cron", "0 0 1 1 *"]
    run([*add, "--workers", str(at_once)], home)
    started = [
        subprocess.Popen(
            [sys.executable, str(ROOT / "run_crawl.py"), "worker", "--concurrency", "1"],
            env=environment(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(workers)
    ]
    try:
        with psycopg.connect(database, autocommit=True) as connection:
            ready = b"SELECT count(*) FROM ims_jobs.workers WHERE queue_worker_id IS NOT NULL"
            while connection.execute(ready).fetchone() != (workers,):
                time.sleep(0.2)
            connection.execute("UPDATE ims.saved_searches SET next_run_at = now()")
            ended = b"SELECT status, duration_seconds FROM ims.runs WHERE ended_at IS NOT NULL"
            while (row := connection.execute(ended).fetchone()) is None:
                time.sleep(0.5)
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(60)
    status, seconds = row
    if status != "completed":
        raise RuntimeError(f"the run ended as {status}")
    return float(seconds)


def main() -> None:
    """Run the benchmark and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issues", type=int, default=800)
    parser.add_argument("--latency-ms", type=float, default=50)
    parser.add_argument("--at-once", type=int, default=2, help="requests at once of each worker")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    arguments = parser.parse_args()
    rates = {}
    for workers in arguments.workers:
        with (
            tempfile.TemporaryDirectory() as folder,
            EmbeddedServer(Path(folder)) as server,
            standin(arguments.issues, latency_ms=arguments.latency_ms) as url,
        ):
            database = libpq_url(server.superuser_url(DATABASE))
            seconds = crawl(url, Path(folder), database, workers, arguments.at_once)
            rates[workers] = round(arguments.issues / seconds, 1)
    first = arguments.workers[0]
    figures = {
        "issues": arguments.issues,
        "latency_ms": arguments.latency_ms,
        "requests_at_once_per_worker": arguments.at_once,
        "issues_per_second": rates,
        "speedup": {workers: round(rate / rates[first], 2) for workers, rate in rates.items()},
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
