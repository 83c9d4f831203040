"""The small pages: login, the page after it, errors, the patch list."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from crawler.sources.ims.standin import layout
from crawler.sources.ims.standin.model import Account, Issue

LOGIN_PATH = "/tody/auth/login.do"
MAIN_PATH = "/tody/main/main.do"


def login_page(*, refused: bool = False) -> str:
    """Make the login page; after a refusal it says so, still with status 200."""
    message = (
        '<p class="error">아이디 또는 비밀번호가 올바르지 않습니다. (ID or password is wrong)</p>\n'
        if refused
        else ""
    )
    return layout.page(
        "IMS Login",
        f'<form name="loginForm" method="post" action="{LOGIN_PATH}">\n{message}'
        '<input type="text" name="id" value="">\n<input type="password" name="password" value="">\n'
        '<input type="submit" value="Login">\n</form>\n',
    )


def main_page(account: Account) -> str:
    """Make the page after login, with the hidden inputs that searches send back."""
    return layout.page(
        "IMS",
        f'<input type="hidden" id="userId" name="userId" value="{escape(account.name)}">\n'
        f'<input type="hidden" id="userName" name="userName" value="{escape(account.full_name)}">\n'
        f'<input type="hidden" id="userGrade" name="userGrade" value="{escape(account.grade)}">\n'
        "<h1>Welcome</h1>\n",
        who=account.full_name,
    )


def error_page(message: str) -> str:
    """Make an error page in the tracker's own way: without the landmarks of what was asked for."""
    return layout.page("Error", f'<div class="errorBox"><p>{escape(message)}</p></div>\n')


def patch_list(issues: Sequence[Issue]) -> str:
    """Make the pop-up with a project's patches, each linking to its issue."""
    rows = "".join(
        f'<tr class="data"><td>{place}</td>'
        f'<td><a href="/tody/ims/issue/issueView.do?issueId={issue.number}">{issue.number}</a></td>'
        f"<td>{escape(issue.product)}</td><td>{escape(issue.fields.get('Patch No', ''))}&nbsp;</td>"
        f"<td>{escape(issue.title)}</td></tr>\n"
        for place, issue in enumerate(issues, start=1)
    )
    return layout.page(
        "Patch List",
        '<table id="PatchListTable">\n<tr class="title"><th>No</th><th>Issue No</th><th>Product</th>'
        f"<th>Patch No</th><th>Subject</th></tr>\n{rows}</table>\n",
    )
