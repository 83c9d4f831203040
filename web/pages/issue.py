"""An issue: its fields, its texts, and all that happened to it in the order of time; also as it was once."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from crawler.errors import UsageError
from pipeline.search.moments import read_moment
from pipeline.search.stored_issue import NoSuchIssue, issue_with_parts
from pipeline.search.timeline import as_of, plain, timeline
from web.answers import NotStored
from web.shown import asked, page

FIELDS = (
    *("product", "module", "status", "state", "priority", "severity", "issue_type", "reporter", "owner"),
    *("manager", "customer", "project_name", "site", "found_version", "fixed_version", "target_version"),
    *("registered_date", "modified_date", "closed_date", "removed_at", "removed_reason"),
)
EVENTS = 500  # a page


def issue(request: Request) -> Response:
    """One issue."""
    given = asked(request)
    wrong, at = None, None
    try:
        at = read_moment(given.get("at") or None, end=True)
    except UsageError as error:
        wrong = str(error)
    with request.state.visitor.asking() as acting:
        try:
            found = issue_with_parts(acting, given.get("id", ""), given.get("tracker") or None)
        except NoSuchIssue as error:
            raise NotStored(str(error)) from error
        if at is not None:
            found = as_of(acting, found, at)
    events = timeline(found)
    first = given.get("from", "0")
    start = int(first) if first.isascii() and first.isdigit() and len(first) < 9 else 0
    return page(
        request,
        "issue.html",
        status=200 if wrong is None else 400,
        issue=found,
        fields=[(name, found[name]) for name in FIELDS if found[name] not in (None, "")],
        further=[
            (name, plain(value)) for name, value in found["full_data"].items() if value not in (None, "")
        ],
        events=events[start : start + EVENTS],
        later=start + EVENTS if len(events) > start + EVENTS else None,
        earlier=max(0, start - EVENTS) if start else None,
        count=len(events),
        at=at,
        typed_at=given.get("at", ""),
        wrong=wrong,
        this={"id": found["issue_id"], "tracker": found["tracker"]},
    )
