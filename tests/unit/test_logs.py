"""No secret reaches a log line, and no log line steers a terminal."""

import json

import pytest
import structlog

from pipeline.logs import configure, keep_secret, redact


@pytest.fixture(autouse=True)
def _unchanged_logging() -> object:
    saved = structlog.get_config()
    yield
    structlog.configure(**saved)


def test_a_known_secret_is_taken_out_wherever_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    keep_secret("canary-4711")
    structlog.get_logger().info(
        "about canary-4711", reason="it is canary-4711", error=ValueError("canary-4711")
    )
    printed = capsys.readouterr().err
    assert "canary-4711" not in printed
    assert json.loads(printed)["reason"] == "it is [secret]"


def test_values_with_a_secret_name_are_never_shown(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    structlog.get_logger().info("login", password="p1", api_key="k1", Authorization="a1", trac_cookie="c1")
    line = json.loads(capsys.readouterr().err)
    assert {line["password"], line["api_key"], line["Authorization"], line["trac_cookie"]} == {"[secret]"}


def test_name_and_password_leave_an_address() -> None:
    assert redact("postgresql://kim:pw@db.example/ims") == "postgresql://db.example/ims"


def test_escape_sequences_do_not_reach_a_console_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("console")
    structlog.get_logger().info("found", title="\x1b[31mred\x1b[0m\nnext line")
    printed = capsys.readouterr().err
    assert "\x1b[31m" not in printed
    assert len(printed.splitlines()) == 1
