"""The 31 columns that an account can choose for its result lists."""

from __future__ import annotations

from typing import Final

from crawler.sources.ims.standin.model import Account, Issue
from crawler.sources.ims.standin.text import show_date

USUAL: Final = (
    "No",
    "Issue Number",
    "Category",
    "Product",
    "Version",
    "Module",
    "Subject",
    "Customer",
    "Project",
    "Reporter",
    "Issued Date",
)

COLUMNS: Final = (
    *USUAL,
    "Status",
    "Priority",
    "Severity",
    "Handler",
    "Owner",
    "Manager",
    "Site",
    "Error Code",
    "Build No",
    "Patch No",
    "Patch Version",
    "Bug Number",
    "Found version",
    "Fixed version",
    "Target version",
    "Date of final order",
    "Closed Date",
    "Last Action",
    "Actions",
    "Attachments",
)


def cell(issue: Issue, column: str, position: int) -> str:
    """What an issue shows in a column, as plain text; ``position`` counts down to 1 on the last row."""
    match column:
        case "No":
            return str(position)
        case "Issue Number":
            return str(issue.number)
        case "Subject":
            return issue.title
        case "Issued Date":
            return show_date(issue.registered, issue.form)
        case "Last Action":
            return show_date(issue.actions[-1].at, issue.form) if issue.actions else ""
        case "Actions":
            return str(len(issue.actions))
        case "Attachments":
            return str(len(issue.files))
        case "Product" | "Status" | "Reporter" | "Project" | "Site":
            return own_field(issue, column)
        case _:
            return issue.fields.get(column, "")


def own_field(issue: Issue, header: str) -> str:
    """A field that every issue has."""
    match header:
        case "Product":
            return issue.product
        case "Status":
            return issue.status
        case "Reporter":
            return issue.reporter
        case "Project":
            return issue.project.name
        case "Site":
            return issue.project.site
        case _:
            raise KeyError(header)


def columns_of(account: Account) -> tuple[str, ...]:
    """The headers that an account has chosen and may see."""
    return tuple(header for header in account.columns or USUAL if header not in account.hidden_fields)
