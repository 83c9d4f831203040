"""``crawl`` and ``resume``: one crawl session, begun or continued."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from cli.moment import read_moment
from cli.output import complain, invocation, one_line, print_json, say
from cli.understanding import confirm

if TYPE_CHECKING:
    from pipeline.bootstrap import Program
    from pipeline.connect import Tracker
    from pipeline.session import Handle

AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document")]
AllowEmpty = Annotated[
    list[str] | None,
    typer.Option("--allow-empty", help="a field that is rightly empty now, though it was mostly filled"),
]


def crawl(
    query: Annotated[str, typer.Argument(help="what to look for (see query); '*' for everything")],
    tracker: Annotated[str | None, typer.Option(help="a stored tracker, by its name")] = None,
    kind: Annotated[str | None, typer.Option(help="with --url: the kind, such as ims or trac")] = None,
    url: Annotated[str | None, typer.Option(help="with --kind: the tracker's address")] = None,
    product: Annotated[str | None, typer.Option(help="only this product, component or family")] = None,
    max_results: Annotated[
        int | None, typer.Option("--max", min=1, help="stop after this many issues")
    ] = None,
    related: Annotated[bool, typer.Option("--related", help="also fetch issues that hits point to")] = False,
    since: Annotated[
        str | None,
        typer.Option(
            help="only what changed at or after this time, such as 2026-01-31 (UTC); "
            "last: since the last complete crawl of the same"
        ),
    ] = None,
    attachments: Annotated[bool, typer.Option("--attachments", help="also download attached files")] = False,
    census: Annotated[
        bool,
        typer.Option("--census", help="fetch only what is new, and look for stored issues that are gone"),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            help="do not ask back where the question is not clear; "
            "with --census: mark issues as removed however many they are",
        ),
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="requests at once; default: the tracker's concurrency")
    ] = None,
    allow_empty: AllowEmpty = None,
    as_json: AsJson = False,
) -> None:
    """Search a tracker and store every hit, with comments, history and attachments.

    Crawling the same again updates what changed. With --kind and --url, name and password are taken from
    IMS_TRACKER_USERNAME and IMS_TRACKER_PASSWORD; a stored tracker has its own (see trackers add).
    """
    from crawler.errors import UsageError
    from pipeline.asking import ask
    from pipeline.bootstrap import start
    from pipeline.kinds import has_known_products
    from pipeline.session import CrawlRequest, begin
    from pipeline.since import since_last, told

    if (kind is None) != (url is None):
        raise UsageError("Give --kind and --url together.")
    if kind is not None and tracker is not None:
        raise UsageError("Give either --tracker, or --kind and --url.")
    from_last = since == "last"
    changed_since = None if from_last else read_moment(since)
    program = start()
    asked = query.strip() or "*"
    question = ask(asked, program.settings, home=program.home, exact=True)
    if census and (max_results is not None or since is not None or question.parsed.filters.get("since")):
        raise UsageError("A census looks at the whole list: leave --max, --since and times out.")
    connection = _open(program, tracker, kind, url)
    if "product" in question.parsed.filters and not has_known_products(connection.kind):
        question = ask(asked, program.settings, home=program.home, has_product=lambda _: False, exact=True)
    parsed = question.parsed
    confirm(question, yes=yes)
    request = CrawlRequest(
        original=question.original,
        query=parsed,
        product=product or parsed.filters.get("product"),
        max_results=max_results,
        related=related,
        since=changed_since if since is not None else read_moment(parsed.filters.get("since")),
        attachments=attachments,
        workers=workers or connection.concurrency,
        census=census,
        remove_many=census and yes,
        allow_empty=_fields(allow_empty),
    )
    if from_last:
        request = since_last(program.user_id, connection.tracker_id, request)
    request = told(request, connection.kind)
    _work_on(program, begin(program.user_id, connection.tracker_id, request), connection, as_json=as_json)


def resume(
    session: Annotated[UUID, typer.Argument(help="the session's id, as sessions shows it")],
    allow_empty: AllowEmpty = None,
    as_json: AsJson = False,
) -> None:
    """Continue a session that was interrupted or killed, from its last commit on."""
    from pipeline.bootstrap import start
    from pipeline.session import take_over

    program = start()
    handle = take_over(program.user_id, session, allow_empty=_fields(allow_empty))
    _work_on(program, handle, program.tracker_of(handle), as_json=as_json)


def _fields(names: list[str] | None) -> tuple[str, ...]:
    from dataclasses import fields

    from crawler.errors import UsageError
    from db.rows import IssueRow

    known = {field.name for field in fields(IssueRow)}
    for name in names or ():
        if name not in known:
            raise UsageError(f"An issue has no field {name!r}: --allow-empty takes the name that was told.")
    return tuple(names or ())


def _open(program: Program, name: str | None, kind: str | None, url: str | None) -> Tracker:
    if kind is not None and url is not None:
        return program.open_adhoc(kind, url)
    return program.open_tracker(name)


def _work_on(program: Program, handle: Handle, tracker: Tracker, *, as_json: bool) -> None:
    from cli.progress import shown
    from cli.statuses import FAILED_ISSUES, INTERRUPTED, sentence, status_of
    from db.errors import DatabaseError, FenceLost
    from pipeline.outcome import outcome, shortfalls

    with shown(tracker.name) as observer:
        error = program.run(handle, tracker, observer)
    try:
        result = outcome(handle)
    except DatabaseError as unreadable:
        complain(sentence(error or unreadable))
        complain(f"What was done is kept; go on with: {invocation()} resume {handle.session_uuid}")
        raise typer.Exit(status_of(error or unreadable) or 1) from unreadable
    if as_json:
        print_json(result)
    else:
        print_figures(result)
    if error is not None:
        complain(sentence(error))
        if result["total_issues_found"] and not isinstance(error, FenceLost):
            complain(f"What was done is kept; go on with: {invocation()} resume {handle.session_uuid}")
        raise typer.Exit(status_of(error) or 1)
    if result["status"] == "interrupted":
        complain(f"Interrupted; go on with: {invocation()} resume {handle.session_uuid}")
        raise typer.Exit(INTERRUPTED)
    if result["failed_issues"] or result["status"] != "completed":
        for message in shortfalls(handle):
            complain(message)
        raise typer.Exit(FAILED_ISSUES)


def print_figures(result: dict[str, Any]) -> None:
    """Print what a session came to."""
    say(f"session      {result['session_uuid']} {result['status']} in {result['duration_seconds']:.1f} s")
    say(f"found        {result['total_issues_found']}, related {result['related_issues']}")
    say(
        f"stored       {result['issues_crawled']}: {result['issues_new']} new, "
        f"{result['issues_changed']} changed, {result['issues_unchanged']} unchanged"
    )
    if result["attachments_downloaded"]:
        say(f"attachments  {result['attachments_downloaded']} downloaded")
    if "removed" in result:
        say("removed      " + ", ".join(f"{number} {why}" for why, number in result["removed"].items()))
    if result["skipped_issues"]:
        say(f"skipped      {result['skipped_issues']}")
    if result["failed_issues"]:
        say(f"failed       {result['failed_issues']}")
    for error in result["errors"]:
        where = f"issue {error['issue_id']}: " if error["issue_id"] else ""
        say(f"{error['severity']:<12} {one_line(where + error['message'])}")
