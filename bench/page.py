"""How long a page of ``serve`` takes, over many issues: questions, issues, the start page.

The stock is that of ``bench.search``: the issues of twenty users, and for each question a hundredth, a
thousandth or a ten thousandth of a user's issues that have its words. One visitor asks one page after the
other, over one connection; each is told from its first byte sent to its last one received. Synonyms are
looked for, as in the shell.

Each issue has a comment and five changes, which figures are counted from. Of figures that are not kept yet
the first byte and the last one are told apart; of those that are kept, what they take while nothing is
stored, and right after something was.

Run as ``python -m bench.page [--issues N] [--users N] [--pages N] [--home FOLDER]``; FOLDER is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
from sqlalchemy import make_url

from bench.analytics import CHANGES, COMMENTS
from bench.search import PLANTED, stock
from db.embedded import EmbeddedServer
from db.settings import libpq_url
from db.setup.bootstrap import ensure_database, initialise

_DATABASE, _PASSWORD = "bench_page", "for-this-run-only"
_ROOT = Path(__file__).parent.parent


def run(home: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Store, serve, look."""
    with EmbeddedServer(home) as address:
        admin_url = address.superuser_url(_DATABASE)
        ensure_database(address.superuser_url(), _DATABASE)
        initialise(admin_url, app_password=_PASSWORD, first_admin="root")  # the functions as they are now
        if not (home / "stocked").exists():
            with psycopg.connect(libpq_url(admin_url), autocommit=True) as administrator:
                stock(administrator, options.issues, options.users)
            (home / "stocked").touch()
        if not (home / "lived").exists():
            with psycopg.connect(libpq_url(admin_url), autocommit=True) as administrator:
                _live(administrator)
            (home / "lived").touch()
        app_url = make_url(admin_url).set(username="ims_app", password=_PASSWORD)
        with _served(home, app_url.render_as_string(hide_password=False)) as browser:
            told = _looked(browser, options)
            with psycopg.connect(libpq_url(admin_url), autocommit=True) as administrator:
                figures = _figures(browser, administrator, options.pages)
            return {"issues": options.issues, "users": options.users, **told, **figures}


def _live(administrator: psycopg.Connection) -> None:
    """Give every issue its changes and a comment."""
    administrator.execute(
        "SET session_replication_role = replica"
    )  # no foreign keys: what is made here agrees
    for statement in (CHANGES, COMMENTS):
        administrator.execute(statement.encode(), {"after": 0})
    administrator.execute("VACUUM ANALYZE ims.issue_history, ims.issue_comments")
    administrator.execute("CHECKPOINT")


def _figures(browser: httpx.Client, administrator: psycopg.Connection, pages: int) -> dict[str, Any]:
    """Of days that nobody asked for yet; then of the same days again."""
    firsts: list[float] = []
    wholes: list[float] = []
    kept: list[float] = []
    after: list[float] = []
    for days in range(30, 40):
        began = time.perf_counter()
        with browser.stream("GET", "/figures", params={"days": days}) as answer:
            answer.raise_for_status()
            pieces = answer.iter_raw()
            next(pieces)
            firsts.append((time.perf_counter() - began) * 1000)
            for _ in pieces:
                pass
        wholes.append((time.perf_counter() - began) * 1000)
    for times, stores in ((kept, False), (after, True)):
        for _ in range(pages):
            if stores:
                administrator.execute("SELECT pg_current_xact_id()")
            began = time.perf_counter()
            browser.get("/figures", params={"days": 39}).raise_for_status()
            times.append((time.perf_counter() - began) * 1000)
    return {
        "figures, first byte of new ones": _told(firsts),
        "figures, last byte of new ones": _told(wholes),
        "figures, kept": _told(kept),
        "figures, kept, after something was stored": _told(after),
    }


def _looked(browser: httpx.Client, options: argparse.Namespace) -> dict[str, Any]:
    chance = random.Random(17)  # noqa: S311 - no secret
    own = [str(n) for n in range(0, options.issues, options.users)]  # of user1
    kinds: dict[str, list[tuple[str, dict[str, str]]]] = {"start": [("/", {})]}
    for every, terms in PLANTED.items():
        kinds[f"search 1:{every}"] = [("/", {"q": asked}) for asked in terms.values()]
    kinds["search, filtered"] = [("/", {"q": "'okapi was'", "updated": "2025-01-01..2025-12-31"})]
    kinds["issue"] = [("/issue", {"id": chance.choice(own)}) for _ in range(options.pages)]
    kinds["issue as of"] = [("/issue", {"id": chance.choice(own), "at": "30d"}) for _ in range(options.pages)]
    kinds["sessions"] = [("/sessions", {})]
    told = {}
    for kind, pages in kinds.items():
        for path, asked in pages[:4]:
            browser.get(path, params=asked)
        times = []
        for number in range(options.pages):
            path, asked = pages[number % len(pages)]
            began = time.perf_counter()
            answer = browser.get(path, params=asked)
            times.append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
        told[kind] = _told(times)
    return told


def _told(times: list[float]) -> dict[str, float]:
    return {
        "p50": round(statistics.median(times), 1),
        "p95": round(sorted(times)[int(len(times) * 0.95)], 1),
    }


@contextmanager
def _served(home: Path, url: str) -> Iterator[httpx.Client]:
    environment = {**os.environ, "IMS_HOME": str(home / "page"), "IMS_USER": "user1", "DATABASE_URL": url}
    command = [sys.executable, str(_ROOT / "run_crawl.py"), "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            with httpx.Client(base_url=address.partition("enter?")[0], timeout=120) as browser:
                browser.get(address)
                yield browser
        finally:
            process.terminate()


def main() -> None:
    """Run it and print what was found as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--issues", type=int, default=20_000, help="of all users together")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--pages", type=int, default=200, help="of each kind")
    parser.add_argument("--home", type=Path, help="a folder to keep what was stored in, for further runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        print(json.dumps(run(home, options), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
