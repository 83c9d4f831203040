"""Generated issues: any number of them, made when asked for, the same at every run.

A page is made by the ordinary page code only once for each of a few kinds, with marks where issues differ;
after that it costs one join of bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from crawler.sources.ims.standin import phrases
from crawler.sources.ims.standin.forms import Listing
from crawler.sources.ims.standin.issue_page import issue_page
from crawler.sources.ims.standin.model import Account, Action, Change, FieldChange, File, Form, Issue, Project
from crawler.sources.ims.standin.text import join_text, show_date, show_text

FIRST_NUMBER = 400_001

_START = datetime(2019, 1, 7, 9, 0)
_FORM = Form()
_COMMENTS = 3
_CHANGES = 3
_MARK = "\ue000{}\ue001"  # private use: in no page, and untouched by escaping
_MARK_NUMBER = 987_654_321_000
_LOG = b"2024-06-03 02:14:07 [E] SVC99 request failed, rc=8, reason=0x80070005\n" * 29  # 2 KB

_SHOWN_BODIES = [show_text(body).encode() for body in phrases.BODIES]
_SHOWN_COMMENTS = [show_text(comment).encode() for comment in phrases.COMMENTS]
_SEARCHED_TITLES = [join_text(title) for title in phrases.TITLES]
_SEARCHED_BODIES = [join_text(body) for body in phrases.BODIES]
_SEARCHED_COMMENTS = [join_text(comment) for comment in phrases.COMMENTS]


@dataclass(frozen=True, slots=True)
class _Draft:
    """Which of the phrases an issue has, as places in their lists."""

    number: int
    title: int
    body: int
    comments: tuple[int, int, int]
    product: int
    status: int
    person: int
    customer: int
    has_file: bool


def _draft(number: int) -> _Draft:
    mixed = (number * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    mixed ^= mixed >> 29
    return _Draft(
        number=number,
        title=mixed % 12,
        body=(mixed >> 8) % 4,
        comments=((mixed >> 12) % 8, (mixed >> 16) % 8, (mixed >> 20) % 8),
        product=(mixed >> 24) % 6,
        status=(mixed >> 28) % 6,
        person=(mixed >> 32) % 5,
        customer=(mixed >> 36) % 6,
        has_file=number % 2 == 0,
    )


class Synthetic:
    """Issues from :data:`FIRST_NUMBER` on, with three comments, three changes and half an attachment each.

    Args:
        count: how many.
        listing: how the tracker writes what is not up to an issue.
        first: the lowest number.
    """

    def __init__(self, count: int, listing: Listing, *, first: int = FIRST_NUMBER) -> None:
        self.numbers = range(first, first + count)
        self._listing = listing
        self._templates: dict[tuple[str, int, int, bool], _Template] = {}

    def product(self, number: int) -> str:
        """The product of an issue."""
        return phrases.PRODUCTS[_draft(number).product]

    def searched_text(self, number: int) -> str:
        """Title, product, description and comments in lower case."""
        draft = _draft(number)
        first, second, third = draft.comments
        return "\n".join(
            (
                f"{_SEARCHED_TITLES[draft.title]} (case {number})",
                phrases.PRODUCTS[draft.product].lower(),
                _SEARCHED_BODIES[draft.body],
                _SEARCHED_COMMENTS[first],
                _SEARCHED_COMMENTS[second],
                _SEARCHED_COMMENTS[third],
            )
        )

    def issue(self, number: int) -> Issue:
        """Make an issue."""
        draft = _draft(number)
        return _make_issue(
            draft,
            number,
            title=f"{phrases.TITLES[draft.title]} (case {number})",
            description=phrases.BODIES[draft.body],
            comments=[phrases.COMMENTS[place] for place in draft.comments],
            person=phrases.PEOPLE[draft.person],
            customer=phrases.CUSTOMERS[draft.customer],
            times=_times(number),
        )

    def page(self, number: int, account: Account) -> bytes:
        """Make an issue's page, the same to the byte as the ordinary page code makes it."""
        draft = _draft(number)
        key = (account.name, draft.product, draft.status, draft.has_file)
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = _Template(self._template_page(draft, account))
        values = {
            "number": str(number).encode(),
            "title": f"{escape(phrases.TITLES[draft.title])} (case {number})".encode(),
            "description": _SHOWN_BODIES[draft.body],
            "person": phrases.PEOPLE[draft.person].encode(),
            "customer": phrases.CUSTOMERS[draft.customer].encode(),
        }
        for place, comment in enumerate(draft.comments):
            values[f"comment{place}"] = _SHOWN_COMMENTS[comment]
        for place, at in enumerate(_times(number)):
            values[f"time{place}"] = show_date(at, _FORM).encode()
        return template.fill(values)

    def _template_page(self, draft: _Draft, account: Account) -> str:
        issue = _make_issue(
            draft,
            _MARK_NUMBER,
            title=_MARK.format("title"),
            description=_MARK.format("description"),
            comments=[_MARK.format(f"comment{place}") for place in range(_COMMENTS)],
            person=_MARK.format("person"),
            customer=_MARK.format("customer"),
            times=[datetime(1801 + place, 1, 1) for place in range(1 + _COMMENTS + _CHANGES)],
        )
        text = issue_page(issue, (), account, self._listing).replace(
            str(_MARK_NUMBER), _MARK.format("number")
        )
        for place in range(1 + _COMMENTS + _CHANGES):
            text = text.replace(show_date(datetime(1801 + place, 1, 1), _FORM), _MARK.format(f"time{place}"))
        return text


