"""How long an archive takes (``export --site``), and a first search in it, with nothing loaded yet.

The stock is that of ``bench.search``, of two users, of whom one's issues are exported. For each question
Chromium opens the archive's start page anew from its file; told is what the page itself counts from the
question to the list of hits, and how large the index is.

Run as ``python -m bench.site [--issues N] [--rounds N]``; Chromium is looked for as by the tests.
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
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from bench.search import PLANTED, stock
from db.embedded import EmbeddedServer
from db.settings import libpq_url
from db.setup.bootstrap import ensure_database, initialise

_DATABASE, _PASSWORD = "bench_site", "for-this-run-only"
_ROOT = Path(__file__).parent.parent


def run(home: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Store, export, search."""
    with EmbeddedServer(home) as address:
        admin_url = address.superuser_url(_DATABASE)
        ensure_database(address.superuser_url(), _DATABASE)
        initialise(admin_url, app_password=_PASSWORD, first_admin="root")
        with psycopg.connect(libpq_url(admin_url), autocommit=True) as administrator:
            stock(administrator, 2 * options.issues, 2)
        app_url = make_url(admin_url).set(username="ims_app", password=_PASSWORD)
        folder = home / "site"
        command = [sys.executable, str(_ROOT / "run_crawl.py"), "export", "--site", str(folder), "--json"]
        told = {"IMS_USER": "user1", "DATABASE_URL": app_url.render_as_string(hide_password=False)}
        began = time.perf_counter()
        subprocess.run(command, env={**os.environ, "IMS_HOME": str(home / "page"), **told}, check=True)
        seconds = time.perf_counter() - began
    sizes = [path.stat().st_size for path in (folder / "site").rglob("*.js")]
    return {
        "issues": options.issues,
        "seconds": round(seconds, 1),
        "index_bytes": sum(sizes),
        "largest_chunk": max(sizes),
        "first_search_milliseconds": searched(folder, options.rounds),
    }


def searched(folder: Path, rounds: int) -> dict[str, float]:
    """Ask each planted question of a page that has loaded nothing."""
    from tests.fixtures.browser import chromium
    from tests.fixtures.devtools import opened_tab

    times = []
    questions = [asked for terms in PLANTED.values() for asked in terms.values()]
    with tempfile.TemporaryDirectory() as profile, opened_tab(chromium(), Path(profile)) as tab:
        for question in questions * rounds:
            tab.open("about:blank")
            tab.open((folder / "index.html").as_uri())
            tab.run("document.getElementById('q').focus()")
            tab.write(question)
            tab.press("Enter")
            while (taken := tab.run("document.getElementById('found').dataset.milliseconds")) is None:
                time.sleep(0.02)
            times.append(float(taken))
    return {"p50": round(statistics.median(times), 1), "worst": round(max(times), 1)}


def main() -> None:
    """Run it and print what was found as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--issues", type=int, default=10_000, help="in the archive")
    parser.add_argument("--rounds", type=int, default=2, help="of all questions")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(run(Path(folder), options), indent=2))


if __name__ == "__main__":
    main()
