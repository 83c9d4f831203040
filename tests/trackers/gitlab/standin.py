"""A stand-in for GitLab: lists by pages and filters, notes and events apart, moves, deletions, a clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from tests.fixtures.api_server import ApiServer, Asked, Reply

TOKEN = "glpat-right"
PATH = "seoul/tools/desk"
OTHER = "seoul/tools/attic"
NUMBER, OTHER_NUMBER = 7, 8
EVENTS = ("label", "state", "milestone", "weight", "iteration")
SECRET = "0123456789abcdef" * 2
MOST_ROWS = 100
_GONE = Reply({"message": "404 Not found"}, 404)
_NO_ROUTE = Reply({"error": "404 Not Found"}, 404)
_HTML = {"Content-Type": "text/html; charset=utf-8"}


def user(name: str) -> dict[str, Any]:
    """Somebody, with a part of what GitLab tells."""
    return {"id": len(name), "username": name, "name": name.title(), "state": "active"}


@dataclass
class Issue:
    """An issue as the server keeps it; times to the microsecond."""

    number: int
    title: str
    description: str | None
    created: datetime
    updated: datetime
    project: int = NUMBER
    hidden: bool = False
    state: str = "opened"
    notes: list[dict[str, Any]] = field(default_factory=list)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {each: [] for each in EVENTS})
    links: list[dict[str, Any]] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)


class GitLabStandIn(ApiServer):
    """One project of some issues, and another one that issues are moved to."""

    def __init__(self, count: int = 7, *, root: str = "", licensed: bool = False) -> None:
        super().__init__()
        self.root = root
        self.licensed = licensed  # whether it has weights and iterations
        self.now = datetime(2026, 1, 1, 9, tzinfo=UTC)
        self.path = PATH
        self.old_paths: set[str] = set()
        self.is_public = True
        self.about: dict[str, Any] = {"issues_enabled": True, "runners_token": "glrt-of-the-project"}
        self.tokens = {TOKEN}
        self.issues: dict[int, Issue] = {}
        self.elsewhere: dict[int, Issue] = {}
        self.files: dict[str, bytes] = {}  # by secret/name
        self.gives_files = True  # by the API; from 17.4 on
        self.refused: dict[str, int] = {}  # with which status, by the last part of the path
        self.too_old: set[str] = set()  # parts that this version does not have
        self.most_rows = MOST_ROWS
        self.largest: dict[str, int] = {}  # it fails at larger pages of a part
        self.counts = True  # X-Total
        self.host = "https://gitlab.internal.example"  # as its administrators set it, for Link
        self._next = 1000
        for number in range(1, count + 1):
            self.add(
                f"Timeout {number}" if number % 2 else f"커넥션 오류 {number}", f"Seen at *step* {number}."
            )
        self.before.append(self._judge)
        api = f"{root}/api/v4"
        project = rf"{api}/projects/(?P<project>[^/]+(?:/[^/]+)*?)"
        self.route("GET", rf"{api}/user", self._me)
        self.route("GET", rf"{project}/issues", self._list)
        self.route("GET", rf"{project}/issues/(?P<number>[0-9]+)", self._issue)
        self.route("GET", rf"{project}/issues/(?P<number>[0-9]+)/(?P<part>[a-z_]+)", self._part)
        self.route("GET", rf"{project}/uploads/(?P<file>[0-9a-f]{{32}}/[^/]+)", self._file)
        self.route(
            "GET", rf"{root}/(?P<project>[a-z/]+)/uploads/(?P<file>[0-9a-f]{{32}}/[^/]+)", self._web_file
        )
        self.route("GET", rf"{root}/users/sign_in", self._sign_in)
        self.route("GET", project, self._project)

    @property
    def base(self) -> str:
        """The project's address within the API."""
        return f"{self.url}{self.root}/api/v4/projects/{self.path.replace('/', '%2F')}"

    @property
    def page(self) -> str:
        """The project's address as people copy it."""
        return f"{self.url}{self.root}/{self.path}"

    def asked_paths(self) -> list[str]:
        """The paths below the API that were asked for, in order."""
        return [each.path.removeprefix(f"{self.root}/api/v4") for each in self.asked]

    def pass_time(self, **how: float) -> None:
        """Let the clock go on."""
        self.now += timedelta(**how)

    def add(self, title: str, description: str | None = None, *, at: datetime | None = None) -> Issue:
        """One more issue."""
        self.pass_time(seconds=90.000_123)
        number = max(self.issues, default=0) + 1
        moment = self.now if at is None else at
        issue = Issue(number, title, description, moment, moment)
        self.issues[number] = issue
        return issue

    def note(self, issue: Issue, body: str, *, system: bool = False, who: str = "lee", **more: Any) -> None:
        """One more note; one within a minute of the change before leaves the issue's time alone."""
        self.pass_time(seconds=1)
        self._next += 1
        issue.notes.append({
            "id": self._next, "body": body, "author": user(who), "created_at": self.time(), "system": system,
            "updated_at": self.time(), "noteable_iid": issue.number, "internal": False, **more,
        })  # fmt: skip
        self._touch(issue)

    def happen(self, issue: Issue, event: str, **more: Any) -> None:
        """One more event."""
        self.pass_time(seconds=1)
        self._next += 1
        issue.events[event].append(
            {
                "id": self._next,
                "user": user("kim"),
                "created_at": self.time(),
                "resource_type": "Issue",
                **more,
            }
        )
        self._touch(issue)

    def close(self, issue: Issue) -> None:
        """Close an issue."""
        issue.state = "closed"
        self.happen(issue, "state", state="closed")
        issue.more |= {"closed_at": self.time(), "closed_by": user("kim")}

    def move(self, issue: Issue, to: int) -> None:
        """Move an issue to the other project: it stays, closed, and its copy is there."""
        self.elsewhere[to] = Issue(
            to, issue.title, issue.description, issue.created, self.now, OTHER_NUMBER, notes=list(issue.notes)
        )
        self.note(self.elsewhere[to], f"moved from desk#{issue.number}", system=True)
        self.pass_time(minutes=5)
        issue.more["moved_to_id"] = 90_000 + to
        self.note(issue, f"moved to attic#{to}", system=True)
        self.close(issue)

    def link(self, one: Issue, two: Issue, kind: str = "relates_to") -> None:
        """Link two issues, which leaves a note under both."""
        for here, there, direction in (
            (one, two, kind),
            (two, one, "is_blocked_by" if kind == "blocks" else kind),
        ):
            here.links.append({**self.shown(there), "issue_link_id": 1, "link_type": direction})
            self.note(here, f"marked this issue as related to #{there.number}", system=True)

    def time(self, moment: datetime | None = None) -> str:
        """A time as GitLab tells it: to the millisecond."""
        moment = moment or self.now
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"

    def shown(self, issue: Issue) -> dict[str, Any]:
        """An issue as a list has it."""
        path = self.path if issue.project == NUMBER else OTHER
        paid = {"weight": None, "iteration": None, "epic": None} if self.licensed else {}
        return {
            "id": 40_000 + issue.number,
            "iid": issue.number,
            "project_id": issue.project,
            "title": issue.title,
            "description": issue.description,
            "state": issue.state,
            "created_at": self.time(issue.created),
            "updated_at": self.time(issue.updated),
            "closed_at": None,
            "labels": ["bug", "priority::high"],
            "milestone": None,
            "assignees": [user("park")],
            "author": user("kim"),
            "user_notes_count": sum(not each["system"] for each in issue.notes),
            "issue_type": "issue",
            "severity": "UNKNOWN",
            "confidential": False,
            "due_date": None,
            "web_url": f"{self.url}{self.root}/{path}/-/issues/{issue.number}",
            "references": {"short": f"#{issue.number}", "full": f"{path}#{issue.number}"},
            "_links": {"self": "x", "closed_as_duplicate_of": None},
            "moved_to_id": None,
            **paid,
            **issue.more,
        }

    def _touch(self, issue: Issue) -> None:
        if self.now - issue.updated > timedelta(minutes=1):
            issue.updated = self.now

    def _judge(self, asked: Asked) -> Reply | None:
        """What is said before anything else: who asks, and whether he may ask at all."""
        token = asked.headers.get("private-token")
        is_api = asked.path.startswith(f"{self.root}/api/v4/")
        if is_api and token is not None and token not in self.tokens:
            return Reply({"message": "401 Unauthorized"}, 401)
        if asked.path.endswith("/api/v4/version"):
            return Reply({"message": "401 Unauthorized"}, 401, {"X-Gitlab-Meta": '{"version":"1"}'})
        return None

    def _me(self, asked: Asked) -> Reply:
        if "private-token" not in asked.headers:
            return Reply({"message": "401 Unauthorized"}, 401)
        return Reply({"id": 3, "username": "kim", "email": "kim@example.com"})

    def _of(self, asked: Asked) -> dict[int, Issue] | None:
        """The issues of the project that is asked for; None: the account sees no such project."""
        name = asked.found["project"]
        if name in (self.path, str(NUMBER)) and (self.is_public or "private-token" in asked.headers):
            return self.issues
        return self.elsewhere if name in (OTHER, str(OTHER_NUMBER)) else None

    def _project(self, asked: Asked) -> Reply:
        if asked.found["project"] in self.old_paths:
            return Reply({}, 301, {"Location": f"{self.url}{self.root}/api/v4/projects/{NUMBER}"})
        if self._of(asked) is not self.issues:
            return Reply({"message": "404 Project Not Found"}, 404)
        return Reply({"id": NUMBER, "path_with_namespace": self.path, "name": "Desk", **self.about})

    def _list(self, asked: Asked) -> Reply:
        issues = self._of(asked)
        if issues is None:
            return Reply({"message": "404 Project Not Found"}, 404)
        if not self.about["issues_enabled"]:
            return Reply({"message": "403 Forbidden"}, 403)
        rows = [each for each in issues.values() if not each.hidden]
        if numbers := asked.query.get("iids[]"):
            rows = [each for each in rows if str(each.number) in numbers]
        if before := asked.one("created_before"):
            rows = [each for each in rows if each.created <= datetime.fromisoformat(before)]
        if after := asked.one("updated_after"):
            rows = [each for each in rows if each.updated >= datetime.fromisoformat(after)]
        if asked.one("state", "all") != "all":
            rows = [each for each in rows if each.state == asked.one("state")]
        by_change = asked.one("order_by", "created_at") == "updated_at"
        rows.sort(key=lambda each: (each.updated if by_change else each.created, each.number))
        if asked.one("sort", "desc") == "desc":
            rows.reverse()
        return self._paged(asked, rows, self.shown)

    def _paged(self, asked: Asked, rows: list[Any], shown: Any = lambda row: row) -> Reply:
        size = min(int(asked.one("per_page", "20")), self.most_rows)
        page = int(asked.one("page", "1"))
        start, end = (page - 1) * size, page * size
        if start > 50_000:
            return Reply({"error": "Offset pagination has a maximum allowed offset of 50000"}, 405)
        more = len(rows) > end
        headers = {"X-Next-Page": str(page + 1) if more else "", "X-Page": str(page)}
        if self.counts:
            headers["X-Total"] = str(len(rows))
        if more:
            rest = urlencode(
                [
                    (name, value)
                    for name, values in asked.query.items()
                    for value in values
                    if name not in ("page", "per_page")
                ]
            )
            place = asked.raw_path.partition("?")[0]
            address = f"{self.host or self.url}{place}?page={page + 1}&per_page={size}&{rest}"
            headers["Link"] = f'<{self.host}/first>; rel="first", <{address}>; rel="next"'
        return Reply([shown(row) for row in rows[start:end]], 200, headers)

    def _found(self, asked: Asked) -> Issue | None:
        issue = (self._of(asked) or {}).get(int(asked.found["number"]))
        return None if issue is None or issue.hidden else issue

    def _issue(self, asked: Asked) -> Reply:
        issue = self._found(asked)
        return _GONE if issue is None else Reply({**self.shown(issue), "subscribed": True})

    def _part(self, asked: Asked) -> Reply:
        issue, part = self._found(asked), asked.found["part"]
        event = part.removeprefix("resource_").removesuffix("_events")
        is_paid = event in ("weight", "iteration")
        if part in self.too_old or (is_paid and not self.licensed):
            return _NO_ROUTE
        if issue is None:
            return _GONE
        if part in self.refused:
            return Reply({"message": f"{self.refused[part]} Forbidden"}, self.refused[part])
        if part == "links" and "private-token" not in asked.headers:
            return Reply({"message": "401 Unauthorized"}, 401)
        if int(asked.one("per_page", "20")) > self.largest.get(part, MOST_ROWS):
            return Reply({"message": "500 Internal Server Error"}, 500)
        if part == "notes":
            return self._paged(asked, issue.notes if asked.one("sort") == "asc" else issue.notes[::-1])
        if part == "links":
            return Reply(issue.links)
        return self._paged(asked, issue.events[event])

    def _file(self, asked: Asked) -> Reply:
        if "private-token" not in asked.headers:
            return Reply({"message": "401 Unauthorized"}, 401)
        if not self.gives_files:
            return _NO_ROUTE
        body = self.files.get(asked.found["file"])
        return _GONE if body is None else Reply(body)

    def _web_file(self, asked: Asked) -> Reply:
        """As for a browser: a token is nothing to it, a session is."""
        body = self.files.get(asked.found["file"])
        if body is not None and self.is_public and asked.found["project"] == self.path:
            return Reply(body)
        return Reply(b"", 302, {"Location": f"{self.root}/users/sign_in"})

    def _sign_in(self, asked: Asked) -> Reply:
        return Reply(b'<html><meta content="GitLab" property="og:site_name">Sign in</html>', 200, _HTML)


def filled(*, root: str = "", licensed: bool = False) -> GitLabStandIn:
    """A GitLab with some of everything."""
    server = GitLabStandIn(7, root=root, licensed=licensed)
    first, second, third = server.issues[1], server.issues[2], server.issues[3]
    server.pass_time(hours=1)
    server.note(first, f"See [the log](/uploads/{SECRET}/로그.txt), *please*.")
    server.note(first, "For the team.", internal=True)
    server.note(first, "changed title from **{-Slow-}** to **{+Timeout+} 1**", system=True)
    server.happen(first, "label", action="add", label={"id": 1, "name": "bug"})
    server.happen(first, "milestone", action="add", milestone={"id": 1, "title": "1.0"})
    server.files[f"{SECRET}/로그.txt"] = b"a line\n"
    server.link(second, third, "blocks")
    server.close(third)
    server.asked.clear()
    return server
