"""What is a secret in an address is neither stored nor shown, whatever its parameter is called."""

from __future__ import annotations

from time import perf_counter

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.http.origin import shown, without_secrets
from crawler.http.web_address import is_web_address

SECRET = [
    "code", "ticket", "otp", "jwt", "access", "access_key", "private_key", "x-functions-key",
    "AWSAccessKeyId",
    "SAMLResponse", "pin", "to%6ben", "token", "PRIVATE-TOKEN", "private_token", "key", "Bugzilla_api_key",
    "apiKey", "sessionid", "JSESSIONID", "password", "passwd", "pwd", "pass", "client_secret", "auth",
    "authKey", "X-Amz-Signature", "sig", "sid", "credentials", "%74%6F%6B%65%6E", "%2574oken", "csrf_token",
    "account.key", "ｔｏｋｅｎ", "subscription-key", "accessToken", "os_authType", "atl_token",
]  # fmt: skip
HARMLESS = [
    "author", "authorName", "keyword", "issueKey", "projectKey", "page", "id", "q", "component", "status",
    "passage", "sorted", "pinned", "spinner", "group_by", "tickets", "product_code", "monkey",
]  # fmt: skip


@pytest.mark.parametrize("name", SECRET)
def test_the_value_of_a_secret_parameter_is_taken_out(name: str) -> None:
    url = httpx.URL(f"https://u:pw@h/path;{name}=c4nary?a=1&{name}=c4nary&b=2;{name}=c4nary#c4nary")
    assert "c4nary" not in without_secrets(url)
    assert without_secrets(url).startswith("https://h/path;")
    assert "&b=2;" in without_secrets(url)
    inner = httpx.URL("https://h/login", params={"next": str(url)})
    assert "c4nary" not in without_secrets(inner)
    assert "c4nary" not in without_secrets(httpx.URL("https://h/login", params={"next": str(inner)}))


@pytest.mark.parametrize("name", HARMLESS)
def test_other_parameters_stay(name: str) -> None:
    assert f"{name}=ABC-1" in without_secrets(httpx.URL(f"https://h/p?x=y&{name}=ABC-1"))


def test_the_number_of_a_ticket_is_no_secret() -> None:
    assert without_secrets(httpx.URL("https://h/p?ticket=55")) == "https://h/p?ticket=55"


def test_a_message_shows_an_address_without_its_query() -> None:
    assert shown(httpx.URL("https://u:p@h/a;sid=1/b?q=what%20they%20asked")) == "https://h/a;sid=***?…"
    assert shown(httpx.URL("https://h/a")) == "https://h/a"


@pytest.mark.parametrize("piece", ["?token", "&a=?token", ";=", "%25", "aA", "key=%3Ftoken%3D", "=", "&key"])
def test_an_address_of_a_hostile_tracker_is_read_in_linear_time(piece: str) -> None:
    def seconds(length: int) -> float:
        url = httpx.URL("https://h/").copy_with(raw_path=b"/?a=" + (piece * length)[:length].encode())
        best = 9.0
        for _ in range(3):
            began = perf_counter()
            without_secrets(url)
            best = min(best, perf_counter() - began)
        return best

    assert seconds(60_000) < max(0.25, 2.5 * seconds(30_000))


@given(st.text("?&;=/tokenabc%25", max_size=60))
def test_whatever_an_address_is_what_is_left_reads_the_same_again(path: str) -> None:
    url = httpx.URL("https://h").copy_with(raw_path=b"/" + path.encode())
    once = without_secrets(url)
    assert without_secrets(httpx.URL(once)) == once


@pytest.mark.parametrize(
    "text",
    [
        "https:javascript:alert(1)", "javascript:alert(1)", "https://", "http:///x", "data:text/html,x",
        "//h/x",
        "https://h:99999/", "https://[::1/", "https:\\\\h", "https://h/ x", "https://h/\u202ex", "",
    ],
)  # fmt: skip
def test_what_a_browser_must_not_be_sent_to(text: str) -> None:
    assert not is_web_address(text)
    assert is_web_address("https://ims.example.com:8443/issue?id=1")
