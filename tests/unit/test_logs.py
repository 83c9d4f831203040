"""No secret reaches a log line, and no log line steers a terminal."""

import html
import json
from urllib.parse import quote, quote_plus

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

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


PASSWORD = "pä/ss w+rd&비밀<1"


@pytest.mark.parametrize(
    "encoded",
    [
        PASSWORD,
        quote(PASSWORD),
        quote(PASSWORD, safe=""),
        quote_plus(PASSWORD),
        quote_plus(PASSWORD).lower(),
        quote(quote(PASSWORD, safe=""), safe=""),
        quote(quote(quote_plus(PASSWORD))),
        quote("pä/ss w+rd&", safe="") + quote("비밀".encode("cp949")) + "%3C1",
        html.escape(PASSWORD),
        "".join(f"&#{ord(character)};" for character in PASSWORD),
        "".join(f"&#x{ord(character):X};" for character in PASSWORD),
        json.dumps(PASSWORD)[1:-1],
    ],
)
def test_a_known_secret_is_taken_out_however_it_is_encoded(encoded: str) -> None:
    keep_secret(PASSWORD)
    assert redact(f"https://h/?next={encoded}&b=2") == "https://h/?next=[secret]&b=2"


@given(st.text(min_size=4, max_size=30), st.integers(0, 3), st.booleans())
def test_no_secret_survives_an_encoding(secret: str, times: int, plus: bool) -> None:
    secret = secret.encode("utf-8", "ignore").decode()
    if len(secret) < 4:
        return
    keep_secret(secret)
    encoded = secret
    for _ in range(times):
        encoded = (quote_plus if plus else quote)(encoded, safe="")
    # Other secrets of this run may be parts of it; nothing of it is left all the same.
    assert encoded not in redact(f"a {encoded} b")


def test_no_control_and_nothing_unseen_is_in_a_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    hostile = "a\x9b31m\x7f\u202etxt\u200b\U000e0041\u3164z"
    structlog.get_logger().info("found", title=hostile)
    printed = capsys.readouterr().err
    assert json.loads(printed)["title"] == hostile
    assert set(printed) <= {chr(number) for number in range(32, 127)} | {"\n"}
    structlog.get_logger().info("found", title="한국어")
    assert "한국어" in capsys.readouterr().err