class _Template:
    """A page with marks."""

    def __init__(self, text: str) -> None:
        parts = re.split("\ue000([a-z]+[0-9]?)\ue001", text)
        self._pieces: list[bytes] = [part.encode() for part in parts]
        self._names = list(enumerate(parts))[1::2]

    def fill(self, values: dict[str, bytes]) -> bytes:
        pieces = self._pieces.copy()
        for place, name in self._names:
            pieces[place] = values[name]
        return b"".join(pieces)


def _times(number: int) -> list[datetime]:
    """When the issue was registered, then its comments, then its changes."""
    registered = _START + timedelta(minutes=(number - FIRST_NUMBER) * 37)
    return [registered] + [registered + timedelta(hours=step * 5 + number % 17) for step in range(1, 7)]


def _make_issue(
    draft: _Draft,
    number: int,
    *,
    title: str,
    description: str,
    comments: Sequence[str],
    person: str,
    customer: str,
    times: Sequence[datetime],
) -> Issue:
    status = phrases.STATUSES[draft.status]
    fields = {
        "Priority": phrases.PRIORITIES[draft.product % 4],
        "Category": phrases.CATEGORIES[draft.status % 5],
        "Version": f"{5 + draft.product % 3}.{draft.status}",
        "Module": phrases.MODULES[draft.product],
        "Customer": customer,
        "Handler": person,
        "Owner": person,
        "Manager": person,
        "Error Code": "-5213" if draft.has_file else "",
    }
    actions = tuple(
        Action(number=place + 1, author=person, at=times[1 + place], text=comment)
        for place, comment in enumerate(comments)
    )
    lines = (
        FieldChange(field="Status", old="New", new="Open"),
        FieldChange(field="Handler", old="-", new=person),
        FieldChange(field="Status", old="Open", new=status),
    )
    changes = tuple(
        Change(at=times[1 + _COMMENTS + place], by=person, lines=(line,)) for place, line in enumerate(lines)
    )
    files = (File(number=number * 10 + 1, name="step020.log", content=_LOG),) if draft.has_file else ()
    return Issue(
        number=number,
        title=title,
        product=phrases.PRODUCTS[draft.product],
        status=status,
        registered=times[0],
        reporter=person,
        description=description,
        fields=fields,
        project=Project(code="PJ100", name=customer, site_code="ST1", site="Data centre 1"),
        actions=actions,
        changes=changes,
        files=files,
        form=_FORM,
    )
