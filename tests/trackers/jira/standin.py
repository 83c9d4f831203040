"""A Jira on loopback, of Server or of Cloud: caps, paging, moves, deletions and a clock of its own."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.fixtures.api_server import ApiServer, Asked, Reply
from tests.trackers.jira.jql import Jql, WrongJql

USER, SECRET, TOKEN = "kim", "s3cret-of-kim", "pat-of-kim"
_GONE = Reply({"errorMessages": ["Issue Does Not Exist"], "errors": {}}, 404)
_EPOCH = datetime(2024, 1, 1, 9, tzinfo=UTC)
CATEGORIES = {"To Do": "new", "In Progress": "indeterminate", "Done": "done"}


@dataclass
class Issue:
    """What the stand-in knows of an issue."""

    id: str
    key: str
    summary: str
    description: Any
    created: datetime
    updated: datetime
    status: str = "To Do"
    hidden: bool = False
    earlier: set[str] = field(default_factory=set)
    comments: list[dict[str, Any]] = field(default_factory=list)
    histories: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)


class JiraStandIn(ApiServer):
    """A Jira.

    Args:
        is_cloud: which of the two.
        context: the path that it is under.
    """

    def __init__(self, *, is_cloud: bool = False, context: str = "") -> None:
        super().__init__()
        self.is_cloud = is_cloud
        self.context = context
        self.api = f"{context}/rest/api/{3 if is_cloud else 2}"
        self.version = "9.12.4"
        self.zone = ZoneInfo("Asia/Seoul")  # of the account's profile
        self.projects = {"DOC": "Documents", "OPS": "Operations", "EMPTY": "Nothing yet"}
        self.issues: list[Issue] = []
        self.now = _EPOCH
        self.most = 7  # issues on a page, however many were asked for
        self.changelog_cap = 1000
        self.comment_cap = 1000
        self.has_changelog = is_cloud  # whether the history can be had by itself
        self.gives_files_to_tokens = True
        self.is_public = False  # anybody may read it
        self._ids = 10_000
        self._tokens: dict[str, tuple[str, int]] = {}
        self._add_routes()

    # What people do there

    def pass_time(self, **how: float) -> None:
        """Let the clock go on."""
        self.now += timedelta(**how)

    def number(self) -> str:
        """A fresh id."""
        self._ids += 1
        return str(self._ids)

    def create(self, project: str, summary: str, description: Any = None, **more: Any) -> Issue:
        """A new issue."""
        self.pass_time(hours=7)
        number = 1 + max((int(each.key.rpartition("-")[2]) for each in self.of(project)), default=0)
        issue = Issue(
            id=self.number(),
            key=f"{project}-{number}",
            summary=summary,
            description=self.text(description),
            created=self.now,
            updated=self.now,
            more=more,
        )
        self.issues.append(issue)
        return issue

    def of(self, project: str) -> list[Issue]:
        """The issues of a project."""
        return [each for each in self.issues if each.key.startswith(f"{project}-")]

    def find(self, key: str) -> Issue | None:
        """An issue by its key, a former one too, or its id."""
        return next((each for each in self.issues if key in (each.key, each.id, *each.earlier)), None)

    def text(self, words: Any) -> Any:
        """A text as this Jira keeps it."""
        if not self.is_cloud or not isinstance(words, str):
            return words
        paragraphs = [
            {"type": "paragraph", "content": [{"type": "text", "text": each}]} for each in words.split("\n")
        ]
        return {"type": "doc", "version": 1, "content": paragraphs}

    def comment(self, issue: Issue, words: str, **more: Any) -> dict[str, Any]:
        """A new comment."""
        self.pass_time(minutes=3)
        issue.updated = self.now
        told = {"id": self.number(), "author": self.person(), "body": self.text(words)}
        issue.comments.append(told | {"created": self.time(), "updated": self.time()} | more)
        return issue.comments[-1]

    def change(self, issue: Issue, **fields: str) -> None:
        """A change of fields, which the history tells."""
        self.pass_time(minutes=5)
        issue.updated = self.now
        items = []
        for name, value in fields.items():
            items.append(
                {"field": name, "fieldtype": "jira", "from": None, "fromString": getattr(issue, name, None)}
                | {"to": None, "toString": value}
            )
            setattr(issue, name, value)
        self.history(issue, items)

    def history(self, issue: Issue, items: list[dict[str, Any]]) -> None:
        """An entry of the history."""
        issue.histories.append(
            {"id": self.number(), "author": self.person(), "created": self.time(), "items": items}
        )

    def move(self, issue: Issue, project: str) -> None:
        """Give an issue a key of another project; the old one leads to it."""
        self.pass_time(minutes=5)
        number = 1 + max((int(each.key.rpartition("-")[2]) for each in self.of(project)), default=0)
        old, issue.key = issue.key, f"{project}-{number}"
        issue.earlier.add(old)
        issue.updated = self.now
        self.history(issue, [{"field": "Key", "fromString": old, "toString": issue.key}])

    def attach(self, issue: Issue, name: str, body: bytes, kind: str = "text/plain") -> None:
        """A new file."""
        self.pass_time(minutes=1)
        issue.updated = self.now
        number = self.number()
        issue.files.append(
            {"id": number, "filename": name, "size": len(body), "mimeType": kind, "author": self.person()}
            | {
                "created": self.time(),
                "content": f"http://jira.example.com/secure/attachment/{number}/{name}",
            }
            | {"body": body}
        )

    def person(self, login: str = USER) -> dict[str, Any]:
        """Somebody as this Jira tells of them."""
        if self.is_cloud:
            return {"accountId": f"5ecf:{login}", "displayName": login.title(), "active": True}
        return {"name": login, "key": f"JIRAUSER{len(login)}", "displayName": login.title(), "active": True}

    def time(self, moment: datetime | None = None) -> str:
        """A time as Jira writes it, by the clock of the server."""
        local = (moment or self.now).astimezone(ZoneInfo("Europe/Berlin"))
        return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03}{local:%z}"

    # How it answers

    def _add_routes(self) -> None:
        api, open_api = self.api, f"{self.context}/rest/api/2"
        for method, path, answer in (
            ("GET", f"{open_api}/serverInfo", self._server_info),
            ("GET", f"{open_api}/myself", self._myself),
            ("GET", f"{api}/project", self._projects),
            ("GET", f"{api}/project/search", self._project_search),
            ("GET", f"{api}/issue/(?P<key>[^/]+)", self._issue),
            ("GET", f"{api}/issue/(?P<key>[^/]+)/(?P<list>comment|changelog|worklog)", self._list),
        ):
            self.route(method, path, answer)
        if self.is_cloud:
            self.route("POST", f"{api}/search/jql", self._search_cloud)
            self.route("POST", f"{api}/issue/bulkfetch", self._bulk)
            self.route("POST", f"{api}/search", lambda asked: Reply({"errorMessages": ["Gone"]}, 410))
            self.route("GET", f"{api}/attachment/content/(?P<id>[0-9]+)", self._file)
        else:
            self.route("POST", f"{api}/search", self._search)
            self.route("GET", f"{self.context}/secure/attachment/(?P<id>[0-9]+)/.*", self._file)
            self.route("GET", f"{self.context}/login.jsp", self._login_page)

    def answer(self, asked: Asked) -> Reply:
        """Answer as whoever asks may see it; Cloud takes a wrong secret for nobody's."""
        is_nobody = self.is_public and "authorization" not in asked.headers
        is_open = is_nobody or asked.path.endswith(("/serverInfo", "/login.jsp"))
        who = self._who(asked)
        if who or is_open:
            return super().answer(asked)
        if not self.is_cloud or asked.path.endswith("/myself"):
            self.asked.append(asked)
            told = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}
            return Reply({"errorMessages": ["You are not authenticated."]}, 401, told)
        seen, self.issues = self.issues, []
        reply = super().answer(asked)
        self.issues = seen
        return Reply(reply.body, reply.status, {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"})

    def _who(self, asked: Asked) -> bool:
        kind, _, secret = asked.headers.get("authorization", "").partition(" ")
        if kind == "Bearer":
            return not self.is_cloud and secret == TOKEN
        return kind == "Basic" and base64.b64decode(secret).decode() == f"{USER}:{SECRET}"

    def _server_info(self, asked: Asked) -> Reply:
        told = {"baseUrl": "http://jira.example.com", "version": self.version, "versionNumbers": [9, 12, 4]}
        deployment = "Cloud" if self.is_cloud else "Server"
        return Reply(told | {"deploymentType": deployment, "serverTime": self.time()})

    def _myself(self, asked: Asked) -> Reply:
        return Reply(self.person() | {"timeZone": self.zone.key})

    def _projects(self, asked: Asked) -> Reply:
        return Reply([{"key": key, "name": name} for key, name in self.projects.items()])

    def _project_search(self, asked: Asked) -> Reply:
        rows = [{"key": key, "name": name} for key, name in self.projects.items()]
        start = int(asked.one("startAt", "0"))
        page = rows[start : start + 2]
        return Reply({"values": page, "total": len(rows), "isLast": start + len(page) >= len(rows)})

    def _search(self, asked: Asked) -> Reply:
        body = asked.json()
        try:
            found = list(self._found(body["jql"], checks=body.get("validateQuery", True)))
        except WrongJql as error:
            return Reply({"errorMessages": [str(error)]}, 400)
        start = body.get("startAt", 0)
        if start + body["maxResults"] > 10_000:
            return Reply({"errorMessages": ["Search limit exceeded"]}, 500)
        size = min(body["maxResults"], self.most)
        rows = [self._told(each, body) for each in found[start : start + size]]
        told = {"startAt": start, "maxResults": size, "total": len(found), "issues": rows}
        return Reply(told | self._names(body.get("expand", [])))

    def _search_cloud(self, asked: Asked) -> Reply:
        body = asked.json()
        if unknown := body.keys() - {"jql", "fields", "expand", "maxResults", "nextPageToken"}:
            return Reply({"errorMessages": [f"Invalid request payload: {unknown}"]}, 400)
        token = body.get("nextPageToken")
        text, start = self._tokens.get(token, (body["jql"], 0 if token is None else -1))
        if start < 0 or text != body["jql"]:
            return Reply({"errorMessages": ["Das Token ist abgelaufen."]}, 400)
        try:
            found = list(self._found(text, checks=True))
        except WrongJql as error:
            return Reply({"errorMessages": [str(error)]}, 400)
        end = start + min(body["maxResults"], self.most)
        told: dict[str, Any] = {"issues": [self._told(each, body) for each in found[start:end]]}
        if end >= len(found):
            return Reply(told | {"isLast": True})
        following = f"token-{self.number()}"
        self._tokens[following] = (text, end)
        return Reply(told | {"nextPageToken": following, "isLast": False})

    def _bulk(self, asked: Asked) -> Reply:
        body = asked.json()
        found = [self.find(key) for key in body["issueIdsOrKeys"]]
        rows = [self._told(each, body) for each in found if each is not None and not each.hidden]
        return Reply({"issues": rows, "issueErrors": []} | self._names(body.get("expand", [])))

    def _found(self, text: str, *, checks: bool) -> Iterator[Issue]:
        zone = None if self.is_cloud else self.zone
        question = Jql(text, zone=zone, exists=lambda key: not checks or self.find(key) is not None)
        if self.is_cloud and not question.is_bounded:
            raise WrongJql("Unbounded JQL queries are not allowed here.")
        rows = [each for each in self.issues if question.matches(each) and not each.hidden]
        yield from sorted(rows, key=lambda each: (each.created, int(each.id)), reverse=True)

    def _issue(self, asked: Asked) -> Reply:
        issue = self.find(asked.found["key"])
        if issue is None or (issue.hidden and self.is_cloud):
            return _GONE
        if issue.hidden:
            return Reply({"errorMessages": ["You do not have the permission to see it."]}, 403)
        expand = asked.one("expand").split(",")
        told = self._told(issue, {"fields": asked.one("fields").split(","), "expand": expand})
        return Reply(told | self._names(expand))

    def _names(self, expand: list[str]) -> dict[str, Any]:
        names = {"summary": "Summary", "customfield_10001": "Story Points", "customfield_10002": "Severity"}
        return {"names": names | {"customfield_10003": "Epic Link"}} if "names" in expand else {}

    def _told(self, issue: Issue, body: dict[str, Any]) -> dict[str, Any]:
        fields = self._fields(issue)
        if "*all" not in body["fields"]:
            fields = {name: fields[name] for name in body["fields"]}
        told: dict[str, Any] = {"id": issue.id, "key": issue.key, "fields": fields}
        if "changelog" in body.get("expand", []):
            rows = issue.histories[-self.changelog_cap :]
            told["changelog"] = {"startAt": 0, "maxResults": len(rows), "total": len(issue.histories)}
            told["changelog"]["histories"] = rows[::-1] if self.is_cloud else rows
        return told

    def _fields(self, issue: Issue) -> dict[str, Any]:
        project = issue.key.rpartition("-")[0]
        files = [{name: value for name, value in each.items() if name != "body"} for each in issue.files]
        rows = issue.comments[: self.comment_cap]
        return {
            "summary": issue.summary,
            "description": issue.description,
            "project": {"key": project, "name": self.projects[project]},
            "status": {"name": issue.status, "statusCategory": {"key": CATEGORIES.get(issue.status, "new")}},
            "issuetype": {"name": "Bug", "subtask": False},
            "priority": {"name": "High", "id": "2"},
            "reporter": self.person("lee"),
            "assignee": None,
            "created": self.time(issue.created),
            "updated": self.time(issue.updated),
            "resolutiondate": self.time(issue.updated) if issue.status == "Done" else None,
            "lastViewed": self.time(),
            "labels": ["seoul", "night"],
            "components": [{"name": "core"}],
            "attachment": files,
            "comment": {
                "comments": rows,
                "total": len(issue.comments),
                "maxResults": len(rows),
                "startAt": 0,
            },
            **issue.more,
        }

    def _list(self, asked: Asked) -> Reply:
        issue = self.find(asked.found["key"])
        if issue is None or issue.hidden:
            return _GONE
        name = asked.found["list"]
        if name == "changelog" and not self.has_changelog:
            return Reply(b"<html>not found</html>", 404, {"Content-Type": "text/html"})
        rows = {"comment": issue.comments, "changelog": issue.histories}.get(name, [])
        member = {"comment": "comments", "changelog": "values", "worklog": "worklogs"}[name]
        if name == "comment" and asked.one("orderBy") != "created":
            rows = rows[::-1] if len(self.asked) % 2 else rows  # in no order that lasts
        start, size = int(asked.one("startAt", "0")), min(int(asked.one("maxResults", "50")), 100)
        page = rows[start : start + size]
        told = {"startAt": start, "maxResults": size, "total": len(rows), member: page}
        return Reply(told | {"isLast": start + len(page) >= len(rows)})

    def _file(self, asked: Asked) -> Reply:
        files = [each for issue in self.issues for each in issue.files if each["id"] == asked.found["id"]]
        if not files:
            return _GONE
        if asked.headers["authorization"].startswith("Bearer") and not self.gives_files_to_tokens:
            return Reply(b"", 302, {"Location": f"{self.context}/login.jsp?permissionViolation=true"})
        if self.is_cloud and asked.one("redirect") != "false":
            return Reply(b"", 303, {"Location": "https://api.media.atlassian.com/file/1/binary?token=ey"})
        return Reply(files[0]["body"], 200, {"Content-Type": files[0]["mimeType"]})

    def _login_page(self, asked: Asked) -> Reply:
        return Reply(b"<html><form>Log in</form></html>", 200, {"Content-Type": "text/html;charset=UTF-8"})


def filled(*, is_cloud: bool = False, context: str = "") -> JiraStandIn:
    """A Jira with some of everything: two projects, 23 issues."""
    jira = JiraStandIn(is_cloud=is_cloud, context=context)
    for number in range(1, 13):
        jira.create("DOC", f"Document {number} is late", f"The *printer* of floor {number}\nis out of paper.")
    for number in range(1, 12):
        jira.create("OPS", f"Disk {number} is full", None if number % 3 else "A zebra ate the backup.")
    first, second, third = jira.of("DOC")[:3]
    jira.comment(first, "Seen it, see DOC-2.")
    jira.comment(first, "For the team only.", visibility={"type": "role", "value": "Developers"})
    jira.comment(first, "Nobody wrote this.", author=None)
    jira.change(first, status="In Progress")
    jira.change(first, status="Done", summary="Document 1 was late")
    jira.attach(first, "log 1.txt", b"a line\n")
    jira.attach(second, "시간.bin", b"\x00\x01\x02", "application/octet-stream")
    kind = {"name": "Blocks", "inward": "is blocked by", "outward": "blocks"}
    other = {"id": third.id, "key": third.key, "fields": {"summary": third.summary}}
    second.more |= {
        "customfield_10001": 5.0,
        "customfield_10002": {"value": "Critical", "id": "7"},
        "customfield_10003": first.key,
        "issuelinks": [{"id": "1", "type": kind, "outwardIssue": other}],
        "parent": {"id": first.id, "key": first.key, "fields": {"summary": first.summary}},
    }
    return jira
