"""The process that meets a tracker: whatever a page does to it costs that page only, and nobody else."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import structlog

from crawler.errors import (
    CrawlError,
    FileTooLarge,
    ItemError,
    LoginRefused,
    NotFound,
    PageCut,
    PageRejected,
    TrackerError,
)
from crawler.kept_page import pack, unpack
from crawler.process.isolation import landlock_version
from crawler.query import Tree
from crawler.records import AttachmentRecord
from crawler.source import RawPage, Reference
from pipeline.trackers.connect import Tracker
from pipeline.trackers.process import FetchedIssue, Outcome, SameIssue, TrackerProcess, _judged
from tests.fixtures import odd_kind
from tests.fixtures.taken import Taken

DEADLY = ["crash", "fault", "exit", "hang", "regex", "lie", "huge", "flood", "twice"]
SOON = 1.0  # seconds that a page may take here

Install = Callable[..., Tracker]


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs the odd kind with a plan, and gives a tracker of it."""

    def install(**plan: object) -> Tracker:
        shutil.copy(odd_kind.__file__, tmp_path / "the_odd_kind.py")
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        described = tmp_path / "odd-1.0.dist-info"
        described.mkdir()
        (described / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
        (described / "entry_points.txt").write_text("[ims_crawler.sources]\nodd = the_odd_kind:KIND\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "the_odd_kind", raising=False)
        return Tracker(
            tracker_id=1,
            name="odd",
            kind="odd",
            base_url="http://127.0.0.1:1",
            username="kim",
            password="canary-4711",
            concurrency=3,
        )

    return install


def _references(*numbers: str) -> list[Reference]:
    return [Reference(issue_id=number) for number in numbers]


def _told(outcomes: list[Outcome]) -> list[str]:
    return [
        each.record.issue_id if isinstance(each, FetchedIssue) else type(each).__name__ for each in outcomes
    ]


async def test_issues_come_in_order_with_their_pages_from_a_process_that_is_not_ours(
    odd: Install,
) -> None:
    async with TrackerProcess(odd()) as process:
        outcomes = await process.fetch(_references("wait 0.2", *map(str, range(50))))
    assert _told(outcomes) == ["wait 0.2", *map(str, range(50))]
    assert {each.record.title for each in outcomes if isinstance(each, FetchedIssue)} != {str(os.getpid())}
    assert isinstance(outcomes[7], FetchedIssue)
    (page,) = outcomes[7].pages
    assert (unpack(page.body, page.size), page.url) == (b"6", "http://127.0.0.1:1/x")
    assert process.stats.requests == 51


async def test_pages_that_are_kept_are_not_parsed(odd: Install) -> None:
    kept = {"issue": sha256(b"7").digest()}
    references = [Reference(issue_id=number, kept=kept) for number in ("7", "8")]
    async with TrackerProcess(odd()) as process:
        same, other = await process.fetch(references)
    assert isinstance(same, SameIssue)
    assert isinstance(other, FetchedIssue)


def test_a_process_cannot_call_an_issue_the_same_that_is_not_stored() -> None:
    assert isinstance(_judged(Reference(issue_id="7"), SameIssue(milliseconds=1)), ItemError)


@pytest.mark.parametrize("where", ["parse", "fetch"])
@pytest.mark.parametrize("word", DEADLY)
async def test_a_page_that_ends_its_process_is_rejected_and_the_others_are_read(
    odd: Install, word: str, where: str
) -> None:
    async with TrackerProcess(odd(), seconds=SOON) as process:
        await process.login()
        deadly = word if where == "parse" else f"fetch {word}"
        outcomes = await process.fetch(_references("1", "2", deadly, "3", "4"))
        assert _told(outcomes) == ["1", "2", "PageRejected", "3", "4"]
        assert _told(await process.fetch(_references("5"))) == ["5"]
    assert process.stats.requests >= 5


async def test_the_coordinator_is_free_while_a_page_holds_its_process(odd: Install) -> None:
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.02)
            beats += 1

    async with TrackerProcess(odd(), seconds=SOON) as process:
        beating = asyncio.create_task(beat())
        await process.fetch(_references("regex"))
        beating.cancel()
    assert beats > 0.6 * SOON / 0.02


async def test_many_deadly_pages_end_no_session(odd: Install) -> None:
    async with TrackerProcess(odd()) as process:
        assert _told(await process.fetch(_references(*["crash"] * 5, "1"))) == ["PageRejected"] * 5 + ["1"]


async def test_of_issues_that_come_by_one_request_only_the_deadly_one_is_rejected(odd: Install) -> None:
    async with TrackerProcess(odd(batch=4)) as process:
        outcomes = await process.fetch(_references("1", "2", "fetch crash", "missing", "5", "crash", "7"))
    assert _told(outcomes) == ["1", "2", "PageRejected", "NotFound", "5", "PageRejected", "7"]


@pytest.mark.parametrize("batch", [1, 3])
async def test_a_page_that_was_cut_is_asked_for_once_more(odd: Install, batch: int) -> None:
    async with TrackerProcess(odd(batch=batch, batch_cut=1)) as process:
        outcomes = await process.fetch(_references("1", "cut 1", "cut 2"))
    assert _told(outcomes) == ["1", "cut 0", "PageCut"]
    assert isinstance(outcomes[2], PageCut)
    assert len(outcomes[2].pages) == 1


@pytest.mark.parametrize("limit", [None, 14])
async def test_a_list_that_was_cut_is_asked_for_once_more_from_where_it_was(
    odd: Install, limit: int | None
) -> None:
    async with TrackerProcess(odd(list_cut=1)) as process:
        pages = [page async for page in process.search(None, limit=limit)]
    assert [ref.issue_id for page in pages for ref in page.references] == [
        str(10 * number + n) for number in range(5) for n in range(3)
    ]


async def test_a_list_that_is_cut_twice_ends_the_search(odd: Install) -> None:
    async with TrackerProcess(odd(list_cut=2)) as process:
        pages = process.search(None)
        assert [len((await anext(pages)).references) for _ in range(3)] == [3, 3, 3]
        with pytest.raises(TrackerError, match="no list"):
            await anext(pages)


async def test_an_error_is_what_it_was(odd: Install) -> None:
    async with TrackerProcess(odd()) as process:
        outcomes = await process.fetch(
            _references("missing", "reject", "defect", "fetch defect", "memory", "1")
        )
        assert _told(outcomes) == ["NotFound", *["PageRejected"] * 4, "1"]
        sentences = [str(each) for each in outcomes[:5]]
        assert sentences[:2] == ["There is no such issue.", "Not to be read."]
        assert ["ZeroDivisionError" in each for each in sentences] == [False, False, True, True, False]
        assert isinstance(outcomes[1], PageRejected)
        (page,) = outcomes[1].pages
        assert unpack(page.body, page.size) == b"reject"
        with pytest.raises(LoginRefused, match="shut out"):
            await process.fetch(_references("2", "fetch out", "3"))


async def test_text_that_is_none_and_numbers_without_end_come_as_what_can_be_told(odd: Install) -> None:
    async with TrackerProcess(odd(), seconds=SOON) as process:
        (outcome, *others) = await process.fetch(
            _references("surrogate", "bytes", "object", "mistyped", "bytes", "1")
        )
    assert isinstance(outcome, FetchedIssue)
    assert outcome.record.title == "�"
    assert outcome.record.extra == {"n": str(2**80), "�": [{"a": None}]}
    assert _told(others) == [*["PageRejected"] * 4, "1"]


async def test_what_is_printed_or_read_by_a_source_gets_into_no_frame(odd: Install) -> None:
    async with TrackerProcess(odd()) as process:
        assert _told(await process.fetch(_references("print", "1"))) == ["print", "1"]


async def _listed(process: TrackerProcess, **terms: object) -> list[str]:
    found: list[str] = []
    await _list(process, found, **terms)
    return found


async def _list(process: TrackerProcess, found: list[str], **terms: object) -> None:
    async for page in process.search(Tree(), **terms):  # type: ignore[arg-type] # a test's few
        found += [reference.issue_id for reference in page.references]


ALL = [str(10 * page + n) for page in range(5) for n in range(3)]


async def test_a_search_goes_on_after_the_last_page_when_its_process_dies(odd: Install) -> None:
    async with TrackerProcess(odd(list_crashes=2)) as process:
        assert await _listed(process) == ALL
        assert await _listed(process, cursor="2") == ALL[6:]
        assert await _listed(process, limit=3) == ALL[:3]
        assert not (await process.render(Tree())).exact


@pytest.mark.parametrize("word", ["crash", "regex"])
async def test_a_list_that_kills_again_and_again_is_the_trackers_fault(odd: Install, word: str) -> None:
    found: list[str] = []
    async with TrackerProcess(odd(list=word), seconds=SOON) as process:
        with pytest.raises(TrackerError, match="3 times over the same list"):
            await _list(process, found)
        assert _told(await process.fetch(_references("1"))) == ["1"]
    assert found == ALL[:9]


async def test_a_defect_in_a_list_is_ours(odd: Install) -> None:
    async with TrackerProcess(odd(list="defect")) as process:
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            await _listed(process)


@pytest.mark.parametrize("word", ["crash", "hang"])
async def test_a_login_page_that_kills_again_and_again_is_the_trackers_fault(odd: Install, word: str) -> None:
    async with TrackerProcess(odd(login=word), seconds=SOON) as process:
        with pytest.raises(TrackerError, match="login page"):
            await process.login()
        with pytest.raises(TrackerError, match="login page"):
            await process.fetch(_references("1"))


async def test_a_refused_login_is_never_tried_again(odd: Install) -> None:
    async with TrackerProcess(odd(login="out")) as process:
        for _ in range(2):
            with pytest.raises(LoginRefused):
                await process.login()
        with pytest.raises(LoginRefused):
            await process.fetch(_references("1", "2"))


async def test_processes_that_die_at_their_start_are_given_up(odd: Install) -> None:
    async with TrackerProcess(odd(start="exit")) as process:
        with pytest.raises(RuntimeError, match="stays alive"):
            await process.login()


async def test_a_file_comes_in_bounded_pieces(odd: Install) -> None:
    taken = Taken()
    async with TrackerProcess(odd(), seconds=SOON) as process:
        await process.download(AttachmentRecord(filename="a.log"), taken, limit=2_000_000)
        whole = list(taken.pieces)
        with pytest.raises(ItemError):
            await process.download(AttachmentRecord(filename="crash"), taken, limit=2_000_000)
        with pytest.raises(NotFound):
            await process.download(AttachmentRecord(filename="missing"), taken, limit=2_000_000)
        with pytest.raises(FileTooLarge):
            await process.download(AttachmentRecord(filename="a.log"), taken, limit=1_000_000)
    assert b"".join(whole) == bytes(range(256)) * 4000
    assert taken.pieces == whole
    assert max(map(len, whole)) <= 1 << 18
    assert [head.size for head in taken.heads] == [1_024_000]


async def test_pages_are_read_without_network_credential_or_environment(
    odd: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("IMS_TRACKER_PASSWORD", "DATABASE_URL", "IMS_SECRET_KEY", "PYTHONSTARTUP"):
        monkeypatch.setenv(name, "canary-4711")
    monkeypatch.chdir(tmp_path)
    async with TrackerProcess(odd(), network=False) as process:
        record = await process.parse([pack(RawPage(url="x", body=b"environment"))])
        assert "canary" not in repr(record)
        assert "kim" not in repr(record)
        assert "url" in record.title
        assert (await process.parse([pack(RawPage(url="x", body=b"1"))])).extra == {"folder": os.sep}
        for word, error in (("crash", PageRejected), ("missing", NotFound)):
            with pytest.raises(error):
                await process.parse([pack(RawPage(url="x", body=word.encode()))])
        with pytest.raises((RuntimeError, CrawlError)):
            await process.fetch(_references("1"))


async def test_a_fetch_that_nobody_waits_for_is_given_up(odd: Install) -> None:
    async with TrackerProcess(odd()) as process:
        for _ in range(3):  # as many as the tracker allows at once
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await process.fetch(_references("wait 60"))
        async with asyncio.timeout(5):
            assert _told(await process.fetch(_references("1"))) == ["1"]


@pytest.mark.skipif(landlock_version() == 0, reason="this kernel has no Landlock: docs/security.md says so")
async def test_code_that_ran_in_the_process_would_reach_next_to_nothing(odd: Install, tmp_path: Path) -> None:
    tracker = odd()
    (tmp_path / "secret.key").write_text("canary-4711")
    (tmp_path / "beside.py").write_text("canary-4711")
    with socket.create_server(("127.0.0.1", 0)) as theirs, socket.create_server(("127.0.0.1", 0)) as other:
        tracker = replace(tracker, base_url=f"http://127.0.0.1:{theirs.getsockname()[1]}")
        deeds = {
            f"read {tmp_path}/secret.key": "refused",
            f"read {tmp_path}/beside.py": "refused",
            f"read /proc/{os.getpid()}/environ": "refused",
            f"read /proc/{os.getpid()}/maps": "refused",
            "read /etc/passwd": "refused",
            f"write {tmp_path}/new": "refused",
            f"write {tmp_path}/plan.json": "refused",
            "signal": "refused" if landlock_version() >= 6 else "done",
            f"connect {tracker.base_url}": "done",
            f"connect http://127.0.0.1:{other.getsockname()[1]}": (
                "refused" if landlock_version() >= 4 else "done"
            ),
            "read /etc/hosts": "done",
            f"read {odd_kind.__file__}": "refused",
            f"read {tmp_path}/the_odd_kind.py": "done",
            f"read {structlog.__file__}": "done",
        }
        async with TrackerProcess(tracker) as process:
            outcomes = await process.fetch(_references(*deeds))
        async with TrackerProcess(tracker, network=False) as process:
            record = await process.parse(
                [pack(RawPage(url="x", body=f"connect {tracker.base_url}".encode()))]
            )
    told = [
        each.record.title.partition(":")[0] if isinstance(each, FetchedIssue) else str(each)
        for each in outcomes
    ]
    assert dict(zip(deeds, told, strict=True)) == deeds
    assert record.title.startswith("refused") == (landlock_version() >= 4)


def test_the_programs_own_memory_and_environment_are_hidden() -> None:
    asked = "import ctypes; from crawler.process.isolation import hide_memory; hide_memory();"
    asked += "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == "0"


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").exists() or " Z " not in Path(f"/proc/{pid}/stat").read_text()


def _wait_for_end(pid: int) -> None:
    until = time.monotonic() + 10
    while _is_there(pid):
        assert time.monotonic() < until, f"process {pid} outlives its coordinator"
        time.sleep(0.05)


async def test_the_process_ends_with_its_block(odd: Install) -> None:
    async with TrackerProcess(odd()) as process:
        (outcome,) = await process.fetch(_references("1"))
        assert isinstance(outcome, FetchedIssue)
        pid = int(outcome.record.title)
        hanging = asyncio.create_task(process.fetch(_references("hang")))
        await asyncio.sleep(0.3)
    assert not _is_there(pid)
    hanging.cancel()


_COORDINATOR = """
import asyncio, sys
from crawler.source import Reference
from pipeline.trackers.connect import Tracker
from pipeline.trackers.process import TrackerProcess

async def main():
    tracker = Tracker(tracker_id=1, name="odd", kind="odd", base_url="http://127.0.0.1:1")
    async with TrackerProcess(tracker) as process:
        (outcome,) = await process.fetch([Reference(issue_id="1")])
        print(outcome.record.title, flush=True)
        await process.fetch([Reference(issue_id=sys.argv[1])])

asyncio.run(main())
"""


@pytest.mark.parametrize("word", ["wait 600", "hang", "regex"])
def test_a_coordinator_that_is_killed_leaves_no_process(odd: Install, word: str) -> None:
    odd()
    with subprocess.Popen(
        [sys.executable, "-c", _COORDINATOR, word],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as coordinator:
        assert coordinator.stdout is not None
        pid = int(coordinator.stdout.readline())
        time.sleep(0.3)
        assert _is_there(pid)
        coordinator.send_signal(signal.SIGKILL)
        coordinator.wait()
        _wait_for_end(pid)
