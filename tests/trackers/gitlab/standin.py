"""A stand-in for GitLab: lists by time of creation, notes and events apart, as its REST API has them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from tests.fixtures.api_server import ApiServer, Asked, Reply

TOKEN = "right-token"
PATH = "group/sub/desk"
SECRET = "0123456789abcdef" * 2
_UNTOLD = timedelta(microseconds=500)
MOST_ROWS = 100


def user(name: str) -> dict[str, Any]:
    """Somebody, with a part of what GitLab tells."""
    return {"id": len(name), "username": name, "name": name.title(), "state": "active"}


class GitLabStandIn(ApiServer):
    """One project of some issues."""

    def __init__(self, count: int = 7) -> None:
        super().__init__()
        self.tokens = {TOKEN}
        self.is_enabled = True
        self.is_public = True
        self.issues: dict[int, dict[str, Any]] = {}
        self.parts: dict[tuple[int, str], list[dict[str, Any]]] = {}
        self.hidden: set[int] = set()
        self.refused: dict[str, int] = {"resource_weight_events": 404, "resource_iteration_events": 404}
        self.largest_page = MOST_ROWS  # of notes, at more of which GitLab fails
        self.tells_totals = True
        self.names_pages = True  # by X-Next-Page; else by Link alone
        self.files: dict[str, bytes] = {}
        self._next = 1000
        for number in range(1, count + 1):
            self.add(number)
        self.before.append(self._login)
        project = rf"/api/v4/projects/(?:{PATH}|5)"
        self.route("GET", r"/api/v4/user", self._me)
        self.route("GET", project, self._project)
        self.route("GET", rf"{project}/issues", self._list)
        self.route("GET", rf"{project}/issues/(?P<number>[0-9]+)", self._issue)
        self.route("GET", rf"{project}/issues/(?P<number>[0-9]+)/(?P<part>\w+)", self._part)
        self.route("GET", rf"{project}/uploads/(?P<file>.+)", self._file)
        self.route("GET", rf"/{PATH}/uploads/(?P<file>.+)", self._page_of_file)

    @property
    def base(self) -> str:
        """The project's address within the API."""
        return f"{self.url}/api/v4/projects/{quote(PATH, safe='')}"

    def asked_paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [each.path for each in self.asked]

    def add(self, number: int, **other: Any) -> dict[str, Any]:
        """One more issue."""
        one = {
            "id": 90_000 + number,
            "iid": number,
            "project_id": 5,
            "title": f"Timeout {number}" if number % 2 else f"커넥션 오류 {number}",
            "description": f"It is **slow**.\n\n1. step {number}",
            "state": "opened",
            "author": user("kim"),
            "assignee": None,
            "assignees": [],
            "labels": ["bug"],
            "milestone": None,
            "severity": "UNKNOWN",
            "issue_type": "issue",
            "confidential": False,
            "created_at": f"2026-01-{number % 28 + 1:02}T10:00:00.{number:03}Z",
            "updated_at": f"2026-02-{number % 28 + 1:02}T10:00:00.123Z",
            "closed_at": None,
            "references": {"short": f"#{number}", "relative": f"#{number}", "full": f"{PATH}#{number}"},
            **other,
        }
        self.issues[number] = one
        return one

    def happen(self, number: int, part: str, at: str = "2026-03-01T10:00:00.000Z", **other: Any) -> None:
        """One more entry of a part; it changes the issue's time."""
        self._next += 1
        entry = {"id": self._next, "user": user("lee"), "created_at": at, **other}
        self.parts.setdefault((number, part), []).append(entry)
        self.issues[number]["updated_at"] = max(at, self.issues[number]["updated_at"])

    def note(self, number: int, text: str, at: str = "2026-03-01T10:00:00.000Z", **other: Any) -> None:
        """One more note."""
        self.happen(number, "notes", at, body=text, author=user("park"), **{"system": False, **other})

    def _login(self, asked: Asked) -> Reply | None:
        token = asked.headers.get("private-token")
        if asked.path.startswith("/api/v4") and token is not None and token not in self.tokens:
            return Reply({"message": "401 Unauthorized"}, 401)
        return None

    def _me(self, asked: Asked) -> Reply:
        if "private-token" not in asked.headers:
            return Reply({"message": "401 Unauthorized"}, 401)
        return Reply({"username": "kim", "email": "kim@example.com"})

    def _sees(self, asked: Asked) -> bool:
        return self.is_public or "private-token" in asked.headers

    def _project(self, asked: Asked) -> Reply:
        if not self._sees(asked):
            return Reply({"message": "404 Project Not Found"}, 404)
        level = "enabled" if self.is_enabled else "disabled"
        return Reply({"id": 5, "path_with_namespace": PATH, "issues_access_level": level})

    def _shown(self, asked: Asked, one: dict[str, Any]) -> bool:
        known = "private-token" in asked.headers or not one["confidential"]
        return one["iid"] not in self.hidden and self._sees(asked) and known

    def _list(self, asked: Asked) -> Reply:
        if not self.is_enabled:
            return Reply({"message": "403 Forbidden"}, 403)
        rows = [one for one in self.issues.values() if self._shown(asked, one)]
        if asked.one("scope") != "all" or asked.one("state") != "all":
            rows = [one for one in rows if one["state"] == "opened"]
        if numbers := asked.query.get("iids[]"):
            rows = [one for one in rows if str(one["iid"]) in numbers]
        if since := asked.one("updated_after"):
            rows = [one for one in rows if _moment(one["updated_at"]) >= _moment(since)]
        if before := asked.one("created_before"):
            # A GitLab keeps microseconds, of which it tells milliseconds only.
            rows = [one for one in rows if _moment(one["created_at"]) + _UNTOLD <= _moment(before)]
        rows.sort(key=lambda one: (one["created_at"], one["iid"]), reverse=True)
        return self._page(asked, [self._row(one) for one in rows])

    def _row(self, one: dict[str, Any]) -> dict[str, Any]:
        notes = self.parts.get((one["iid"], "notes"), [])
        count = sum(not each["system"] for each in notes)
        web = f"{self.url}/{PATH}/-/issues/{one['iid']}"
        return {"user_notes_count": count, "web_url": web, **one}

    def _page(self, asked: Asked, rows: list[dict[str, Any]]) -> Reply:
        size, number = min(int(asked.one("per_page", "20")), MOST_ROWS), int(asked.one("page", "1"))
        end = size * number
        following = number + 1 if len(rows) > end else None
        headers = {}
        if self.names_pages:
            headers["X-Next-Page"] = "" if following is None else str(following)
        if self.tells_totals:
            headers["X-Total"] = str(len(rows))
        kept = urlencode(
            [(key, each) for key, values in asked.query.items() for each in values if key != "page"]
        )
        place = self.url + asked.raw_path.partition("?")[0]
        links = [f'<{place}?{kept}&page=1>; rel="first"']
        if following is not None:
            links.insert(0, f'<{place}?{kept}&page={following}>; rel="next"')
        return Reply(rows[end - size : end], 200, {**headers, "Link": ", ".join(links)})

    def _issue(self, asked: Asked) -> Reply:
        one = self.issues.get(int(asked.found["number"]))
        if one is None or not self._shown(asked, one):
            return Reply({"message": "404 Not found"}, 404)
        return Reply(self._row(one))

    def _part(self, asked: Asked) -> Reply:
        number, part = int(asked.found["number"]), asked.found["part"]
        one = self.issues.get(number)
        if one is None or not self._shown(asked, one):
            return Reply({"message": "404 Not found"}, 404)
        if part in self.refused:
            return Reply({"message": f"{self.refused[part]} Forbidden"}, self.refused[part])
        if int(asked.one("per_page", "20")) > self.largest_page:
            return Reply({"message": "500 Internal Server Error"}, 500)
        rows = self.parts.get((number, part), [])
        if part == "notes" and asked.one("sort") != "asc":
            rows = rows[::-1]
        return self._page(asked, rows)

    def _file(self, asked: Asked) -> Reply:
        found = self.files.get(asked.found["file"])
        if found is None or "private-token" not in asked.headers:
            return Reply({"error": "404 Not Found"}, 404)
        return Reply(found)

    def _page_of_file(self, asked: Asked) -> Reply:
        if "private-token" in asked.headers:
            return Reply(b"no token belongs here", 400)
        return Reply(b"<html>Sign in", headers={"content-type": "text/html; charset=utf-8"})


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
