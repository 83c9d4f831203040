"""Figures in the shell: the dashboard, the page for a meeting, tables for other programs."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pytest

from tests.fixtures.analytics import Desk
from tests.fixtures.browser import Browser
from tests.fixtures.schema import BOB
from tests.fixtures.shell import Shell

pytestmark = pytest.mark.xdist_group("shell")

HOSTILE = '=HYPERLINK("x") <script>alert(1)</script> & \'" \x1b[2J\u202etxt'


@pytest.fixture
def filled(shell: Shell) -> Shell:
    """Three issues of alice's, one closed; a session, a question; an issue of bob's."""
    desk = Desk(shell.database)
    now = datetime.now(UTC)

    def ago(days: float) -> str:
        return (now - timedelta(days=days)).isoformat()

    known = {"registered_date": ago(3), "state": "open", "status": "New", "product": "Tibero"}
    first = desk.issue(
        "1",
        **{**known, "title": HOSTILE, "module": "net", "url": "http://localhost/1"},
        full_data='{"Site": "서울"}',
    )
    closed = {"registered_date": ago(9), "closed_date": ago(2), "state": "done", "status": "Closed"}
    desk.issue(
        "2",
        changes=[(ago(2), "Status", "New", "Closed")],
        **{**closed, "title": "접속 오류", "product": "JEUS", "url": "javascript:alert(1)"},
    )
    aged = {"registered_date": ago(400), "url": "javascript:alert(2)"}
    desk.issue("3", **{**known, **aged, "title": "接続エラー"})
    desk.issue("9", title="bob's secret", product="Secret", registered_date=ago(1), user_id=BOB)
    desk.session(ago(1), issues=[first], duration_seconds=12)
    desk.session(ago(2), status="failed", duration_seconds=2)
    desk.write("INSERT INTO ims.search_queries (original_query) VALUES ('+crash'), ('+crash'), ('=cmd')")
    desk.write(
        "INSERT INTO ims.issue_comments (issue_pk, author, content, comment_number)"
        " VALUES (%s, 'Lee', '@me', 1)",
        first,
    )
    return shell


def test_stats_as_json(filled: Shell) -> None:
    document = filled("stats", "--days", "7", "--json").document
    assert set(document) == {"sessions", "issues", "products", "top_queries", "flow"}
    sessions = document["sessions"]
    assert (sessions["total"], sessions["completed"], sessions["failed"]) == (2, 1, 1)
    assert (sessions["success_rate"], sessions["avg_duration_seconds"]) == (0.5, 7)
    assert document["issues"] == {
        "total": 3,
        "open": 2,
        "closed": 1,
        "unplaced": 0,
        "new": 3,
        "changed": 0,
    }
    assert document["products"] == [
        {"product": "Tibero", "issues": 2, "open": 2},
        {"product": "JEUS", "issues": 1, "open": 0},
    ]
    assert document["top_queries"] == [{"query": "+crash", "count": 2}, {"query": "=cmd", "count": 1}]
    flow = document["flow"]
    assert len(flow) == 8  # the day seven days ago is not whole
    assert (sum(row["created"] for row in flow), sum(row["closed"] for row in flow)) == (1, 1)
    assert flow[-1]["open_at_end"] == 2


def test_figures_say_how_many_issues_nobody_could_place(filled: Shell) -> None:
    assert "unplaced" not in filled("stats").out
    assert "nobody could place" not in filled("report", "-o", "-").out
    desk = Desk(filled.database)
    desk.write("UPDATE ims.issues SET status = '조치완료', state = 'unknown' WHERE state = 'done'")
    assert filled("stats", "--json").document["issues"]["unplaced"] == 1
    assert "unplaced" in filled("stats").out
    assert "nobody could place (counted as open): 1." in filled("report", "-o", "-").out


def test_stats_for_people(filled: Shell) -> None:
    shown = filled("stats")
    assert shown.status == 0
    for text in ("Sessions of 30 days", "50%", "Tibero", "2 / 2", "+crash", "█", "Flow from"):
        assert text in shown.out
    empty = filled("stats", user="bob")
    assert empty.status == 0
    assert "Tibero" not in empty.out


def test_stats_of_years_come_in_fewer_buckets(filled: Shell) -> None:
    assert len(filled("stats", "--days", "3650", "--json").document["flow"]) < 130
    assert filled("stats", "--days", "0").status == 2


class Page(HTMLParser):
    """What is on a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str | None] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    ("lang", "word"), [("en", "Newest open issues"), ("ko", "최근 미해결 이슈"), ("ja", "新しい未完了課題")]
)
def test_the_report_is_one_page_without_script_on_which_titles_are_texts(
    filled: Shell, lang: str, word: str
) -> None:
    path = filled.home / "report.html"
    done = filled("report", "--lang", lang, "-o", str(path), "--since", "2020-01-01")
    assert done.status == 0, done.err
    assert path.stat().st_mode & 0o777 == 0o600
    raw = path.read_text("utf-8")
    page = Page(raw)
    assert word in page.text
    assert "<script>alert(1)</script> & '\" [2Jtxt" in page.text
    assert "接続エラー" in page.text
    assert "secret" not in raw.lower()
    assert "script" not in page.tags
    assert not {name for name in page.attributes if name.startswith("on") or name == "style"}
    assert page.links == ["http://localhost/1"] * 2  # nothing is loaded, and no other kind of address
    assert "default-src 'none'" in raw
    assert "\x1b" not in raw
    assert "\u202e" not in raw
    assert "{" not in re.sub(r"<style>.*?</style>", "", raw, flags=re.DOTALL)  # no word was left unfilled


