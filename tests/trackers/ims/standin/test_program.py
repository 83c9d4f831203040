"""The stand-in runs as a program of its own."""

from __future__ import annotations

import signal
import subprocess
import sys

import httpx
import pytest


def start(*arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "crawler.sources.ims.standin", *arguments]
    return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_address_serves_and_stops_at_a_signal(number: signal.Signals) -> None:
    with start("--issues", "3", "--latency-ms", "1") as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        answer = httpx.post(
            f"{url}/tody/auth/login.do", data={"id": "kim", "password": "kim-secret"}, trust_env=False
        )
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    assert answer.status_code == 302
    assert (process.returncode, errors) == (0, "")


def test_it_stops_when_its_stdin_is_closed_if_asked_to() -> None:
    with start("--until-eof", stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")
