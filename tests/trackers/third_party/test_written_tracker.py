"""The tracker of docs/write-a-tracker.md: its blocks are installed, pass the suite, and crawl a server."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from crawler.source import Connection
from crawler.sources import find_kind
from tests.fixtures.shell import Shell
from tests.trackers.suite import SourceSuite, Tracker

PAGE = (Path(__file__).parents[3] / "docs" / "write-a-tracker.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"^`(shelf/\w+\.py)`:\n\n```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
TOKEN = "right-token"
PROJECTS = ("Tibero", "OpenFrame")
STATUSES = ("open", "doing", "closed", "waiting for legal")


def _issue(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "title": f"접속 오류 {number}" if number % 2 else f"Zebra crash {number}",
        "text": "ORA-01555\nsecond line",
        "project": PROJECTS[number % 2],
        "status": STATUSES[number % 4],
        "author": "kim",
        "created": "2026-01-05T10:00:00+09:00",
        "updated": f"2026-02-{number:02}T10:00:00Z",
        "mood": {"calm": True},
        "comments": [{"id": "a", "author": None, "text": "한국어", "at": "2026-01-06T00:00:00Z"}],
        "changes": [{"id": 5, "author": "lee", "at": None, "field": "status", "old": None, "new": "open"}],
        "files": [{"id": 9, "name": "a.log", "bytes": 4, "url": "/files/9"}],
    }


ISSUES = {number: _issue(number) for number in range(1, 8)}


class _Shelf(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if self.headers["X-Token"] != TOKEN:
            self._answer(401, b"{}")
        elif path == "/api/me":
            self._answer(200, b'{"name": "kim"}')
        elif path == "/api/projects":
            self._answer(200, json.dumps({"projects": PROJECTS}).encode())
        elif path == "/api/issues":
            wanted = [one for one in ISSUES.values() if one["project"] in query.get("project", PROJECTS)]
            wanted = [one for one in wanted if one["updated"] >= query.get("updated_from", [""])[0]]
            rest = [one for one in wanted if one["id"] > int(query["after"][0])][: int(query["size"][0])]
            listed = [{"id": one["id"], "updated": one["updated"]} for one in rest]
            self._answer(200, json.dumps({"issues": listed, "total": len(wanted)}).encode())
        elif path == "/files/9":
            self._answer(200, b"log\n")
        elif (number := path.rpartition("/")[2]).isdecimal() and int(number) in ISSUES:
            self._answer(200, json.dumps(ISSUES[int(number)]).encode())
        else:
            self._answer(404, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def shelf() -> Iterator[str]:
    """The address of a Shelf."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Shelf) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page's package, installed."""
    assert set(BLOCKS) == {"shelf/__init__.py", "shelf/source.py", "shelf/parse.py"}
    site = tmp_path / "site"
    for name, code in BLOCKS.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(code)
    about = site / "shelf-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf\nVersion: 1.0\n")
    entry = re.search(r'^\[project\.entry-points\."(.+?)"\]\nshelf = "(.+?)"$', PAGE, re.MULTILINE)
    assert entry is not None
    (about / "entry_points.txt").write_text(f"[{entry[1]}]\nshelf = {entry[2]}\n")
    monkeypatch.syspath_prepend(str(site))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "shelf"]:
        del sys.modules[name]


class TestShelf(SourceSuite):
    """Shelf by its API."""

    @pytest.fixture
    def tracker(self, shelf: str) -> Tracker:
        return Tracker(
            kind=find_kind("shelf"),
            connection=Connection(base_url=shelf, password=TOKEN),
            issues=frozenset(map(str, ISSUES)),
            missing="99",
            product="Tibero",
            product_issues=frozenset(str(number) for number in ISSUES if number % 2 == 0),
            word="Zebra",
            word_issues=frozenset(str(number) for number in ISSUES if number % 2 == 0),
        )


def test_it_is_added_crawled_searched_and_shown(
    shell: Shell, shelf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMS_TRACKER_PASSWORD", TOKEN)
    done = shell("crawl", "*", "--kind", "shelf", "--url", shelf, "--json")
    assert done.status == 0, done.err
    assert done.document["issues_new"] == len(ISSUES)
    again = shell("crawl", "*", "--kind", "shelf", "--url", shelf, "--json")
    assert again.document["issues_unchanged"] == len(ISSUES)
    hits = shell("search", "zebra", "--json").document
    assert {hit["issue_id"] for hit in hits} == {"2", "4", "6"}
    shown = shell("show", "3", "--json").document
    assert (shown["status"], shown["state"]) == ("waiting for legal", "unknown")
    assert shown["comments"][0]["content"] == "한국어"
    assert shown["history"][0]["new_value"] == "open"
    assert shown["full_data"]["mood"] == {"calm": True}
    wrong = shell("crawl", "*", "--kind", "shelf", "--url", f"{shelf}/elsewhere", "--json")
    assert wrong.status == 5
