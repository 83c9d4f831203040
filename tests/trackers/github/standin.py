"""A stand-in for GitHub: pages by Link, timelines, moves and deletions as its REST API has them."""

from __future__ import annotations

import base64
from typing import Any

from tests.fixtures.api_server import ApiServer, Asked, Reply

TOKEN = "right-token"
NAME = "octo/desk"
OTHER = "octo/attic"
GHOST = None
MOST_ROWS = 100


def user(name: str) -> dict[str, Any]:
    """Somebody, with a part of what GitHub tells."""
    return {"login": name, "id": len(name), "type": "Bot" if name.endswith("[bot]") else "User"}


class GitHubStandIn(ApiServer):
    """One repository of some issues, and another one that issues are transferred to."""

    def __init__(self, count: int = 7) -> None:
        super().__init__()
        self.name = NAME
        self.old_names: set[str] = set()
        self.has_issues = True
        self.tokens = {TOKEN}
        self.issues: dict[int, dict[str, Any]] = {}
        self.timelines: dict[int, list[dict[str, Any]]] = {}
        self.elsewhere: dict[int, dict[str, Any]] = {}  # issues of the other repository
        self.moved: dict[int, int] = {}  # to a number of the other repository
        self.deleted: set[int] = set()
        self.most_rows = MOST_ROWS
        self.largest_timeline = MOST_ROWS  # GitHub fails at pages that are larger
        self.files: dict[str, bytes] = {}
        self._next = 1000
        for number in range(1, count + 1):
            self.add(number)
        self.before.append(self._limits)
        self.route("GET", r"/user", self._me)
        repository = r"/(?:repos/(?P<name>[\w.-]+/[\w.-]+)|repositories/(?P<id>[0-9]+))"
        self.route("GET", repository, self._repository)
        self.route("GET", rf"{repository}/issues", self._list)
        self.route("GET", rf"{repository}/issues/(?P<number>[0-9]+)", self._issue)
        self.route("GET", rf"{repository}/issues/(?P<number>[0-9]+)/timeline", self._timeline)
        self.route("GET", rf"{repository}/issues/(?P<number>[0-9]+)/comments", self._comments)
        self.route("GET", r"/user-attachments/.*|/[\w.-]+/[\w.-]+/(?:assets|files)/.*", self._file)

    @property
    def base(self) -> str:
        """The repository's address within the API."""
        return f"{self.url}/repos/{self.name}"

    def asked_paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [each.path for each in self.asked]

    def add(self, number: int, **other: Any) -> dict[str, Any]:
        """One more issue."""
        one = {
            "number": number,
            "id": 90_000 + number,
            "title": f"Timeout {number}" if number % 2 else f"커넥션 오류 {number}",
            "body": f"It is **slow**.\r\n\r\n- step {number}",
            "state": "open",
            "state_reason": None,
            "locked": False,
            "user": user("kim"),
            "assignee": None,
            "assignees": [],
            "labels": [],
            "milestone": None,
            "created_at": f"2026-01-{number % 28 + 1:02}T10:00:00Z",
            "updated_at": f"2026-02-{number % 28 + 1:02}T10:00:00Z",
            "closed_at": None,
            **other,
        }
        self.issues[number] = one
        self.timelines[number] = []
        return one

    def happen(self, number: int, event: str, at: str = "2026-03-01T10:00:00Z", **other: Any) -> None:
        """One more entry of a timeline; it changes the issue's time."""
        self._next += 1
        self.timelines[number].append(
            {"id": self._next, "event": event, "actor": user("lee"), "created_at": at, **other}
        )
        self.issues[number]["updated_at"] = max(at, self.issues[number]["updated_at"])

    def comment(self, number: int, text: str, at: str = "2026-03-01T10:00:00Z") -> None:
        """One more comment."""
        self.happen(number, "commented", at, user=user("park"), body=text, updated_at=at)

    def transfer(self, number: int, to: int) -> None:
        """Give an issue to the other repository."""
        self.elsewhere[to] = {**self.issues.pop(number), "number": to}
        self.moved[number] = to

    def _limits(self, asked: Asked) -> Reply | None:
        # Both words are GitHub's.
        token = asked.headers.get("authorization", "").removeprefix("Bearer ").removeprefix("token ")
        if "user-agent" not in asked.headers:
            return Reply({"message": "Request forbidden by administrative rules."}, 403)
        if token and token not in self.tokens:
            return Reply({"message": "Bad credentials"}, 401)
        return None

    def _me(self, asked: Asked) -> Reply:
        if "authorization" not in asked.headers:
            return Reply({"message": "Requires authentication"}, 401)
        return Reply({"login": "kim", "private_gists": 1})

    def _redirect(self, asked: Asked) -> Reply | None:
        name = asked.found["name"]
        if asked.found["id"] in ("1", "2") or name in (self.name, OTHER):
            return None
        if name in self.old_names:
            rest = asked.raw_path.partition(name)[2]
            return Reply(
                {"message": "Moved Permanently"}, 301, {"Location": f"{self.url}/repositories/1{rest}"}
            )
        return Reply({"message": "Not Found"}, 404)

    def _repository(self, asked: Asked) -> Reply:
        if (away := self._redirect(asked)) is not None:
            return away
        return Reply({"id": 1, "full_name": self.name, "has_issues": self.has_issues})

    def _shown(self, one: dict[str, Any], name: str) -> dict[str, Any]:
        number = one["number"]
        comments = sum(each["event"] == "commented" for each in self.timelines.get(number, []))
        return {
            "url": f"{self.url}/repos/{name}/issues/{number}",
            "repository_url": f"{self.url}/repos/{name}",
            "html_url": f"{self.url}/{name}/issues/{number}",
            "comments": comments if name == self.name else 0,
            **one,
        }

    def _list(self, asked: Asked) -> Reply:
        if (away := self._redirect(asked)) is not None:
            return away
        if not self.has_issues:
            return Reply({"message": "Issues are disabled for this repo"}, 410)
        rows = sorted(self.issues.values(), key=lambda one: (one["created_at"], one["number"]), reverse=True)
        if asked.one("state") != "all":
            rows = [one for one in rows if one["state"] == "open"]
        if since := asked.one("since"):
            rows = [one for one in rows if one["updated_at"] >= since]
        size = min(int(asked.one("per_page", "30")), self.most_rows)
        after = base64.urlsafe_b64decode(asked.one("after", "")).decode()
        if after:
            rows = [one for one in rows if _place(one) < after]
        page, rest = rows[:size], rows[size:]
        headers = {}
        if rest:
            last = base64.urlsafe_b64encode(_place(page[-1]).encode()).decode()
            headers["Link"] = self._link(asked, f"/repositories/1/issues?{self._kept(asked)}&after={last}")
        return Reply([self._shown(one, self.name) for one in page], 200, headers)

    def _kept(self, asked: Asked) -> str:
        names = ("state", "sort", "direction", "per_page", "since")
        return "&".join(f"{name}={asked.one(name)}" for name in names if asked.one(name))

    def _link(self, asked: Asked, path: str) -> str:
        return f'<{self.url}/none>; rel="prev", <{self.url}{path}>; rel="next"'

    def _issue(self, asked: Asked) -> Reply:
        if (away := self._redirect(asked)) is not None:
            return away
        number = int(asked.found["number"])
        if asked.found["id"] == "2" or asked.found["name"] == OTHER:
            one = self.elsewhere.get(number)
            return Reply({"message": "Not Found"}, 404) if one is None else Reply(self._shown(one, OTHER))
        if number in self.moved:
            place = f"{self.url}/repositories/2/issues/{self.moved[number]}"
            return Reply({"message": "Moved Permanently"}, 301, {"Location": place})
        if number in self.deleted:
            return Reply({"message": "This issue was deleted"}, 410)
        if number not in self.issues:
            return Reply({"message": "Not Found"}, 404)
        return Reply(self._shown(self.issues[number], self.name))

    def _entries(self, asked: Asked, entries: list[dict[str, Any]]) -> Reply:
        number, page = int(asked.found["number"]), int(asked.one("page", "1"))
        size = min(int(asked.one("per_page", "30")), self.most_rows)
        other = asked.found["id"] == "2" or asked.found["name"] == OTHER
        if (other and number not in self.elsewhere) or (not other and number not in self.issues):
            return Reply({"message": "Not Found"}, 404)
        end, headers = page * size, {}
        if len(entries) > end:
            path = f"{asked.path}?per_page={size}&page={page + 1}"
            headers["Link"] = self._link(asked, path)
        return Reply([] if other else entries[end - size : end], 200, headers)

    def _timeline(self, asked: Asked) -> Reply:
        if int(asked.one("per_page", "30")) > self.largest_timeline:
            return Reply({"message": "Server Error"}, 500)
        return self._entries(asked, self.timelines.get(int(asked.found["number"]), []))

    def _comments(self, asked: Asked) -> Reply:
        entries = self.timelines.get(int(asked.found["number"]), [])
        return self._entries(asked, [each for each in entries if each["event"] == "commented"])

    def _file(self, asked: Asked) -> Reply:
        if "authorization" in asked.headers:
            return Reply(b"no credential belongs here", 400)
        if asked.path not in self.files:
            return Reply({"message": "Not Found"}, 404)
        return Reply(self.files[asked.path])


def _place(one: dict[str, Any]) -> str:
    return f"{one['created_at']} {one['number']:09}"
