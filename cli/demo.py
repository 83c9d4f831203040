"""``demo``: everything once, without any set-up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import complain, invocation, one_line, say

if TYPE_CHECKING:
    from crawler.sources.ims.standin import StandIn
    from pipeline.bootstrap import Program

# Users of ours, each with an account of the stand-in; what they ask, in three languages.
_PEOPLE = (("demo-kim", "kim"), ("demo-sato", "sato"))
_SEARCHES = ("error timeout", "오류", "エラー", "ORA-01555")
_TRACKER = "demo"
_TABLES = ("crawl_sessions", "issues", "issue_comments", "issue_history", "attachments", "raw_pages")


@dataclass(frozen=True)
class _Crawled:
    """What one user's crawl came to."""

    user_id: int
    username: str
    result: dict[str, Any]


def demo(
    remove: Annotated[
        bool, typer.Option("--remove", help="remove what the demo stored, and disable its users")
    ] = False,
) -> None:
    """Try it without any set-up: two users crawl and search a built-in example tracker.

    Needs no server, no account and no network, and can be repeated. The two users and their issues stay, so
    that you can look around; --remove takes them away.
    """
    import asyncio
    import logging

    from pipeline.bootstrap import start

    began = monotonic()
    complain("Starting the database …")
    program = start(level=logging.WARNING)
    if remove:
        _remove(program)
        return
    crawled = asyncio.run(_crawl_for_both(program))
    _print_crawls(crawled)
    _print_searches(crawled)
    seen = _rows_of_others(crawled)
    _print_proof(seen)
    _print_next(crawled, monotonic() - began)
    failed = [one.username for one in crawled if one.result["status"] != "completed"]
    if failed or any(theirs for _, theirs in seen.values()):
        complain("The demo did not do what it should: please report it.")
        raise typer.Exit(1)


async def _crawl_for_both(program: Program) -> list[_Crawled]:
    async with _standin(_last_port(program)) as tracker:
        complain(f"The stand-in tracker answers at {tracker.url}")
        return [await _crawl(program, username, account, tracker.url) for username, account in _PEOPLE]


@asynccontextmanager
async def _standin(port: int) -> AsyncIterator[StandIn]:
    """The stand-in at the port it had, so that its issues keep their addresses, unless that is taken."""
    from crawler.sources.ims.standin import StandIn

    async with AsyncExitStack() as stack:
        try:
            tracker = await stack.enter_async_context(StandIn.demo(port=port))
        except OSError:
            tracker = await stack.enter_async_context(StandIn.demo())
        yield tracker


def _last_port(program: Program) -> int:
    from dataclasses import replace
    from urllib.parse import urlsplit

    from crawler.errors import UsageError

    user_id = _user(program, _PEOPLE[0][0])
    try:
        url = replace(program, user_id=user_id).find_tracker(_TRACKER).base_url
    except UsageError:  # the first demo in this database
        return 0
    return urlsplit(url).port or 0


async def _crawl(program: Program, username: str, account: str, url: str) -> _Crawled:

    from cli.progress import shown
    from crawler.errors import CrawlError
    from crawler.query import parse_query
    from db import get_session
    from pipeline.reports.session_summary import session_summary
    from pipeline.sessions.crawl_session import CrawlRequest, begin
    from pipeline.trackers.stored import NewTracker, add_tracker

    user_id = _user(program, username)
    with get_session(user_id=user_id) as session:
        new = NewTracker(
            name=_TRACKER,
            kind="ims",
            base_url=url,
            username=account,
            password=f"{account}-secret",
            concurrency=8,
        )
        tracker_id = add_tracker(session, new, program.vault).tracker_id
    request = CrawlRequest(original="*", query=parse_query("*"), related=True, workers=8)
    lease = begin(user_id, tracker_id, request)
    with shown(f"{username} crawls") as observer:
        error = await program.run_within(lease, program.tracker_of(lease), observer)
    if isinstance(error, CrawlError):
        raise error
    return _Crawled(user_id, username, session_summary(lease))


def _user(program: Program, username: str) -> int:
    from db import get_session
    from db.users import add_user, enable_user, find_user

    with get_session(user_id=program.user_id) as session:
        user = find_user(session, username) or add_user(session, username)
        if not user.is_active:  # since demo --remove
            enable_user(session, username)
        return user.user_id


def _remove(program: Program) -> None:
    """Remove the tracker of each of the demo's users with all that came from it; the users are disabled."""
    from crawler.errors import UsageError
    from db import get_session
    from db.users import disable_user, find_user
    from pipeline.trackers.removal import remove_with_data
    from pipeline.trackers.stored import find_row

    for username, _ in _PEOPLE:
        with get_session(user_id=program.user_id) as session:
            user = find_user(session, username)
            if user is None or not user.is_active:
                say(f"{username}: there is nothing to remove.")
                continue
            user_id = user.user_id
        issues = 0
        with suppress(UsageError), get_session(user_id=user_id) as session:
            issues = remove_with_data(session, find_row(session, _TRACKER))["issues"]
        with get_session(user_id=program.user_id) as session:
            disable_user(session, username)
        say(f"{username}: {issues} issues are removed, and the user is disabled.")


def _print_crawls(crawled: list[_Crawled]) -> None:
    from cli.output import print_table

    say("\nWhat each user's crawl brought")
    print_table(
        ("user", "status", "found>", "new>", "changed>", "unchanged>", "related>", "seconds>"),
        [
            (
                one.username,
                one.result["status"],
                one.result["total_issues_found"],
                one.result["issues_new"],
                one.result["issues_changed"],
                one.result["issues_unchanged"],
                one.result["related_issues"],
                one.result["duration_seconds"],
            )
            for one in crawled
        ],
        empty="Nobody crawled anything.",
        is_read=True,
    )


def _print_searches(crawled: list[_Crawled]) -> None:
    from crawler.query import parse_query
    from db.acting import acting_for
    from pipeline.search.stored import find

    say("\nThe same searches, each user in their own issues")
    for one in crawled:
        for query in _SEARCHES:
            with acting_for(one.user_id, everybody=False) as acting:
                hits = find(acting, parse_query(query), limit=100).hits
            best = one_line(f"{hits[0]['issue_id']} {hits[0]['title']}") if hits else "nothing"
            say(f"{one.username:<10} {len(hits):>3} × {query} → {best}")


def _rows_of_others(crawled: list[_Crawled]) -> dict[tuple[str, str], tuple[int, int]]:
    """For each user and table: how many rows are there for them, and how many rows of others they see."""
    from db import get_session
    from db.users import count_rows

    seen: dict[tuple[str, str], tuple[int, int]] = {}
    for one in crawled:
        with get_session(user_id=one.user_id) as session:
            seen |= {(one.username, name): count_rows(session, one.user_id, name) for name in _TABLES}
    return seen


def _print_proof(seen: dict[tuple[str, str], tuple[int, int]]) -> None:
    from cli.output import print_table

    say("\nWhat each user sees of each table: own rows, and rows of others")
    print_table(
        ("user", *(f"{name}>" for name in _TABLES)),
        [
            (username, *(f"{seen[username, name][0]} + {seen[username, name][1]}" for name in _TABLES))
            for username, _ in _PEOPLE
        ],
        empty="There is nothing to see.",
        is_read=True,
    )


def _print_next(crawled: list[_Crawled], seconds: float) -> None:
    name, program = crawled[0].username, invocation()
    say(f"\nDone in {seconds:.1f} s. Three commands to try next:")
    say(f'  IMS_USER={name} {program} search "ORA-01555 오류"')
    say(f"  IMS_USER={name} {program} show 340012")
    say(f"  {program} crawl --help")
