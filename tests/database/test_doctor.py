"""The doctor finds what is wrong, says how to mend it, and tells no secret."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests.fixtures.shell import Shell

pytestmark = pytest.mark.xdist_group("shell")
URL = "http://127.0.0.1:9/"


def found(shell: Shell, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    done = shell("doctor", *arguments, "--json")
    return done.status, {finding["name"]: finding for finding in done.document}


def problems(findings: dict[str, dict[str, Any]]) -> set[str]:
    return {name for name, finding in findings.items() if finding["state"] == "problem"}


def test_all_is_well(shell: Shell) -> None:
    status, findings = found(shell)
    assert (status, problems(findings)) == (0, set())
    assert {"program", "data folder", "disk", "database", "schema", "server", "user", "clock"} <= set(
        findings
    )
    assert str(shell.home) in findings["data folder"]["detail"]
    printed = shell("doctor").out
    assert "PROBLEM" not in printed
    assert "alice, user" in printed


def test_a_database_that_is_not_there(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ims_app:pw-canary@127.0.0.1:9/ims")
    status, findings = found(shell)
    assert (status, problems(findings)) == (5, {"database"})
    assert "the environment" in findings["database"]["detail"]
    assert findings["database"]["advice"]
    done = shell("doctor")
    assert "pw-canary" not in done.out + done.err


def test_a_setting_that_is_wrong(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMS_MAX_ISSUES", "many")
    status, findings = found(shell)
    assert (status, problems(findings)) == (5, {"settings"})


def test_a_key_that_opens_nothing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMS_TRACKER_PASSWORD", "tracker-canary")
    assert shell("trackers", "add", "t", "--kind", "ims", "--url", URL, "--username", "kim").status == 0
    assert problems(found(shell)[1]) == set()
    monkeypatch.setenv("IMS_SECRET_KEY", Fernet.generate_key().decode())
    status, findings = found(shell)
    assert (status, problems(findings)) == (4, {"key"})
    assert "passwords of t." in findings["key"]["detail"]
    assert "canary" not in shell("doctor").out


def test_a_tracker_that_does_not_answer_is_found_only_online(shell: Shell) -> None:
    assert shell("trackers", "add", "t", "--kind", "trac", "--url", URL).status == 0
    assert problems(found(shell)[1]) == set()
    status, findings = found(shell, "--online")
    assert (status, problems(findings)) == (4, {"tracker t"})


def test_schedules_without_a_worker(shell: Shell) -> None:
    assert shell("trackers", "add", "t", "--kind", "trac", "--url", URL).status == 0
    assert shell("schedule", "add", "daily", "*", "--cron", "0 3 * * *", "--tracker", "t").status == 0
    status, findings = found(shell)
    assert (status, problems(findings)) == (4, {"workers"})


def test_a_full_disk(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.doctor.FEW_BYTES", 1 << 62)
    status, findings = found(shell)
    assert (status, problems(findings)) == (4, {"disk"})
