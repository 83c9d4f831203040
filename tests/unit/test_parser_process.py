"""The process that reads pages: a hostile page costs itself only, and a third party's source is found."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import pytest

from crawler.errors import NotFound, PageRejected, UsageError
from crawler.source import Connection, RawPage
from crawler.sources import find_kind, kind_names
from pipeline.stages import parser_child
from pipeline.stages.parser_process import Parser, reader_command

# A source as a third party would bring it, whose pages say what shall happen to their reader.
_SOURCE = """
import os, signal, time
from crawler.errors import NotFound
from crawler.records import IssueRecord
from crawler.source import Kind

class OddParser:
    def __init__(self, connection):
        self.connection = connection
    def parse(self, pages):
        word = pages[0].body.decode()
        if word == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "hang":
            time.sleep(600)
        if word == "defect":
            raise ZeroDivisionError("the parser's own")
        if word == "missing":
            raise NotFound("There is no such issue.")
        if word == "print":
            print("chatter on standard output")
        if word == "environment":
            return IssueRecord(issue_id=",".join(sorted(os.environ)), title=repr(self.connection))
        return IssueRecord(issue_id=word, title=str(os.getpid()))

KIND = Kind(name="odd", title="Odd", open_source=None, open_parser=OddParser)
"""


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """An installed third party's kind of tracker."""
    (tmp_path / "odd_source.py").write_text(_SOURCE)
    described = tmp_path / "odd-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text("[ims_crawler.sources]\nodd = odd_source:KIND\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return Connection(base_url="http://127.0.0.1:1", username="kim", password="canary-4711")


def _page(word: str) -> tuple[RawPage, ...]:
    return (RawPage(url="http://127.0.0.1:1/x", body=word.encode()),)


@pytest.mark.usefixtures("odd")
def test_a_third_partys_kind_is_found_by_its_entry_point() -> None:
    assert {"ims", "trac", "odd"} <= set(kind_names())
    assert find_kind("odd").title == "Odd"
    with pytest.raises(UsageError, match="odd"):
        find_kind("nonesuch")


async def test_records_come_back_in_the_order_of_their_pages(odd: Connection) -> None:
    async with Parser("odd", odd) as parser:
        records = await asyncio.gather(*(parser.parse(_page(str(n))) for n in range(50)))
    assert [record.issue_id for record in records] == [str(n) for n in range(50)]
    assert {record.title for record in records} != {str(os.getpid())}


@pytest.mark.parametrize("word", ["crash", "hang"])
async def test_a_page_that_kills_its_reader_is_rejected_and_the_others_are_read(
    odd: Connection, word: str
) -> None:
    async with Parser("odd", odd, seconds=2) as parser:
        words = ["1", "2", word, "3", "4"]
        answers = await asyncio.gather(*(parser.parse(_page(w)) for w in words), return_exceptions=True)
        assert isinstance(answers[2], PageRejected)
        assert [getattr(answer, "issue_id", None) for answer in answers] == ["1", "2", None, "3", "4"]
        assert (await parser.parse(_page("5"))).issue_id == "5"


async def test_a_defect_of_the_parser_is_a_rejected_page_and_its_own_errors_stay_what_they_are(
    odd: Connection,
) -> None:
    async with Parser("odd", odd) as parser:
        with pytest.raises(PageRejected, match="ZeroDivisionError"):
            await parser.parse(_page("defect"))
        with pytest.raises(NotFound):
            await parser.parse(_page("missing"))
        assert (await parser.parse(_page("print"))).issue_id == "print"


async def test_readers_that_only_die_are_given_up(odd: Connection, tmp_path: Path) -> None:
    async with Parser("odd", odd) as parser:
        pages = [parser.parse(_page("crash")) for _ in range(5)]
        answers = await asyncio.gather(*pages, return_exceptions=True)
    kinds_of_answers = [type(answer).__name__ for answer in answers]
    assert kinds_of_answers[:2] == ["PageRejected", "PageRejected"]
    assert kinds_of_answers[2:] == ["RuntimeError"] * 3


async def test_the_reader_knows_no_secret_and_ends_with_its_parent(
    odd: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMS_TRACKER_PASSWORD", "canary-4711")
    monkeypatch.setenv("DATABASE_URL", "canary-4711")
    async with Parser("odd", odd) as parser:
        record = await parser.parse(_page("environment"))
        pid = int((await parser.parse(_page("1"))).title)
    assert "IMS_TRACKER_PASSWORD" not in record.issue_id
    assert "DATABASE_URL" not in record.issue_id
    assert "canary" not in record.title
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("length", [1, 4, 20], ids=["in the head", "after the head", "in the body"])
def test_a_reader_whose_parent_was_killed_ends_without_a_word(odd: Connection, length: int) -> None:
    begun = parser_child.frame(("odd", odd)) + parser_child.frame(_page("1"))[:length]
    ended = subprocess.run(reader_command(), input=begun, capture_output=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_a_reader_that_nobody_listens_to_ends_without_a_word(odd: Connection) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(reader_command(), **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(parser_child.frame(("odd", odd)) + parser_child.frame(_page("1")))
        process.stdin.close()
        assert process.wait(30) == 0
        assert process.stderr.read() == b""
