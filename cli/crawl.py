"""``crawl`` and ``resume``: one crawl session, begun or continued."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import (
    Attachments,
    AttachmentsKind,
    AttachmentsMax,
    AttachmentsNot,
    kinds,
    products,
    sessions,
    trackers,
)
from cli.confirm import confirm
from cli.output import complain, invocation, one_line, print_json, say
from cli.query_words import joined
from cli.receipt import files_lines

if TYPE_CHECKING:
    from crawler.errors import CrawlError
    from db.errors import DatabaseError
    from pipeline.bootstrap import Program
    from pipeline.sessions.crawl_session import SessionLease
    from pipeline.trackers.connect import Tracker

AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document")]
AllowEmpty = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-empty", help="accept that this field is empty now, though it was mostly filled before"
    ),
]


def crawl(
    query: Annotated[
        list[str],
        typer.Argument(metavar="QUERY", help="what to look for, as search takes it; '*' for everything"),
    ],
    tracker: Annotated[
        str | None, typer.Option(help="a stored tracker, by its name", autocompletion=trackers)
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            help="with --url: the kind of the tracker; without it the server is asked", autocompletion=kinds
        ),
    ] = None,
    url: Annotated[str | None, typer.Option(help="the address of a tracker that is not stored")] = None,
    product: Annotated[
        str | None, typer.Option(help="only this product, component or family", autocompletion=products)
    ] = None,
    max_results: Annotated[
        int | None, typer.Option("--max", min=1, help="stop after this many issues")
    ] = None,
    related: Annotated[
        bool, typer.Option("--related", help="also fetch issues that the results link to")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="only what changed at or after this time: 2026-01-31, yesterday, 7d (UTC); "
            "last: since the last complete crawl of the same",
        ),
    ] = None,
    attachments: Attachments = False,
    attachments_max: AttachmentsMax = None,
    attachments_kind: AttachmentsKind = None,
    attachments_not: AttachmentsNot = None,
    census: Annotated[
        bool,
        typer.Option(
            "--census",
            help="look for stored issues that are gone, and fetch only what is new; every issue where lists "
            "do not tell each change, as those of Redmine and Roundup",
        ),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            help="do not ask for confirmation when the query is not clear; "
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

    Crawling the same again updates what changed. With --url, name and password are taken from
    IMS_TRACKER_USERNAME and IMS_TRACKER_PASSWORD; a stored tracker has its own (see trackers add).
    """
    from crawler.errors import UsageError
    from pipeline.attachments.limits import Limits, read_limits
    from pipeline.bootstrap import start
    from pipeline.search.moments import read_moment
    from pipeline.search.question import adapt_to_kind, ask
    from pipeline.sessions.crawl_session import CrawlRequest, begin
    from pipeline.sessions.since import since_last, with_since_warning

    if kind is not None and url is None:
        raise UsageError("Give --kind together with --url.")
    if url is not None and tracker is not None:
        raise UsageError("Give either --tracker, or --url.")
    limits = read_limits(attachments_max, attachments_kind or (), attachments_not or ())
    from_last = since == "last"
    changed_since = None if from_last else read_moment(since)
    program = start()
    question = ask(joined(query).strip() or "*", program.settings, home=program.home, exact=True)
    if census and (max_results is not None or since is not None or question.parsed.filters.get("since")):
        raise UsageError("A census looks at the whole list: leave --max, --since and times out.")
    connection = _open(program, tracker, kind, url)
    question = adapt_to_kind(connection.kind, question, program.settings, home=program.home)
    parsed = question.parsed
    confirm(question, yes=yes)
    request = CrawlRequest(
        original=question.original,
        query=parsed,
        product=product or parsed.filters.get("product"),
        max_results=max_results,
        related=related,
        since=changed_since if since is not None else read_moment(parsed.filters.get("since")),
        attachments=attachments or limits != Limits(),
        limits=limits,
        workers=workers or connection.concurrency,
        census=census,
        allow_mass_removal=census and yes,
        allow_empty=_fields(allow_empty),
    )
    if from_last:
        request = since_last(program.user_id, connection.tracker_id, request)
    request = with_since_warning(request, connection.kind)
    worked = _work_on(program, partial(begin, program.user_id, connection.tracker_id, request), connection)
    if connection.is_new and worked.came_to_nothing:
        _forget(program, connection.name)
    _finish(worked, as_json=as_json)


