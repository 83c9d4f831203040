"""What the stand-in knows: issues as its tracker keeps them, and the accounts that look at them.

Times are naive and in the server's own zone (Asia/Seoul), as its pages show them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """How one issue's page is written; every choice occurs in the wild."""

    dates: Literal["-", "/", "."] = "-"
    clock: Literal["none", "minutes", "seconds"] = "minutes"  # what of the time stands after a date
    header_cell: Literal["title", "plain", "th"] = (
        "title"  # td.title.tableHeaderTitle, td.tableHeaderTitle, th
    )
    pairs: Literal[1, 2] = 2  # header and value pairs in a row of fields
    comment_body: Literal["comment", "commDescTR"] = (
        "comment"  # div#comment_N div.commDescTR, div#commDescTR_N
    )
    arrow: Literal["->", "→"] = "->"  # between old and new value in the history
    priority_header: Literal["Priority", "Urgency"] = "Priority"
    reporter_header: Literal["Reporter", "Register"] = "Reporter"
    number_span: bool = True  # span.issueNumber; else the number stands only in addresses
    encoding: Literal["utf-8", "cp949"] = "utf-8"
    charset: Literal["right", "wrong", "missing"] = "right"  # what header and meta say of the encoding


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """A comment; IMS calls it an action."""

    number: int  # unique within the issue, kept when others are removed
    author: str
    at: datetime
    text: str = ""
    html: str | None = None  # sent as it is in place of the text


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """One line of a history entry that tells of a field."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One entry of the history, of one or several lines."""

    at: datetime
    by: str
    lines: tuple[FieldChange | str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """An attached file with its bytes."""

    number: int  # unique over the whole tracker
    name: str
    content: bytes = field(repr=False)
    kind: Literal["ISSUE", "PATCH"] = "ISSUE"


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """Whose installation an issue is about; the patch list is asked for by these."""

    code: str = ""
    name: str = ""
    site_code: str = ""
    site: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue:
    """One issue, whole."""

    number: int
    title: str
    product: str  # a name of ``products.PRODUCTS``
    status: str
    registered: datetime
    reporter: str = ""
    description: str = ""
    description_html: str | None = None  # sent as it is in place of the description
    fields: Mapping[str, str] = field(default_factory=dict)  # every other field, under its header
    project: Project = Project()
    actions: tuple[Action, ...] = ()
    changes: tuple[Change, ...] = ()
    files: tuple[File, ...] = ()
    related: tuple[int, ...] = ()  # numbers of other issues
    patches: tuple[int, ...] = ()  # numbers of the issues on the project's patch list
    notice: str = ""  # the product's notice
    hidden_from: frozenset[str] = frozenset()  # names of accounts that may not see this issue
    form: Form = Form()


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Who may log in, and what that one sees."""

    name: str
    password: str = field(repr=False)
    full_name: str = ""
    grade: str = "1"
    columns: tuple[str, ...] = ()  # headers of the result list, in this account's own order
    hidden_fields: frozenset[str] = frozenset()  # headers that this account is not shown
