"""The address of a project in those of its pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.client import Client
from crawler.errors import UsageError
from crawler.source import Connection
from crawler.sources import find_kind

KIND = find_kind("gitlab")
HOST = "https://gitlab.example.com"
API = f"{HOST}/api/v4/projects"


@pytest.mark.parametrize(
    ("url", "base"),
    [
        (f"{HOST}/group/project", f"{API}/group%2Fproject"),
        (f"{HOST}/group/project/", f"{API}/group%2Fproject"),
        (f"{HOST}/group/project.git", f"{API}/group%2Fproject"),
        (f"{HOST}/group/sub/project/-/issues/5", f"{API}/group%2Fsub%2Fproject"),
        (f"{HOST}/group/sub/project/-/issues", f"{API}/group%2Fsub%2Fproject"),
        (f"{HOST}/group/project/-/work_items/5", f"{API}/group%2Fproject"),
        (f"{HOST}/group/project/issues/5", f"{API}/group%2Fproject"),
        (f"{HOST}/group/issues", f"{API}/group%2Fissues"),
        (f"{API}/group%2Fsub%2Fproject", f"{API}/group%2Fsub%2Fproject"),
        (f"{API}/group%2fproject/issues?x", f"{API}/group%2Fproject"),
        (f"{API}/278964", f"{API}/278964"),
        ("https://example.com/lab/api/v4/projects/a%2Fb", "https://example.com/lab/api/v4/projects/a%2Fb"),
        ("https://gitlab.com/g/p", "https://gitlab.com/api/v4/projects/g%2Fp"),
        (f"{HOST}/group", None),
        (f"{HOST}/", None),
        (f"{HOST}/groups/group/-/issues", None),
        (f"{HOST}/users/sign_in", None),
        (f"{HOST}/a/b c", None),
        ("https://github.com/o/r", None),
        ("https://u:p@gitlab.com/g/p", None),
        ("ftp://gitlab.com/g/p", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_the_base_address_is_found_in_the_address_of_a_page(url: str, base: str | None) -> None:
    assert KIND.base_of is not None
    assert KIND.base_of(url.partition("?")[0]) == base
    assert base is None or KIND.base_of(base) == base


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_address_has_one_or_none(text: str) -> None:
    assert KIND.base_of is not None
    base = KIND.base_of(f"{HOST}/{text}")
    assert base is None or KIND.base_of(base) == base


def test_an_address_without_a_project_is_refused() -> None:
    with pytest.raises(UsageError, match="names no project"):
        KIND.open_source(Connection(base_url="https://gitlab.com"), Client("https://gitlab.com"))