def resume(
    session: Annotated[
        str | None,
        typer.Argument(
            help="the session's id or its first digits (see sessions); none with --all",
            autocompletion=sessions,
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="all your incomplete sessions that no process is working on")
    ] = False,
    allow_empty: AllowEmpty = None,
    as_json: AsJson = False,
) -> None:
    """Continue an interrupted session where it stopped.

    With --all they are resumed one after the other, the oldest first; a failure does not stop the others.
    """
    from cli.exit_codes import FAILED_ISSUES, INTERRUPTED, sentence, status_of
    from crawler.errors import CrawlError, UsageError
    from db.errors import DatabaseError
    from pipeline.bootstrap import start
    from pipeline.sessions.crawl_session import take_over
    from pipeline.sessions.ids import full_id
    from pipeline.sessions.left_over import left_over

    if everything == (session is not None):
        raise UsageError("Give the id of a session, or --all.")
    program = start()
    allowed = _fields(allow_empty)
    if session is not None:
        whole = full_id(program.user_id, session)
        take = partial(take_over, program.user_id, whole, allow_empty=allowed)
        _finish(_work_on(program, take), as_json=as_json)
        return
    results, worst = [], 0
    left = left_over(program.user_id)
    for one in left.alive:
        complain(f"Session {one} is in progress elsewhere: it is skipped.")
    for one, seconds in left.silent.items():
        complain(
            f"Session {one} is left out, since somebody may still work on it: "
            f"resume it in {seconds:.0f} seconds, or now with {invocation()} resume {one}"
        )
        worst = FAILED_ISSUES
    for one in left.resumable:
        try:
            worked = _work_on(program, partial(take_over, program.user_id, one, allow_empty=allowed))
        except (CrawlError, DatabaseError) as error:
            complain(f"Session {one}: {sentence(error)}")
            worst = max(worst, status_of(error) or 1)
            continue
        results += [_document(worked.result)] if worked.result is not None else []
        worst = max(worst, worked.tell(quiet=as_json))
        if worst == INTERRUPTED:
            break
    if as_json:
        print_json(results)
    elif not results and not worst and not left.alive:
        complain("No session is left to resume.")
    _leave(worst)


def _fields(names: list[str] | None) -> tuple[str, ...]:
    from crawler.errors import UsageError
    from db.rows import IssueRow

    for name in names or ():
        if name not in IssueRow.__struct_fields__:
            raise UsageError(f"An issue has no field {name!r}: see the message of the stopped session.")
    return tuple(names or ())


def _open(program: Program, name: str | None, kind: str | None, url: str | None) -> Tracker:
    if url is not None:
        place = program.find_place(kind, url)
        return program.open_adhoc(place.kind, place.base_url)
    return program.open_tracker(name)


_ON_THE_RECEIPT = (
    *("tracker_total", "attachments_missing", "attachments_skipped", "attachment_reasons"),
)  # and not among what crawl prints as JSON


