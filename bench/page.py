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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from sqlalchemy import make_url

from bench.analytics import CHANGES, COMMENTS
from bench.crawl import server_cpu
from bench.search import PLANTED, stock
from db.embedded import EmbeddedServer
from db.settings import libpq_url
from db.setup.bootstrap import ensure_database, initialise

Page = tuple[str, dict[str, str]]
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
        with _served(home, app_url.render_as_string(hide_password=False)) as visitor:
            told = _looked(visitor, options)
            with psycopg.connect(libpq_url(admin_url), autocommit=True) as administrator:
                figures = _figures(visitor, administrator, options.pages)
            return {"issues": options.issues, "users": options.users, **told, **figures}


def _live(administrator: psycopg.Connection) -> None:
    """Give every issue its changes and a comment."""
    # No foreign keys: what is made here agrees.
    administrator.execute("SET session_replication_role = replica")
    for statement in (CHANGES, COMMENTS):
        administrator.execute(statement.encode(), {"after": 0})
    administrator.execute("VACUUM ANALYZE ims.issue_history, ims.issue_comments")
    administrator.execute("CHECKPOINT")


@dataclass(frozen=True, slots=True)
class _Visitor:
    """Who asks, and what that costs."""

    browser: httpx.Client
    pid: int  # of the page's process
    home: Path  # of the database

    def timed(self, pages: Sequence[Page], between: Callable[[], object] = bool) -> dict[str, float]:
        """Ask for pages: milliseconds on the wall, and of processor, here the page's and the database's."""
        times = []
        before = self._processor()
        for path, asked in pages:
            between()
            began = time.perf_counter()
            self.browser.get(path, params=asked).raise_for_status()
            times.append((time.perf_counter() - began) * 1000)
        processor = (self._processor() - before) * 1000 / len(times)
        return {**_told(times), "processor": round(processor, 1)}

    def _processor(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        own = sum(int(field) for field in fields[11:13]) / os.sysconf("SC_CLK_TCK")
        return own + server_cpu(self.home)


def _figures(visitor: _Visitor, administrator: psycopg.Connection, pages: int) -> dict[str, Any]:
    """Of days that nobody asked for yet; then of the same days again."""
    firsts: list[float] = []
    wholes: list[float] = []
    for days in range(31, 38):
        began = time.perf_counter()
        with visitor.browser.stream("GET", "/figures", params={"days": days}) as answer:
            answer.raise_for_status()
            pieces = answer.iter_raw()
            next(pieces)
            firsts.append((time.perf_counter() - began) * 1000)
            for _ in pieces:
                pass
        wholes.append((time.perf_counter() - began) * 1000)
    kept: list[Page] = [("/figures", {"days": "37"})] * pages

    def store() -> None:
        administrator.execute("SELECT pg_current_xact_id()")

    return {
        "figures, first byte of new ones": _told(firsts),
        "figures, last byte of new ones": _told(wholes),
        "figures, kept": visitor.timed(kept),
        "figures, kept, others store": visitor.timed(kept, store),
    }


def _looked(visitor: _Visitor, options: argparse.Namespace) -> dict[str, Any]:
    chance = random.Random(17)  # noqa: S311 - no secret
    own = [str(n) for n in range(0, options.issues, options.users)]  # of user1
    kinds: dict[str, list[Page]] = {"start": [("/", {})]}
    for every, terms in PLANTED.items():
        kinds[f"search 1:{every}"] = [("/", {"q": asked}) for asked in terms.values()]
    kinds["search, filtered"] = [("/", {"q": "'okapi was'", "updated": "2025-01-01..2025-12-31"})]
    kinds["issue"] = [("/issue", {"id": chance.choice(own)}) for _ in range(options.pages)]
    kinds["issue as of"] = [("/issue", {"id": chance.choice(own), "at": "30d"}) for _ in range(options.pages)]
    kinds["sessions"] = [("/sessions", {})]
    visitor.timed([("/figures", {})])  # which are counted since somebody has entered
    told = {}
    for kind, pages in kinds.items():
        visitor.timed(pages[:4])
        told[kind] = visitor.timed([pages[number % len(pages)] for number in range(options.pages)])
    return told


def _told(times: list[float]) -> dict[str, float]:
    return {
        "p50": round(statistics.median(times), 1),
        "p95": round(sorted(times)[int(len(times) * 0.95)], 1),
    }


@contextmanager
def _served(home: Path, url: str) -> Iterator[_Visitor]:
    environment = {**os.environ, "IMS_HOME": str(home / "page"), "IMS_USER": "user1", "DATABASE_URL": url}
    command = [sys.executable, str(_ROOT / "run_crawl.py"), "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            with httpx.Client(base_url=address.partition("enter?")[0], timeout=120) as browser:
                browser.get(address)
                yield _Visitor(browser, process.pid, home)
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
