"""A crawl that is interrupted or killed: its row tells the truth, and whoever goes on is told how."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.fixtures.program import run_standin
from tests.fixtures.workers import Yard

pytestmark = pytest.mark.xdist_group("interrupted")

ACCOUNT = {"IMS_TRACKER_USERNAME": "kim", "IMS_TRACKER_PASSWORD": "kim-secret"}
BEGUN = "SELECT count(*) > 0 FROM ims.crawl_sessions WHERE metadata ? 'backend'"


@pytest.fixture(scope="module", params=["10", "700"])
def slow(request: pytest.FixtureRequest) -> Iterator[str]:
    """A tracker that takes long for everything, from the login on, or just for a thousand issues."""
    with run_standin("--issues", "1000", "--latency-ms", request.param) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


def begin(yard: Yard, url: str) -> subprocess.Popen[str]:
    """Start a crawl and wait until its session has begun."""
    crawl = yard.start("crawl", "*", "--kind", "ims", "--url", url, **ACCOUNT)
    yard.wait(BEGUN, "the session has begun")
    return crawl


def resume_all(yard: Yard) -> tuple[int, list[dict[str, object]], str]:
    done = yard.run("resume", "--all", "--json", **ACCOUNT)
    return done.status, done.document, done.err


@pytest.mark.parametrize("pauses", [(0.0,), (0.3,), (0.05, 0.05), (0.01,) * 60])
def test_a_second_interruption_ends_the_crawl_at_once_and_says_how_to_go_on(
    yard: Yard, slow: str, pauses: tuple[float, ...]
) -> None:
    crawl = begin(yard, slow)
    crawl.send_signal(signal.SIGINT)
    for pause in pauses:
        time.sleep(pause)
        crawl.send_signal(signal.SIGINT)
    _, err = crawl.communicate(timeout=20)
    assert crawl.returncode == 130, err
    ((uuid, status),) = yard.rows("SELECT session_uuid, status FROM ims.crawl_sessions")
    assert status == "interrupted"
    assert f"resume {uuid}" in err.splitlines()[-1]
    assert "Traceback" not in err


def test_what_a_killed_process_left_is_resumed_at_once(yard: Yard, slow: str) -> None:
    crawl = begin(yard, slow)
    crawl.kill()
    crawl.wait()
    yard.start("resume", "--all", **ACCOUNT)
    yard.wait("SELECT bool_and(fence = 2) FROM ims.crawl_sessions", "it is taken over", 20)


def test_what_somebody_works_on_is_left_alone_and_named(yard: Yard, slow: str) -> None:
    crawl = begin(yard, slow)
    (uuid,) = yard.rows("SELECT session_uuid FROM ims.crawl_sessions")[0]
    status, resumed, err = resume_all(yard)
    assert (status, resumed) == (0, [])
    assert f"{uuid} is in progress" in err
    crawl.kill()


def test_what_somebody_may_still_work_on_is_named_with_the_seconds(yard: Yard, slow: str) -> None:
    crawl = begin(yard, slow)
    crawl.kill()
    crawl.wait()
    yard.rows(
        "UPDATE ims.crawl_sessions SET metadata = metadata - 'backend', "
        "heartbeat_at = now() - interval '10 seconds' RETURNING session_uuid"
    )
    status, resumed, err = resume_all(yard)
    assert (status, resumed) == (4, [])
    assert "somebody may still work on it" in err
    assert any(f"in {seconds} seconds" in err for seconds in range(40, 51))
