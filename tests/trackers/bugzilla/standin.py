"""A Bugzilla on loopback, as the stock 5.0 behaves or a later one: errors by number, a clock."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from crawler.sources.bugzilla.query import FIELDS
from tests.fixtures.api_server import ApiServer, Asked, Reply

KIM, KEY = "kim@example.com", "key-of-kim-0123456789"
_EPOCH = datetime(2024, 1, 1, 9, tzinfo=UTC)
_HTTP = {51: 404, 101: 404, 32614: 404, 102: 401, 300: 401, 410: 401}


def failure(code: int) -> Reply:
    """An error as Bugzilla writes it, in whatever language."""
    told = {"error": True, "code": code, "message": f"Das geht nicht ({code}).", "documentation": "https://x"}
    return Reply(told, _HTTP.get(code, 400))


@dataclass
class Bug:
    """What the stand-in knows of a bug."""

    id: int
    fields: dict[str, Any]
    hidden: bool = False
    comments: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)

    @property
    def changed(self) -> datetime:
        return datetime.fromisoformat(self.fields["last_change_time"])


class BugzillaStandIn(ApiServer):
    """A Bugzilla.

    Args:
        knows_headers: take the key from a header, as from 5.1 on; else from a parameter only.
        api: where the REST API is.
    """

    def __init__(self, *, knows_headers: bool = False, api: str = "rest") -> None:
        super().__init__()
        self.knows_headers = knows_headers
        self.api = f"/bugs/{api}"
        self.now = _EPOCH
        self.bugs: dict[int, Bug] = {}
        self.most = 6  # max_search_results
        self._ids = 100
        self._random = random.Random(1)  # noqa: S311 - the order of an object's members
        for path, answer in (
            ("/version", lambda asked: Reply({"version": "5.1.2" if knows_headers else "5.0.6"})),
            ("/whoami", self._whoami),
            ("/valid_login", lambda asked: Reply({"result": asked.one("login") == KIM})),
            (
                "/product",
                lambda asked: Reply({"products": [{"name": n} for n in ("Core", "Mail", "Mailbox")]}),
            ),
            ("/field/bug", self._fields),
            ("/bug", self._search),
            ("/bug/attachment/(?P<file>[0-9]+)", self._file),
            ("/bug/(?P<id>[^/]+)", self._bug),
            ("/bug/(?P<id>[^/]+)/(?P<part>comment|history|attachment)", self._part),
        ):
            self.route("GET", self.api + path, answer)

    # What people do there

    def pass_time(self, **how: float) -> None:
        """Let the clock go on."""
        self.now += timedelta(**how)

    def number(self) -> int:
        """A fresh id."""
        self._ids += 1
        return self._ids

    def create(self, product: str, summary: str, text: str = "", **more: Any) -> Bug:
        """A new bug."""
        self.pass_time(hours=5)
        number = max(self.bugs, default=0) + 1
        words = {"summary": summary, "product": product, "component": "General", "status": "CONFIRMED"}
        chosen = {"priority": "---", "severity": "normal", "version": "1.0", "target_milestone": "---"}
        people = {"creator": KIM, "assigned_to": "lee@example.com", "cc": [], "qa_contact": ""}
        empty = {"alias": [], "keywords": [], "flags": [], "depends_on": [], "blocks": [], "groups": []}
        fields = words | chosen | people | empty | more
        fields |= {
            "id": number,
            "is_open": True,
            "resolution": "",
            "dupe_of": None,
            "creation_time": self.time(),
            "last_change_time": self.time(),
            "whiteboard": "",
            "op_sys": "Linux",
            "platform": "PC",
            "url": "",
            "cf_site": f"site {number}",
            "cf_empty": "---",
            "creator_detail": {"id": 2, "name": KIM, "real_name": "Kim Minsu"},
            "update_token": "1-secret",
        }
        bug = self.bugs[number] = Bug(number, fields)
        self.comment(bug, text)
        return bug

    def touch(self, bug: Bug) -> None:
        """The bug was changed now."""
        bug.fields["last_change_time"] = self.time()

    def comment(self, bug: Bug, text: str, **more: Any) -> None:
        """A new comment; the first one is the description."""
        self.pass_time(minutes=1)
        self.touch(bug)
        told = {
            "id": self.number(),
            "bug_id": bug.id,
            "count": len(bug.comments),
            "text": text,
            "creator": KIM,
        }
        told |= {"creation_time": self.time(), "time": self.time(), "is_private": False, "tags": []}
        bug.comments.append(told | more)

    def change(self, bug: Bug, **fields: Any) -> None:
        """A change of fields, which the history tells."""
        self.pass_time(minutes=1)
        changes = [
            {"field_name": name, "removed": str(bug.fields[name]), "added": str(value)}
            for name, value in fields.items()
        ]
        bug.fields |= fields
        self.touch(bug)
        bug.history.append({"when": self.time(), "who": KIM, "changes": changes})

    def attach(self, bug: Bug, name: str, body: bytes, **more: Any) -> int:
        """A new file."""
        self.pass_time(minutes=1)
        self.touch(bug)
        number = self.number()
        told = {
            "id": number,
            "bug_id": bug.id,
            "file_name": name,
            "summary": f"About {name}",
            "size": len(body),
        }
        told |= {
            "content_type": "text/plain",
            "is_patch": 0,
            "is_obsolete": 0,
            "is_private": 0,
            "creator": KIM,
        }
        data = base64.b64encode(body).decode()
        bug.files.append(told | {"creation_time": self.time(), "data": data} | more)
        return number

    def time(self) -> str:
        """The time as Bugzilla writes it."""
        return f"{self.now:%Y-%m-%dT%H:%M:%SZ}"

    # How it answers

    def answer(self, asked: Asked) -> Reply:
        """A wrong key is an error everywhere; a header that is not known is passed over."""
        key = asked.one("Bugzilla_api_key") or asked.one("api_key")
        if self.knows_headers:
            key = key or asked.headers.get("x-bugzilla-api-key", "")
        if key and key != KEY and not asked.path.endswith("/version"):
            self.asked.append(asked)
            return failure(306)
        reply = super().answer(asked)
        is_no_route = reply.status == 404 and reply.body == {"message": "Not Found"}
        return failure(32614) if is_no_route else reply

    def _is_kim(self, asked: Asked) -> bool:
        header = asked.headers.get("x-bugzilla-api-key") if self.knows_headers else None
        return KEY in (asked.one("Bugzilla_api_key"), header)

    def _whoami(self, asked: Asked) -> Reply:
        if not self.knows_headers:
            return failure(32614)
        return (
            Reply({"id": 2, "name": KIM, "real_name": "Kim Minsu"}) if self._is_kim(asked) else failure(410)
        )

    def _fields(self, asked: Asked) -> Reply:
        names = dict.fromkeys(FIELDS, False) | {"cf_site": True, "cf_empty": True}
        return Reply({"fields": [{"name": name, "is_custom": own} for name, own in names.items()]})

    def _shown(self, asked: Asked) -> list[Bug]:
        # Hidden ones are for nobody here; a stranger sees none that a group has.
        return [
            bug
            for bug in self.bugs.values()
            if not bug.hidden and (self._is_kim(asked) or not bug.fields["groups"])
        ]

    def _search(self, asked: Asked) -> Reply:
        criteria = asked.query.keys() - {"limit", "offset", "order", "include_fields", "Bugzilla_api_key"}
        if not criteria:
            return failure(1000)
        wanted = {each for value in asked.query.get("id", []) for each in value.split(",")}
        found = [bug for bug in self._shown(asked) if not wanted or str(bug.id) in wanted]
        if "product" in asked.query:
            found = [bug for bug in found if bug.fields["product"] in asked.query["product"]]
        if since := asked.one("last_change_time"):
            moment = datetime.fromisoformat(since)
            found = [bug for bug in found if bug.changed >= moment]
        found = [bug for bug in found if _matches(bug, asked.query)]
        found.sort(key=lambda bug: bug.id, reverse=asked.one("order") == "bug_id DESC")
        limit = min(int(asked.one("limit", "0")) or self.most, self.most)
        return Reply({"bugs": [self._told(bug, asked.one("include_fields")) for bug in found[:limit]]})

    def _told(self, bug: Bug, wanted: str) -> dict[str, Any]:
        names = (
            list(bug.fields) if wanted in ("", "_all") else [n for n in wanted.split(",") if n in bug.fields]
        )
        self._random.shuffle(names)
        return {name: bug.fields[name] for name in names}

    def _one(self, asked: Asked, number: str) -> Bug | Reply:
        if not number.isdecimal():
            return failure(100)
        bug = self.bugs.get(int(number))
        if bug is None:
            return failure(101)
        return bug if bug in self._shown(asked) else failure(102)

    def _bug(self, asked: Asked) -> Reply:
        bug = self._one(asked, asked.found["id"])
        return bug if isinstance(bug, Reply) else Reply({"bugs": [self._told(bug, "_all")], "faults": []})

    def _part(self, asked: Asked) -> Reply:
        bugs: list[Bug] = []
        for number in [asked.found["id"], *asked.query.get("ids", [])]:
            bug = self._one(asked, number)
            if isinstance(bug, Reply):
                return bug
            bugs.append(bug)
        match asked.found["part"]:
            case "history":
                return Reply({"bugs": [{"id": bug.id, "alias": [], "history": bug.history} for bug in bugs]})
            case "comment":
                return Reply(
                    {"bugs": {str(bug.id): {"comments": bug.comments} for bug in bugs}, "comments": {}}
                )
        assert asked.one("exclude_fields") == "data", "the bytes of every file would come along"
        files = {
            str(bug.id): [
                {name: value for name, value in each.items() if name != "data"} for each in bug.files
            ]
            for bug in bugs
        }
        return Reply({"bugs": files, "attachments": {}})

    def _file(self, asked: Asked) -> Reply:
        number = int(asked.found["file"])
        found = [each for bug in self._shown(asked) for each in bug.files if each["id"] == number]
        return Reply({"bugs": {}, "attachments": {str(number): each for each in found}})


def _matches(bug: Bug, query: Mapping[str, list[str]]) -> bool:
    """Whether the custom search means the bug: groups of OR, which are AND-ed."""
    numbers = sorted(int(name[1:]) for name in query if name[0] == "f" and name[1:].isdecimal())
    group: list[bool] | None = None
    for number in numbers:
        match query[f"f{number}"][0]:
            case "OP":
                assert query[f"j{number}"] == ["OR"]
                group = []
            case "CP":
                if group is not None and not any(group):
                    return False
                group = None
            case name:
                value = query[f"v{number}"][0]
                if query[f"o{number}"] == ["lessthan"]:
                    is_hit = bug.id < int(value)
                else:
                    assert query[f"o{number}"] == ["substring"]
                    is_hit = any(value.lower() in text.lower() for text in _texts(bug, name))
                if group is None and not is_hit:
                    return False
                if group is not None:
                    group.append(is_hit)
    return True


_API_NAMES = {
    "short_desc": "summary",
    "status_whiteboard": "whiteboard",
    "bug_file_loc": "url",
    "rep_platform": "platform",
}


def _texts(bug: Bug, name: str) -> Iterator[str]:
    if name == "longdesc":
        yield from (each["text"] for each in bug.comments)
    elif name == "attachments.filename":
        yield from (each["file_name"] for each in bug.files)
    else:
        yield str(bug.fields.get(_API_NAMES.get(name, name), ""))


def filled(**how: Any) -> BugzillaStandIn:
    """A Bugzilla with some of everything: two products, 20 bugs."""
    bugzilla = BugzillaStandIn(**how)
    for number in range(1, 14):
        bugzilla.create(
            "Core", f"Crash number {number}", "A zebra crashed it." if number % 4 == 0 else "No idea."
        )
    for number in range(1, 8):
        bugzilla.create("Mail", f"Letter {number} is lost", "OutOfMemoryError in line 7")
    first, second = bugzilla.bugs[1], bugzilla.bugs[2]
    bugzilla.comment(first, "Me too.")
    bugzilla.comment(first, "For the team only.", is_private=True)
    bugzilla.change(first, status="IN_PROGRESS")
    bugzilla.change(first, status="RESOLVED", resolution="FIXED", is_open=False)
    bugzilla.change(first, status="VERIFIED")
    bugzilla.attach(first, "로그.txt", b"a line\n")
    bugzilla.attach(second, "a.patch", b"--- a\n+++ b\n", is_patch=1, is_obsolete=1, is_private=1)
    second.fields |= {
        "depends_on": [1],
        "dupe_of": 3,
        "flags": [{"name": "review", "status": "?", "requestee": "lee"}],
    }
    bugzilla.bugs[5].fields["groups"] = ["insiders"]
    return bugzilla
