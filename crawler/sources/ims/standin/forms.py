"""How the whole tracker writes what is not up to a single issue; every choice occurs in the wild."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """How result lists and the addresses around them are written."""

    # "[ Total 12 ]", input#totalCount, input[name=totalCount], or "totalCount = 12" in a script
    total: Literal["bracket", "id", "name", "script"] = "bracket"
    row: Literal["rowClickData", "data"] = "rowClickData"  # class of a result row
    header_cell: Literal["th", "td"] = "th"
    page_size_cookie: bool = False  # whether a cookie pageSize is honoured; nobody may rely on it
    # how downloadFileNew builds the address: one expression, or an action and two fields of a form
    download: Literal["address", "form"] = "address"
    # which key of findRelationIssues.do has the other issue's number, beside this in the other key;
    # the entry of the issue itself has relationIssueId 0 either way
    relation: Literal["issueId", "relationIssueId"] = "issueId"
    # whether an issue that is not shown to the account looks like one that is not there
    denial: Literal["told", "silent"] = "told"
