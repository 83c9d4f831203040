"""Which page answers which request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from crawler.sources.ims.standin import pages
from crawler.sources.ims.standin.forms import Listing
from crawler.sources.ims.standin.issue_page import issue_page, patch_arguments
from crawler.sources.ims.standin.listing import ResultPage, list_page
from crawler.sources.ims.standin.messages import Answer, Request, html, redirect
from crawler.sources.ims.standin.model import Account, Form, Issue
from crawler.sources.ims.standin.sessions import COOKIE, Sessions
from crawler.sources.ims.standin.state import World

SEARCH_PATH: Final = "/tody/ims/issue/issueSearchList.do"
ISSUE_PATH: Final = "/tody/ims/issue/issueView.do"
RELATIONS_PATH: Final = "/tody/ims/issue/findRelationIssues.do"
PATCHES_PATH: Final = "/tody/ims/patch/patchList.do"
DOWNLOAD_PATH: Final = "/tody/common/file/downloadFile.do"
QUERY_ID: Final = "ims.issueSearch.findIssueSearch"
PAGE_SIZE: Final = 10

_CHARSETS: Final = {
    ("utf-8", "right"): "text/html;charset=UTF-8",
    ("utf-8", "wrong"): "text/html;charset=ISO-8859-1",
    ("cp949", "right"): "text/html;charset=EUC-KR",
    ("cp949", "wrong"): "text/html;charset=UTF-8",
}

# makes an issue's page at once where it can: number, account -> page, or None
QuickPage = Callable[[int, Account], bytes | None]


class Site:
    """The tracker behind the wire.

    Args:
        world: its issues.
        sessions: who is logged in.
        listing: how it writes lists and addresses.
        quick_page: a faster way to some issue pages, the same to the byte.
    """

    def __init__(
        self, world: World, sessions: Sessions, listing: Listing, quick_page: QuickPage | None = None
    ) -> None:
        self._world = world
        self._sessions = sessions
        self._listing = listing
        self._quick_page = quick_page
        self._routes: dict[str, Callable[[Request, Account], Answer]] = {
            SEARCH_PATH: self._search,
            ISSUE_PATH: self._issue,
            RELATIONS_PATH: self._relations,
            PATCHES_PATH: self._patches,
            DOWNLOAD_PATH: self._download,
            pages.MAIN_PATH: self._main,
        }

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        if request.path == pages.LOGIN_PATH:
            return self._login(request)
        account = self._sessions.account_of(request.cookies.get(COOKIE))
        if account is None:
            return redirect(pages.LOGIN_PATH)
        if request.path in ("/", "/tody", "/tody/"):
            return redirect(pages.MAIN_PATH)
        route = self._routes.get(request.path)
        if route is None:
            return html(pages.error_page("요청하신 페이지를 찾을 수 없습니다. (Page not found)"), status=404)
        return route(request, account)

    def _login(self, request: Request) -> Answer:
        if request.method == "POST":
            session_id = self._sessions.login(request.param("id"), request.param("password"))
            if session_id is not None:
                return redirect(pages.MAIN_PATH, headers=(_cookie(session_id),))
        known = self._sessions.knows(request.cookies.get(COOKIE))
        headers = () if known else (_cookie(self._sessions.start()),)
        return html(pages.login_page(refused=request.method == "POST"), headers=headers)

    def _main(self, request: Request, account: Account) -> Answer:
        return html(pages.main_page(account))

    def _search(self, request: Request, account: Account) -> Answer:
        keyword = request.param("keyword")
        if request.param("reSearchYN") != "Y" or request.param("queryId") != QUERY_ID:
            return html(
                list_page(ResultPage(total=0, first=0, issues=(), keyword=keyword), account, self._listing)
            )
        codes = frozenset(code for code in request.params.get("productCodes", ()) if code)
        hits = self._world.find(keyword, codes, account, newest_first=request.param("orderType") != "asc")
        size = self._page_size(request)
        last = max(0, len(hits) - 1) // size
        first = min(_page_index(request) - 1, last) * size
        issues = [issue for number in hits[first : first + size] if (issue := self._world.get(number))]
        result = ResultPage(total=len(hits), first=first, issues=issues, keyword=keyword)
        return html(list_page(result, account, self._listing))

    def _page_size(self, request: Request) -> int:
        size = request.cookies.get("pageSize", "")
        if self._listing.page_size_cookie and _is_number(size) and 1 <= int(size) <= 500:
            return int(size)
        return PAGE_SIZE

    def _issue(self, request: Request, account: Account) -> Answer:
        number = _number(request.param("issueId"))
        if self._quick_page is not None:
            body = self._quick_page(number, account)
            if body is not None:
                return Answer(body=body)
        new_number = self._world.moved_to(number)
        if new_number is not None:
            return redirect(f"{ISSUE_PATH}?issueId={new_number}&menuCode=issue_search")
        issue = self._world.seen_by(account, number)
        if issue is None:
            return self._denied(number)
        page = issue_page(issue, self._related(issue, account), account, self._listing)
        form = issue.form
        return Answer(content_type=content_type(form), body=page.encode(form.encoding, "xmlcharrefreplace"))

    def _denied(self, number: int) -> Answer:
        if self._world.get(number) is not None and self._listing.denial == "told":
            return html(
                pages.error_page(
                    "해당 이슈를 조회할 권한이 없습니다. (You have no permission for this issue)"
                )
            )
        return html(pages.error_page("존재하지 않는 이슈입니다. (The issue does not exist)"))

    def _related(self, issue: Issue, account: Account) -> list[Issue]:
        found = (self._world.seen_by(account, number) for number in issue.related)
        return [other for other in found if other is not None]

    def _relations(self, request: Request, account: Account) -> Answer:
        issue = self._world.seen_by(account, _number(request.param("issueId")))
        entries = []
        if issue is not None:
            entries.append({"issueId": issue.number, "relationIssueId": 0, "subject": issue.title})
            for other in self._related(issue, account):
                ids = (other.number, issue.number)
                if self._listing.relation == "relationIssueId":
                    ids = (issue.number, other.number)
                entries.append({"issueId": ids[0], "relationIssueId": ids[1], "subject": other.title})
        return Answer(content_type="application/json;charset=UTF-8", body=json.dumps(entries).encode())

    def _patches(self, request: Request, account: Account) -> Answer:
        names = ("projectCode", "siteCode", "productCode", "projectName", "siteName")
        asked = tuple(request.param(name) for name in names)
        found: dict[int, Issue] = {}
        if asked[0]:
            for issue in self._world.of_project(asked[0]):
                if patch_arguments(issue) == asked:
                    seen = (self._world.seen_by(account, number) for number in issue.patches)
                    found |= {other.number: other for other in seen if other is not None}
        return html(pages.patch_list([found[number] for number in sorted(found)]))

    def _download(self, request: Request, account: Account) -> Answer:
        file = self._world.file(account, _number(request.param("fileId")), request.param("fileType"))
        if file is None:
            return html(pages.error_page("파일을 찾을 수 없습니다. (File not found)"))
        name = quote(file.name, safe="")
        return Answer(
            content_type="application/octet-stream",
            headers=(("Content-Disposition", f"attachment; filename*=UTF-8''{name}"),),
            body=file.content,
        )


def content_type(form: Form) -> str:
    """What the header says of an issue page's charset, true or not."""
    return _CHARSETS.get((form.encoding, form.charset), "text/html")


def _cookie(session_id: str) -> tuple[str, str]:
    return ("Set-Cookie", f"{COOKIE}={session_id}; Path=/tody; HttpOnly")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12


def _number(text: str) -> int:
    return int(text) if _is_number(text) else 0


def _page_index(request: Request) -> int:
    return max(1, _number(request.param("pageIndex")))
