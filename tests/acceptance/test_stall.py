"""A tracker that takes connections and never answers: other commands tell what the crawl waits for."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.fixtures.program import ROOT, Program

pytestmark = pytest.mark.xdist_group("bad_input")

# A minute takes half a second; everything else is the program as it is.
_IMPATIENT = """
import sys
from datetime import timedelta
from pipeline.sessions import watchdog, whole_session
watchdog.QUIET, watchdog.LOOK_EVERY, whole_session.HEARTBEAT = 0.5, 0.1, timedelta(seconds=0.1)
from cli.app import run
run(sys.argv[1:])
"""


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def test_sessions_say_that_the_tracker_does_not_answer(ims_crawl: Program, silent: str) -> None:
    command = ["crawl", "x", "--kind", "ims", "--url", silent]
    account = {"IMS_TRACKER_USERNAME": "kim", "IMS_TRACKER_PASSWORD": "kim-secret"}
    with subprocess.Popen(
        [sys.executable, "-c", _IMPATIENT, *command],
        cwd=ROOT,
        env=ims_crawl.environment(**account),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as crawl:
        try:
            deadline = time.monotonic() + 60
            waits = None
            while not waits and time.monotonic() < deadline:
                sessions = ims_crawl("sessions", "--json").document
                waits = sessions[0]["waits_for"] if sessions else None
            assert waits is not None
            assert "the answer to a login" in waits
            printed = ims_crawl("sessions").out
            assert "nothing has moved since" in printed
        finally:
            crawl.send_signal(signal.SIGINT)
            time.sleep(0.5)
            crawl.send_signal(signal.SIGINT)  # the second one waits for nothing
            _, log = crawl.communicate(timeout=60)
    assert "nothing moves" in log
    (session,) = ims_crawl("sessions", "--json").document
    assert session["waits_for"] is None
