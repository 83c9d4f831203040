"""Pages that come in place of what was asked for: the login page and the tracker's refusals."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from msgspec import Struct

from crawler.errors import Forbidden, ItemError, NotFound, PageRejected
from crawler.html import Document, LexborDocument
from crawler.sources.ims.parse.landmarks import has_landmarks

_PASSWORD = "input[type=password i]"  # noqa: S105 - a selector
_DENIED = re.compile(
    r"permission|not (?:authori[sz]ed|allowed)|access (?:is )?denied|no authority|forbidden|권한|権限",
    re.IGNORECASE,
)
_ABSENT = re.compile(
    r"not (?:be )?found|(?:does|do) not exist|no such|no longer exist|deleted|존재하지|찾을 수 없|없는 이슈"
    r"|삭제된|見つかりません|存在しま|存在しない|削除され",
    re.IGNORECASE,
)


class Account(Struct, frozen=True, kw_only=True):
    """What the page after login says of the account; searches send it back."""

    user_id: str
    user_name: str = ""
    user_grade: str = ""


def is_login_page(url: str, html: str) -> bool:
    """Whether an answer is the login page, whatever its status says.

    It is by its address (`/auth/login`), or by a password input; a page with the landmarks of an issue or a
    list is none, whatever people wrote into it.

    Args:
        url: the final address.
        html: the page.
    """
    if "/auth/login" in url and "/auth/login" in urlsplit(url).path:
        return True
    # A look at the bytes costs a fraction of one at characters of any case.
    if b"password" not in html.encode(errors="replace").lower() or has_landmarks(html):
        return False
    try:
        return LexborDocument(html).select_one(_PASSWORD) is not None
    except PageRejected:  # too large for a login page
        return False


def parse_account(document: Document, user_id: str) -> Account:
    """Read the hidden inputs of the page after login; what is not there is empty.

    Args:
        document: the page.
        user_id: the name that was given to log in.
    """

    def value(name: str) -> str:
        field = document.select_one(f"input[name={name}], input#{name}")
        return "" if field is None else (field.attribute("value") or "")

    return Account(
        user_id=value("userId") or user_id, user_name=value("userName"), user_grade=value("userGrade")
    )


def refusal_in(html: str) -> ItemError | None:
    """What an error page in place of an issue means; None where it is an issue page or tells nothing.

    IMS answers with status 200 and a sentence in Korean, English or Japanese.

    Args:
        html: the page.
    """
    if has_landmarks(html) or "</html" not in html.lower():
        return None
    document = LexborDocument(html)
    body = document.select_one("body")
    # A menu may well speak of permissions and deleted issues.
    links = {link.line() for link in document.select("a")}
    lines = [] if body is None else [line for line in body.text().split("\n") if line not in links]
    if any(_DENIED.search(line) for line in lines):
        return Forbidden("The tracker does not show this issue to the account.")
    if any(_ABSENT.search(line) for line in lines):
        return NotFound("The tracker has no such issue.")
    return None
