"""The trackers that :mod:`bench.trackers` measures: stand-ins with texts of the usual length.

Every issue has a description and three comments of :data:`PROSE`, and a change or two. What only Perceval
asks is answered here, before the stand-in's own routes. Roundup has no stand-in: it is a real one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.fixtures.api_server import Asked, Reply

PROSE = "The listener refuses connections after ORA-12518; the log says nothing more than a timeout. " * 6
_COMMENTS = 3


@dataclass(frozen=True)
class Subject:
    """A kind of tracker, its stand-in, and how Perceval is told of it."""

    standin: Callable[[int], Any]  # makes one with so many issues
    secret: str
    checks: str  # expression of the requests, as METHOD and address, that only ask who one is, or log in
    username: str | None = None
    kind: str | None = None  # None: the name in the table
    path: str = ""  # of the base address, below the stand-in's
    perceval: str | None = None  # module:class; None: Perceval does not have the kind
    told: Mapping[str, Any] = field(default_factory=dict)  # arguments; {url} is the stand-in's address


def _redmine(issues: int) -> Any:
    from tests.trackers.redmine.standin import RedmineStandIn, detail, journal

    server = RedmineStandIn(issues)
    for number, one in server.issues.items():
        one["description"] = PROSE
        one["journals"] = [
            journal(10 * number + place, PROSE if place % 2 else "", detail("status_id", "1", "2"))
            for place in range(5)
        ]
    return server


def _jira(issues: int) -> Any:
    from tests.trackers.jira.standin import JiraStandIn

    def for_perceval(asked: Asked) -> Reply | None:
        """The fields, and searches by an address."""
        if asked.path.endswith("/field"):
            return Reply([])
        if asked.method != "GET" or not asked.path.endswith("/search"):
            return None
        since = int(asked.one("jql").split()[2]) / 1000
        found = [each for each in server.issues if each.updated.timestamp() > since]
        start, size = int(asked.one("startAt")), int(asked.one("maxResults"))
        wanted = {"fields": ["*all"], "expand": ["changelog"]}
        rows = [server._told(each, wanted) for each in found[start : start + size]]
        return Reply({"startAt": start, "maxResults": size, "total": len(found), "issues": rows})

    server = JiraStandIn()
    server.before.append(for_perceval)
    server.most = 100
    for _ in range(issues):
        issue = server.create("DOC", "Timeout", PROSE)
        for _ in range(_COMMENTS):
            server.comment(issue, PROSE)
    return server


def _github(issues: int) -> Any:
    from tests.trackers.github.standin import GitHubStandIn, user

    no_reactions = {"total_count": 0}

    def for_perceval(asked: Asked) -> Reply | None:
        """The limits, the people and their organizations; the rest it asks below another path."""
        path = asked.path.removeprefix("/api/v3")
        if path == asked.path:
            return None
        if path == "/rate_limit":
            return Reply({})
        if path.startswith("/users/"):
            return Reply([] if path.endswith("/orgs") else user(path.rpartition("/")[2]))
        return server.routed(replace(asked, path=path))

    server = GitHubStandIn(0)
    server.before.append(for_perceval)
    for number in range(1, issues + 1):
        server.add(number, body=PROSE, reactions=no_reactions)
        server.happen(number, "labeled", label={"name": "bug"})
        for _ in range(_COMMENTS):
            server.happen(number, "commented", user=user("park"), body=PROSE, reactions=no_reactions)
        server.happen(number, "renamed", rename={"from": "Slow", "to": "Timeout"})
    return server


def _gitlab(issues: int) -> Any:
    from tests.trackers.gitlab.standin import GitLabStandIn

    def for_perceval(asked: Asked) -> Reply | None:
        """What only Perceval asks: votes; and it goes on at the addresses that the pages name."""
        server.host = server.url
        return Reply([]) if asked.path.endswith("/award_emoji") else None

    server = GitLabStandIn(0)
    server.path = "seoul/desk"
    server.before.append(for_perceval)
    for _ in range(issues):
        issue = server.add("Timeout", PROSE)
        server.happen(issue, "label", action="add", label={"name": "bug"})
        server.happen(issue, "state", state="reopened")
        for _ in range(_COMMENTS):
            server.note(issue, PROSE)
    return server


def _bugs(issues: int) -> Any:
    from tests.trackers.bugzilla.standin import BugzillaStandIn

    server = BugzillaStandIn(knows_headers=True)
    server.most = 10_000  # as Bugzilla is delivered
    for number in range(1, issues + 1):
        bug = server.create("Core", f"Timeout {number}", PROSE)
        for _ in range(_COMMENTS):
            server.comment(bug, PROSE)
        server.change(bug, status="IN_PROGRESS", priority="high")
    return server


def _bugzilla(issues: int) -> Any:
    def for_perceval(asked: Asked) -> Reply | None:
        """Whole bugs from some place on in the order of their changes."""
        if not asked.path.endswith("/rest/bug") or asked.one("order") != "changeddate":
            return None
        since, start = datetime.fromisoformat(asked.one("last_change_time")), int(asked.one("offset", "0"))
        found = sorted(
            (bug for bug in server.bugs.values() if bug.changed >= since), key=lambda bug: bug.changed
        )
        rows = found[start : start + int(asked.one("limit"))]
        return Reply({"bugs": [bug.fields for bug in rows]})

    server = _bugs(issues)
    server.before.append(for_perceval)
    return server


def _bugzilla_pages(issues: int) -> Any:
    from tests.trackers.bugzilla.cgi_standin import CgiStandIn

    def for_perceval(asked: Asked) -> Reply | None:
        """The version, a login without the form's token, and lists in the order of changes."""
        name = asked.path.rpartition("/")[2]
        if name == "show_bug.cgi" and "id" not in asked.query:
            return Reply(b'<?xml version="1.0"?>\n<bugzilla version="4.2.1"></bugzilla>')
        if name == "index.cgi" and asked.method == "POST" and b"login_token" not in asked.body:
            token = f"&Bugzilla_login_token={server.form_token}".encode()
            return server.routed(replace(asked, body=asked.body + token))
        if name != "buglist.cgi" or "field0-0-0" in asked.query:
            return None
        since = datetime.fromisoformat(asked.one("chfieldfrom")).replace(tzinfo=server.zone)
        found = sorted((bug.changed.astimezone(server.zone), bug.id) for bug in server.bugs.values())
        rows = [f'{number},"{when:%Y-%m-%d %H:%M:%S}"' for when, number in found if when >= since]
        return Reply("\n".join(['bug_id,"changeddate"', *rows]).encode(), 200, {"Content-Type": "text/csv"})

    server = CgiStandIn(_bugs(issues))
    server.zone = ZoneInfo("UTC")  # that of a tracker whose zone nobody told
    server.before.append(for_perceval)
    return server