def test_every_language_of_the_report_has_every_word() -> None:
    from pipeline.reports.html.page import LANGUAGES, words_of

    english = words_of("en")
    for language in LANGUAGES:
        words = words_of(language)
        assert set(words) == set(english), language
        for name, text in words.items():
            assert re.findall(r"{\w+}", text) == re.findall(r"{\w+}", english[name]), (language, name)


def test_a_report_of_one_product_and_one_of_nothing(filled: Shell) -> None:
    path = filled.home / "report.html"
    assert filled("report", "--product", "JEUS", "-o", str(path)).status == 0
    text = Page(path.read_text("utf-8")).text
    assert "JEUS" in text
    assert "接続エラー" not in text
    assert filled("report", "--product", "Nothing", "-o", str(path)).status == 0
    refused = filled("report", "-o", str(path), "--since", "2999-01-01")
    assert refused.status == 2
    refused.sentence()
    refused = filled("report", "-o", str(filled.home / "absent" / "report.html"))
    assert (refused.status, "cannot be written" in refused.sentence()) == (2, True)
    assert filled("report", "-o", str(path), "--lang", "xx").status == 2


def test_export_as_csv(filled: Shell) -> None:
    done = filled("export", "issues", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["issue_id"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["title"].startswith("'=HYPERLINK")
    assert "\x1b" not in done.out
    assert json.loads(rows[0]["full_data"]) == {"Site": "서울"}
    assert datetime.fromisoformat(rows[0]["registered_date"]).tzinfo is not None
    raw = csv.DictReader(io.StringIO(filled("export", "issues", "--raw").out))
    assert next(raw)["title"].startswith("=HYPERLINK")
    comments = list(csv.DictReader(io.StringIO(filled("export", "comments").out)))
    assert [(row["issue_id"], row["content"]) for row in comments] == [("1", "'@me")]
    history = list(csv.DictReader(io.StringIO(filled("export", "history").out)))
    assert [(row["issue_id"], row["old_value"], row["new_value"]) for row in history] == [
        ("2", "New", "Closed")
    ]


def test_export_as_jsonl(filled: Shell) -> None:
    path = filled.home / "issues.jsonl"
    done = filled("export", "issues", "--format", "jsonl", "-o", str(path), "--json")
    assert done.document == {"file": str(path), "rows": 3}
    assert path.stat().st_mode & 0o777 == 0o600
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert rows[0]["title"] == HOSTILE
    assert rows[0]["full_data"] == {"Site": "서울"}
    assert [row["issue_id"] for row in rows] == ["1", "2", "3"]
    printed = filled("export", "issues", "--format", "jsonl").out
    assert [json.loads(line) for line in printed.splitlines()] == rows
    assert "\x1b" not in printed


def test_export_as_parquet(filled: Shell) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    path = filled.home / "issues.parquet"
    assert filled("export", "issues", "--format", "parquet", "-o", str(path)).status == 0
    table = parquet.read_table(path)
    assert table["issue_id"].to_pylist() == ["1", "2", "3"]
    assert table["title"].to_pylist()[0] == HOSTILE
    assert table["registered_date"].to_pylist()[0].tzinfo is not None
    assert json.loads(table["full_data"].to_pylist()[0]) == {"Site": "서울"}
    path = filled.home / "history.parquet"
    assert filled("export", "history", "--format", "parquet", "-o", str(path), user="bob").status == 0
    assert parquet.read_table(path).num_rows == 0


def test_export_and_search_as_a_workbook(filled: Shell) -> None:
    path = filled.home / "issues.xlsx"
    done = filled("export", "issues", "--excel", str(path), "--json")
    assert done.document == {"file": str(path), "rows": 3}
    assert path.stat().st_mode & 0o777 == 0o600
    headers, *rows = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
    issue = dict(zip(headers, rows[0], strict=True))
    assert (issue["issue_id"], issue["title"]) == ("1", HOSTILE.replace("\x1b", "_x001B_"))
    assert isinstance(issue["registered_date (UTC)"], datetime)
    hits = filled.home / "hits.xlsx"
    assert filled("search", "hyperlink", "--excel", str(hits)).status == 0
    headers, *rows = openpyxl.load_workbook(hits).active.iter_rows(values_only=True)
    assert [row[0] for row in rows] == ["1"]
    assert filled("search", "hyperlink", "--excel", str(hits), "--csv").status == 2
    assert filled("export", "issues", "--excel", "/absent/x.xlsx").status == 2


def test_parquet_without_its_library_is_refused_in_a_sentence(
    filled: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    path = filled.home / "issues.parquet"
    done = filled("export", "issues", "--format", "parquet", "-o", str(path))
    assert (done.status, "[parquet]" in done.sentence()) == (2, True)
    assert list(filled.home.glob("issues.parquet*")) == []


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("issues", "--warc", "x.warc"),
        ("trackers",),
        ("issues", "--format", "xml"),
        ("issues", "--format", "parquet"),
        ("issues", "--json"),
        ("issues", "--tracker", "nobody's"),
        ("issues", "-o", "/absent/issues.csv"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_sentence(filled: Shell, arguments: tuple[str, ...]) -> None:
    done = filled("export", *arguments)
    assert done.status == 2
    done.sentence()


def test_an_export_goes_by_portions(filled: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.reports.export.PORTION", 2)
    path = Path(filled.home / "issues.csv")
    assert filled("export", "issues", "-o", str(path)).status == 0
    assert len(list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))) == 3


BLUE, RED = (0x1B, 0x5E, 0x9E), (0xB3, 0x26, 0x1E)


def test_a_real_browser_shows_the_report_with_its_charts_and_runs_nothing(
    filled: Shell, browser: Browser
) -> None:
    Desk(filled.database).issue(
        "<img src=x onerror=document.title='owned'>",
        title="</td></table></svg><script>document.title='owned'</script><style>*{display:none}</style>",
        product="</text></svg><script>document.title='owned'</script>",
        registered_date=datetime.now(UTC).isoformat(),
    )
    path = filled.home / "report.html"
    assert filled("report", "--lang", "ko", "-o", str(path)).status == 0
    seen = browser.look(path)
    assert "owned" not in re.findall(r"<title>(.*?)</title>", seen.document)[0]
    assert "<script" not in seen.document
    assert "Refused" not in seen.messages  # the page's own style is what its policy allows
    assert "violates" not in seen.messages
    # Bars in blue and the line in red are there: the style sheet holds, and so do the shapes.
    assert seen.colours[BLUE] > 2000
    assert seen.colours[RED] > 100
    assert seen.colours[(255, 255, 255)] < 0.99 * seen.colours.total()
    assert browser.print(path).startswith(b"%PDF-")
