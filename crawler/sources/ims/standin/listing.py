"""The search page: its form with the products, and a page of the result list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from crawler.sources.ims.standin import layout
from crawler.sources.ims.standin.columns import cell, columns_of
from crawler.sources.ims.standin.forms import Listing
from crawler.sources.ims.standin.model import Account, Issue
from crawler.sources.ims.standin.products import PRODUCTS


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultPage:
    """One page of hits."""

    total: int
    first: int  # how many hits stand on earlier pages
    issues: Sequence[Issue]
    keyword: str = ""


def list_page(result: ResultPage, account: Account, form: Listing) -> str:
    """Make the search page for an account."""
    columns = columns_of(account)
    tag = form.header_cell
    head = "".join(f"<{tag} nowrap>{header}</{tag}>" for header in columns)
    rows = "".join(
        _row(issue, columns, result.total - result.first - offset, form.row)
        for offset, issue in enumerate(result.issues)
    )
    if not result.issues:
        rows = (
            f'<tr class="noData"><td colspan="{len(columns)}">조회된 이슈가 없습니다. (No issue)</td></tr>\n'
        )
    content = (
        f"{_search_form(result.keyword)}{_total(result.total, form)}"
        f'<table id="issueList" class="listTable">\n<tr class="title">{head}</tr>\n{rows}</table>\n'
    )
    return layout.page("Issue Search", content, who=account.full_name)


def _row(issue: Issue, columns: Sequence[str], position: int, row_class: str) -> str:
    cells = "".join(f"<td nowrap>{escape(cell(issue, column, position))}&nbsp;</td>" for column in columns)
    return (
        f'<tr class="{row_class}"'
        f" onclick=\"javascript:popBlankIssueView('{issue.number}', 'issue_search');\">"
        f"{cells}</tr>\n"
    )


def _total(total: int, form: Listing) -> str:
    match form.total:
        case "bracket":
            return f'<div class="total">[ Total {total} ]</div>\n'
        case "id":
            return f'<input type="hidden" id="totalCount" value="{total}">\n'
        case "name":
            return f'<input type="hidden" name="totalCount" value="{total}">\n'
        case "script":
            return f'<script type="text/javascript">var totalCount = {total};</script>\n'


def _search_form(keyword: str) -> str:
    options = "".join(f'<option value="{code}">{escape(name)}</option>\n' for name, code in PRODUCTS.items())
    return (
        '<form name="searchForm" method="get" action="/tody/ims/issue/issueSearchList.do">\n'
        f'<input type="text" name="keyword" value="{escape(keyword)}">\n'
        f'<select id="productCodes" name="productCodes" multiple="multiple" size="8">\n{options}</select>\n'
        '<input type="hidden" name="reSearchYN" value="Y">\n</form>\n'
    )
