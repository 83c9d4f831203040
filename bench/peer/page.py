"""The peer's parser: parsel, one XPath a section, and no second opinion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bench.peer.store import Item

SEARCH = "ims/issue/issueSearchList.do?reSearchYN=Y&queryId=ims.issueSearch.findIssueSearch&orderType=desc"
VIEW = "ims/issue/issueView.do?menuCode=issue_search&issueId="
_ZONE = ZoneInfo("Asia/Seoul")
_HEADING = re.compile(r"Action No\. (\d+) \| Registrant : (.*?) \| Registered date : (\S+ \S+)")
_FILE = re.compile(r"downloadFileNew\('(\d+)', '(\w+)'\)")
_CHANGE = re.compile(r"([^:]{1,60}?) : (.*?) -> (.*)")
_TOTAL = re.compile(r"\[ Total (\d+) \]")
_ROW = re.compile(r"popBlankIssueView\('(\d+)'")


def read_list(text: str) -> tuple[int, list[str]]:
    """The total and the numbers of one page of the result list."""
    total = _TOTAL.search(text)
    return int(total[1]) if total else 0, _ROW.findall(text)


def read_issue(root: Any, number: str, page_hash: bytes) -> Item:
    """Read an issue.

    Args:
        root: a parsel selector of the page.
        number: of the issue.
        page_hash: kept beside it.
    """
    issue = int(number)
    fields = _fields(root)
    description = _text(root.xpath("//div[@id='IssueDescriptionDiv']//td[@class='data']//text()"))
    comments = [(issue, *comment) for comment in _comments(root)]
    title = fields.get("Subject", "")
    searched = "\n".join((title, description, *(str(comment[-1]) for comment in comments)))
    row = (
        *(issue, title, fields.get("Product"), fields.get("Status"), fields.get("Priority")),
        *(fields.get("Category"), fields.get("Version"), fields.get("Module"), fields.get("Customer")),
        *(fields.get("Project"), fields.get("Site"), fields.get("Reporter"), fields.get("Handler")),
        *(fields.get("Owner"), fields.get("Manager"), fields.get("Error Code")),
        *(_date(fields.get("Registered date", "")), description, page_hash, searched),
    )
    changes = [(issue, place, *change) for place, change in enumerate(_history(root))]
    files = [(issue, *file) for file in _files(root)]
    return Item(row, comments, changes, files)


def _fields(root: Any) -> dict[str, str]:
    cells = root.xpath("//div[@id='IssueBasicDiv']/table/tr/td")
    texts = [_line(cell) for cell in cells]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def _comments(root: Any) -> Iterator[tuple[int, str, datetime | None, str]]:
    for field in root.xpath("//div[@id='CommentsDiv']/div[@class='fieldset']"):
        heading = _HEADING.search(field.xpath("string(.//span[@class='link2'])").get())
        if heading:
            content = _text(field.xpath(".//div[@class='commDescTR']//text()"))
            yield int(heading[1]), heading[2], _date(heading[3]), content


def _history(root: Any) -> Iterator[tuple[Any, ...]]:
    for row in root.xpath("//div[@id='HistoriesDiv']//tr[@class='data']"):
        at, by, details = map(_line, row.xpath("td"))
        change = _CHANGE.fullmatch(details)
        yield _date(at), by, *(change.groups() if change else (None, None, None)), details


def _files(root: Any) -> Iterator[tuple[int, str, str, str | None]]:
    for entry in root.xpath("//div[@id='AttachesDiv' or @id='PatchAttachesDiv']/ul/li"):
        called = _FILE.search(entry.xpath("a/@onclick").get(""))
        if called:
            size = (entry.xpath("text()").get() or "").strip(" ()")
            yield int(called[1]), entry.xpath("string(a)").get(), called[2], size or None


def _line(node: Any) -> str:
    return " ".join(node.xpath("string()").get().split())


def _text(nodes: Any) -> str:
    return "\n".join(node.strip("\n").replace("\xa0", " ").rstrip() for node in nodes.getall()).strip()


def _date(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=_ZONE)
    except ValueError:
        return None
