"""A stand-in for Redmine: what its API answers, with the odd things that a booted one does not show."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

from tests.fixtures.api_server import ApiServer, Asked, Reply

KEY = "right-key"
NAME, PASSWORD = "kim", "kim-password"
EMPTY_HEADERS = {"content-type": "application/json"}
STATUSES = {1: ("New", False), 2: ("In Progress", False), 3: ("Resolved", False), 5: ("Closed", True)}
PROJECTS = {1: ("Datenbank", "db"), 2: ("Secret", "secret")}
PEOPLE = {5: "Kim Minsu", 6: "Lee 이지은"}
MOST_ROWS = 100


def issue(number: int, **other: Any) -> dict[str, Any]:
    """One issue as the API gives it, with everything that can be included."""
    key = other.pop("status", 1)
    name, closed = STATUSES[key]
    project = other.pop("project", 1)
    return {
        "id": number,
        "project": {"id": project, "name": PROJECTS[project][0]},
        "tracker": {"id": 1, "name": "Bug"},
        "status": {"id": key, "name": name, "is_closed": closed},
        "priority": {"id": 2, "name": "Normal"},
        "author": {"id": 5, "name": PEOPLE[5]},
        "subject": f"Timeout {number}" if number % 2 else f"커넥션 오류 {number}",
        "description": "h2. Steps\r\n\r\n* one *bold* word",
        "done_ratio": 0,
        "is_private": False,
        "custom_fields": [{"id": 1, "name": "Site", "value": f"site {number}"}],
        "created_on": "2026-01-05T10:00:00Z",
        "updated_on": f"2026-02-{number % 28 + 1:02}T10:00:00Z",
        "closed_on": None,
        "attachments": [],
        "relations": [],
        "changesets": [],
        "journals": [],
        **other,
    }


def journal(number: int, notes: str = "", *details: dict[str, Any], **other: Any) -> dict[str, Any]:
    """One journal of an issue."""
    return {
        "id": number,
        "user": {"id": 5, "name": PEOPLE[5]},
        "notes": notes,
        "created_on": "2026-01-06T10:00:00Z",
        "private_notes": False,
        "details": list(details),
        **other,
    }


def detail(name: str, old: str | None, new: str | None, kind: str = "attr") -> dict[str, Any]:
    """One change within a journal."""
    return {"property": kind, "name": name, "old_value": old, "new_value": new}


_INCLUDED = ("attachments", "relations", "changesets", "journals", "children", "watchers")
_ID = re.compile(r"(<=)?([0-9]+(?:,[0-9]+)*)")
_SINCE = re.compile(r">=([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)")


class RedmineStandIn(ApiServer):
    """A Redmine of some issues; ``private`` ones are shown to the account only."""

    def __init__(self, count: int = 7) -> None:
        super().__init__()
        self.issues = {number: issue(number) for number in range(1, count + 1)}
        self.files: dict[int, bytes] = {}
        self.accounts = {KEY}
        self.hidden: set[int] = set()  # issues that nobody sees any more
        self.api_is_on = True
        self.has_search = True
        self.filters_numbers = True
        self.most_rows = MOST_ROWS
        self.before.append(self._switched_off)
        self.route("GET", r"/users/current\.json", self._me)
        self.route("GET", r"/users/(?P<number>[0-9]+)\.json", self._user)
        self.route("GET", r"/issues\.json", self._list)
        self.route("GET", r"/issues/(?P<number>[0-9]+)\.json", self._issue)
        self.route("GET", r"(?:/projects/(?P<project>[\w-]+))?/search\.json", self._search)
        self.route("GET", r"/attachments/download/(?P<number>[0-9]+)/.*", self._file)
        self.route("GET", r"/(?P<list>[\w/]+)\.json", self._names)
        self.route("GET", r"/(?:login)?", self._front)

    def asked_paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [each.path for each in self.asked]

    def _switched_off(self, asked: Asked) -> Reply | None:
        if self.api_is_on or not asked.path.endswith(".json"):
            return None
        return Reply(b"", 403, EMPTY_HEADERS)

    def _is_known(self, asked: Asked) -> bool:
        basic = asked.headers.get("authorization", "").removeprefix("Basic ")
        if basic:
            return b64decode(basic).decode() == f"{NAME}:{PASSWORD}"
        return asked.headers.get("x-redmine-api-key") in self.accounts

    def _sees(self, asked: Asked, one: dict[str, Any]) -> bool:
        if one["id"] in self.hidden:
            return False
        return self._is_known(asked) or not (one["is_private"] or one["project"]["id"] == 2)

    def _me(self, asked: Asked) -> Reply:
        if not self._is_known(asked):
            return Reply(b"", 401, {**EMPTY_HEADERS, "www-authenticate": 'Basic realm="Redmine API"'})
        return Reply({"user": {"id": 5, "login": NAME, "admin": False, "api_key": KEY}})

    def _user(self, asked: Asked) -> Reply:
        number = int(asked.found["number"])
        if number != 7:  # somebody who is no member of a project
            return Reply(b"", 404, EMPTY_HEADERS)
        return Reply({"user": {"id": 7, "firstname": "Park", "lastname": "Jisoo", "api_key": "another-key"}})

    def _list(self, asked: Asked) -> Reply:
        found = [one for one in self.issues.values() if self._sees(asked, one)]
        project = asked.one("project_id")
        if project:
            keys = [key for key, names in PROJECTS.items() if project in (str(key), names[1])]
            if not keys:
                return Reply(b"", 404, EMPTY_HEADERS)
            found = [one for one in found if one["project"]["id"] == keys[0]]
        if asked.one("status_id", "open") == "open":
            found = [one for one in found if not one["status"].get("is_closed")]
        if (since := asked.one("updated_on")) and (moment := _SINCE.fullmatch(since)) is None:
            return Reply({"errors": ["Updated is invalid"]}, 422)
        if since:
            found = [one for one in found if one["updated_on"] >= moment[1]]
        wanted = _ID.fullmatch(asked.one("issue_id"))
        if wanted and self.filters_numbers:
            numbers = {int(each) for each in wanted[2].split(",")}
            found = [
                one for one in found if one["id"] in numbers or (wanted[1] and one["id"] <= max(numbers))
            ]
        found.sort(key=lambda one: one["id"], reverse=asked.one("sort") == "id:desc")
        limit, offset = min(int(asked.one("limit", "25")), self.most_rows), int(asked.one("offset", "0"))
        rows = [
            {name: value for name, value in one.items() if name not in _INCLUDED}
            for one in found[offset : offset + limit]
        ]
        return Reply({"issues": rows, "total_count": len(found), "offset": offset, "limit": limit})

    def _issue(self, asked: Asked) -> Reply:
        one = self.issues.get(int(asked.found["number"]))
        if one is None:
            return Reply(b"", 404, EMPTY_HEADERS)
        if not self._sees(asked, one):
            return Reply(b"", 403 if self._is_known(asked) else 401, EMPTY_HEADERS)
        included = asked.one("include").split(",")
        shown = {name: value for name, value in one.items() if name not in _INCLUDED or name in included}
        return Reply({"issue": shown})

    def _search(self, asked: Asked) -> Reply:
        if not self.has_search:
            return Reply(b"", 404, EMPTY_HEADERS)
        tokens = [token.lower() for token in asked.one("q").split() if len(token) > 1][:5]
        if not tokens:
            return Reply({"results": [], "total_count": None, "offset": 0, "limit": 25})
        one_is_enough = asked.query.get("all_words") == [""]

        def has(one: dict[str, Any]) -> bool:
            texts = [f"{one['subject']} {one['description']}", *(each["notes"] for each in one["journals"])]
            quantity = any if one_is_enough else all
            return any(quantity(token in text.lower() for token in tokens) for text in texts)

        project = asked.found["project"]
        found = [
            one
            for one in self.issues.values()
            if self._sees(asked, one) and has(one) and (not project or str(one["project"]["id"]) == project)
        ]
        found.sort(key=lambda one: one["id"], reverse=True)
        limit, offset = min(int(asked.one("limit", "25")), self.most_rows), int(asked.one("offset", "0"))
        rows = [
            {"id": one["id"], "title": one["subject"], "type": "issue", "datetime": one["created_on"]}
            for one in found[offset : offset + limit]
        ]
        return Reply({"results": rows, "total_count": len(found), "offset": offset, "limit": limit})

    def _file(self, asked: Asked) -> Reply:
        body = self.files.get(int(asked.found["number"]))
        if body is None:
            return Reply(b"", 404, {"content-type": "text/plain"})
        if not self._is_known(asked):
            return Reply(b"", 302, {"location": f"{self.url}/login?back_url=x"})
        return Reply(body, headers={"content-type": "application/octet-stream"})

    def _names(self, asked: Asked) -> Reply:
        statuses = [
            {"id": key, "name": name, "is_closed": closed} for key, (name, closed) in STATUSES.items()
        ]
        projects = [
            {"id": key, "name": name, "identifier": identifier}
            for key, (name, identifier) in PROJECTS.items()
            if self._is_known(asked) or key == 1
        ]
        members = [{"id": key, "user": {"id": key, "name": name}} for key, name in PEOPLE.items()]
        lists = {
            "issue_statuses": {"issue_statuses": statuses},
            "trackers": {"trackers": [{"id": 1, "name": "Bug"}, {"id": 2, "name": "Feature"}]},
            "enumerations/issue_priorities": {"issue_priorities": [{"id": 2, "name": "Normal"}]},
            "projects": {"projects": projects, "total_count": len(projects)},
            "projects/1/versions": {"versions": [{"id": 3, "name": "1.0"}], "total_count": 1},
            "projects/1/issue_categories": {"issue_categories": [{"id": 4, "name": "Kernel"}]},
            "projects/1/memberships": {"memberships": members, "total_count": len(members)},
        }
        known = lists.get(asked.found["list"])
        if known is None:
            return Reply(b"", 403 if asked.found["list"] == "custom_fields" else 404, EMPTY_HEADERS)
        return Reply(known)

    def _front(self, asked: Asked) -> Reply:
        page = b'<!DOCTYPE html>\n<html><head>\n<meta name="description" content="Redmine" />\n</head></html>'
        return Reply(page, headers={"content-type": "text/html; charset=utf-8"})