@dataclass(frozen=True, slots=True)
class _Worked:
    """A run of a session that ended, one way or another."""

    lease: SessionLease
    result: dict[str, Any] | None  # what --json prints; None: the database could not be asked any more
    error: CrawlError | DatabaseError | None

    @property
    def came_to_nothing(self) -> bool:
        """Whether the tracker gave nothing at all: the address, the kind or the account is wrong."""
        return self.error is not None and self.result is not None and not self.result["total_issues_found"]

    def tell(self, *, quiet: bool) -> int:
        """Say how it went; the exit status comes back.

        Args:
            quiet: only what went wrong, for the result is printed as JSON.
        """
        from cli.exit_codes import FAILED_ISSUES, INTERRUPTED, sentence, status_of
        from db.errors import FenceLost
        from pipeline.reports.session_summary import shortfalls

        go_on = f"Continue with: {invocation()} resume {self.lease.session_uuid}"
        if self.result is not None and not quiet:
            print_figures(self.result)
        if self.error is not None:
            complain(sentence(self.error))
            if not self.came_to_nothing and not isinstance(self.error, FenceLost):
                complain(f"What was stored is kept. {go_on}")
            return status_of(self.error) or 1
        if self.result is None or self.result["status"] == "interrupted":
            complain(f"Interrupted. {go_on}")
            return INTERRUPTED
        more = (self.result["tracker_total"] or 0) - self.result["total_issues_found"]
        if self.result["status"] == "completed" and more > 0:
            complain(f"{more} more issues match: to get them, crawl without --max or with a higher one.")
        missing = self.result["attachments_missing"]
        if missing and self.result["status"] == "completed":
            files = "1 attached file" if missing == 1 else f"{missing:,} attached files"
            complain(f"{files} could not be had: see the warnings, or try again with the same crawl.")
        if self.result["failed_issues"] or missing or self.result["status"] != "completed":
            for message in shortfalls(self.lease):
                complain(message)
            return FAILED_ISSUES
        return 0


def _work_on(program: Program, begin: Callable[[], SessionLease], tracker: Tracker | None = None) -> _Worked:
    """Begin a session, or take it over, and work on it until it ends."""
    from cli.progress import shown
    from db.errors import DatabaseError
    from pipeline.reports.session_summary import session_summary
    from pipeline.sessions.ending import leave
    from pipeline.sessions.interruption import heed_no_more, heed_once, held_back

    lease = error = None
    try:
        with held_back():  # a session that is begun is known here
            heed_once()
            lease = begin()
        tracker = tracker or program.tracker_of(lease)
        with shown(tracker.name) as observer:
            error = program.run(lease, tracker, observer)
        heed_no_more()
        return _Worked(lease, session_summary(lease), error)
    except KeyboardInterrupt:  # before the session heeded signals
        if lease is None:
            raise
        with suppress(DatabaseError):
            leave(lease)
        return _Worked(lease, None, error)
    except DatabaseError as unreadable:
        if lease is None:
            raise
        return _Worked(lease, None, error or unreadable)


def _forget(program: Program, name: str) -> None:
    """Let no mistyped address stay among the trackers."""
    from crawler.errors import UsageError
    from db import get_session
    from db.errors import DatabaseError
    from pipeline.trackers.removal import remove_tracker
    from pipeline.trackers.stored import find_row

    with suppress(DatabaseError, UsageError), get_session(user_id=program.user_id) as session:
        remove_tracker(session, find_row(session, name))


def _finish(worked: _Worked, *, as_json: bool) -> None:
    from pipeline.completion import refresh

    refresh(worked.lease.user_id)
    if as_json and worked.result is not None:
        print_json(_document(worked.result))
    _leave(worked.tell(quiet=as_json))


def _leave(status: int) -> None:
    if status:
        raise typer.Exit(status)


def _document(result: dict[str, Any]) -> dict[str, Any]:
    """The figures as JSON."""
    return {name: value for name, value in result.items() if name not in _ON_THE_RECEIPT}


def print_figures(result: dict[str, Any]) -> None:
    """Print what a session came to."""
    say(f"session      {result['session_uuid']} {result['status']} in {result['duration_seconds']:.1f} s")
    found, total = result["total_issues_found"], result["tracker_total"] or 0
    of_all = f" of {total}" if total > found else ""
    say(f"found        {found}{of_all}, related {result['related_issues']}")
    say(
        f"stored       {result['issues_crawled']}: {result['issues_new']} new, "
        f"{result['issues_changed']} changed, {result['issues_unchanged']} unchanged"
    )
    for line in files_lines(result):
        say(line)
    if "removed" in result:
        say("removed      " + ", ".join(f"{number} {why}" for why, number in result["removed"].items()))
    if result["skipped_issues"]:
        say(f"skipped      {result['skipped_issues']}")
    if result["failed_issues"]:
        say(f"failed       {result['failed_issues']}")
    for error in result["errors"]:
        where = f"issue {error['issue_id']}: " if error["issue_id"] else ""
        say(f"{error['severity']:<12} {one_line(where + error['message'])}")
