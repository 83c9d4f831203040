"""What IMS is asked, and where: its paths below the application's root, and the parameters of a search."""

from __future__ import annotations

from collections.abc import Sequence
from http.cookiejar import Cookie
from typing import Final
from urllib.parse import urlsplit

from crawler.sources.ims.parse import Account
from crawler.sources.ims.search import PAGE_SIZE

SEARCH: Final = "ims/issue/issueSearchList.do"
VIEW: Final = "ims/issue/issueView.do"
RELATIONS: Final = "ims/issue/findRelationIssues.do"
PATCHES: Final = "ims/patch/patchList.do"
_LARGE_PAGE: Final = 500


def root_of(base_url: str, path: str) -> str:
    """The application's root, with a slash at its end.

    Args:
        base_url: with the application's path or without.
        path: that path; empty where the application is at the base address.
    """
    path = path.strip("/")
    base = base_url.rstrip("/")
    if path and urlsplit(base).path.rpartition("/")[2] != path:
        base = f"{base}/{path}"
    return f"{base}/"


def search_parameters(
    account: Account, keyword: str, codes: Sequence[str], page: int, *, rows: bool = True
) -> list[tuple[str, str]]:
    """The parameters of one page of a search, as the tracker's own search form sends them.

    Args:
        account: who asks.
        keyword: the query in IMS syntax.
        codes: of the products; none: all.
        page: from 1.
        rows: false: the form alone, which has the list of products.
    """
    return [
        ("reSearchYN", "Y" if rows else "N"),
        ("queryId", "ims.issueSearch.findIssueSearch"),
        ("queryIdDetail", "ims.profile.findUserIssueColumns"),
        ("searchType", "1"),
        ("listType", "1"),
        ("reportType", "R101"),
        ("menuCode", "issue_search"),
        ("menuLink", "/ims/issue/issueSearchList.do"),
        ("moveSearchAction", "ims/issue/issueSearchList.do"),
        ("reportLink", "/util/saveSearchList.do"),
        ("taggingWordOption", "equals"),
        ("orderType", "desc"),
        ("keyword", keyword),
        *(("productCodes", code) for code in codes),
        ("pageIndex", str(page)),
        ("pageSize", str(PAGE_SIZE)),
        ("userId", account.user_id),
        ("userName", account.user_name),
        ("userGrade", account.user_grade),
    ]


def large_pages(root: str) -> Cookie:
    """The cookie that some servers take for the size of a result page."""
    host = urlsplit(root).hostname or ""
    return Cookie(
        version=0,
        name="pageSize",
        value=str(_LARGE_PAGE),
        port=None,
        port_specified=False,
        domain=host if "." in host else f"{host}.local",  # as http.cookiejar names hosts without a dot
        domain_specified=False,
        domain_initial_dot=False,
        path="/",
        path_specified=True,
        secure=False,
        expires=None,
        discard=True,
        comment=None,
        comment_url=None,
        rest={},
    )