def _rt(issues: int) -> Any:
    from tests.trackers.rt.standin import FIRST, RtStandIn

    server = RtStandIn(issues)
    for number, rows in server.attachments.items():
        for row in rows:
            row.update(bytes=PROSE.encode(), ContentLength=str(len(PROSE)))
        server.change(number, "Status", FIRST, Field="Status", OldValue="new", NewValue="open")
    return server


def _roundup(issues: int) -> Any:
    from bench.roundup import RoundupBehindADoor

    return RoundupBehindADoor(issues, PROSE)


SUBJECTS = {
    "bugzilla": Subject(
        standin=_bugzilla,
        checks=r"GET /bugs/rest/whoami",
        secret="key-of-kim-0123456789",  # noqa: S106 - the stand-in's
        path="/bugs",
        perceval="perceval.backends.core.bugzillarest:BugzillaREST",
        told={"url": "{url}/bugs", "api_key": "key-of-kim-0123456789"},
    ),
    "bugzilla pages": Subject(
        standin=_bugzilla_pages,
        checks=r"(GET|POST) /bugs/index\.cgi.*|GET /bugs/show_bug\.cgi\?.*&excludefield=long_desc",
        secret="s3cret-of-kim",  # noqa: S106 - the stand-in's
        username="kim@example.com",
        kind="bugzilla",
        path="/bugs",
        perceval="perceval.backends.core.bugzilla:Bugzilla",
        told={"url": "{url}/bugs", "user": "kim@example.com", "password": "s3cret-of-kim"},
    ),
    "github": Subject(
        standin=_github,
        checks=r"GET /user",
        secret="right-token",  # noqa: S106 - the stand-in's
        path="/repos/octo/desk",
        perceval="perceval.backends.core.github:GitHub",
        told={"owner": "octo", "repository": "desk", "api_token": ["right-token"], "base_url": "{url}"},
    ),
    "gitlab": Subject(
        standin=_gitlab,
        checks=r"GET /api/v4/user",
        secret="glpat-right",  # noqa: S106 - the stand-in's
        path="/seoul/desk",
        perceval="perceval.backends.core.gitlab:GitLab",
        told={
            "owner": "seoul",
            "repository": "desk",
            "api_token": "glpat-right",
            "base_url": "{url}",
        },
    ),
    "jira": Subject(
        standin=_jira,
        checks=r"GET /rest/api/2/myself",
        secret="pat-of-kim",  # noqa: S106 - the stand-in's
        perceval="perceval.backends.core.jira:Jira",
        told={"url": "{url}", "api_token": "pat-of-kim"},
    ),
    "redmine": Subject(
        standin=_redmine,
        checks=r"GET /users/current\.json",
        secret="right-key",  # noqa: S106 - the stand-in's
        perceval="perceval.backends.core.redmine:Redmine",
        told={"url": "{url}", "api_token": "right-key"},
    ),
    "roundup": Subject(
        standin=_roundup,
        checks=r"GET /tracker/rest/data/user\?.*",
        secret="kim-secret",  # noqa: S106 - that of its tests
        username="kim",
        path="/tracker",
    ),
    "rt": Subject(
        standin=_rt,
        checks=r"GET /REST/2\.0/rt",
        secret="1-14-0123456789abcdef0123456789abcdef",  # noqa: S106 - the stand-in's
    ),
}
