"""A Bugzilla on loopback that has no REST API: lists as CSV, bugs as XML, histories and errors as pages."""

from __future__ import annotations

import base64
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from tests.fixtures.api_server import ApiServer, Asked, Reply
from tests.trackers.bugzilla.standin import KIM, BugzillaStandIn, filled

PASSWORD = "s3cret-of-kim"
_NAMES = {
    "bug_id": "id", "creation_ts": "creation_time", "short_desc": "summary", "delta_ts": "last_change_time",
    "product": "product", "component": "component", "version": "version", "rep_platform": "platform",
    "op_sys": "op_sys", "bug_status": "status", "resolution": "resolution", "status_whiteboard": "whiteboard",
    "priority": "priority", "bug_severity": "severity", "target_milestone": "target_milestone",
    "reporter": "creator", "assigned_to": "assigned_to", "cf_site": "cf_site", "dup_id": "dupe_of",
}  # fmt: skip


class CgiStandIn(BugzillaStandIn):
    """A Bugzilla 4.2 with the bugs of another stand-in, by the clock of California."""

    def __init__(self, of: BugzillaStandIn) -> None:
        super().__init__()
        self.bugs, self.now, self._ids, self.most = of.bugs, of.now, of._ids, of.most
        self.zone = ZoneInfo("America/Los_Angeles")
        self.sessions: set[str] = set()
        self.logins = 0
        self.form_token = "form-token-1"
        self.version = "4.2.1"
        self._routes.clear()
        for method, path, answer in (
            ("GET", "index.cgi", self._front),
            ("POST", "index.cgi", self._log_in),
            ("GET", "query.cgi", self._query),
            ("GET", "buglist.cgi", self._csv),
            ("GET", "show_bug.cgi", self._xml),
            ("GET", "show_activity.cgi", self._activity),
            ("GET", "attachment.cgi", self._attachment),
        ):
            self.route(method, f"/bugs/{path}", answer)

    def answer(self, asked: Asked) -> Reply:
        return ApiServer.answer(self, asked)

    def _is_kim(self, asked: Asked) -> bool:
        return any(session in asked.headers.get("cookie", "") for session in self.sessions)

    def _front(self, asked: Asked, *, is_known: bool = False) -> Reply:
        is_known = is_known or self._is_kim(asked)
        link = "<a href='index.cgi?logout=1'>Log out</a>" if is_known else ""
        return _html(
            f'<form><input type="hidden" name="Bugzilla_login_token" value="{self.form_token}"></form>{link}'
        )

    def _log_in(self, asked: Asked) -> Reply:
        self.logins += 1
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        given = (form["Bugzilla_login"], form["Bugzilla_password"], form["Bugzilla_login_token"])
        if given != (KIM, PASSWORD, self.form_token):
            return _html("The login or password you entered is not valid.")
        session = f"session-{self.number()}"
        self.sessions.add(session)
        cookie = {"Set-Cookie": f"Bugzilla_logincookie={session}; path=/bugs/; HttpOnly"}
        reply = self._front(asked, is_known=True)
        return Reply(reply.body, 200, {**reply.headers, **cookie})

    def _query(self, asked: Asked) -> Reply:
        options = "".join(f"<option value='{name}'>{name}</option>" for name in ("Core", "Mail", "Mailbox"))
        return _html(f"<select name='product' multiple>{options}</select>")

    def _csv(self, asked: Asked) -> Reply:
        assert (asked.one("field0-0-0"), asked.one("type0-0-0")) == ("bug_id", "lessthan")
        found = [bug for bug in self._shown(asked) if bug.id < int(asked.one("value0-0-0"))]
        if numbers := asked.one("bug_id"):
            found = [bug for bug in found if str(bug.id) in numbers.split(",")]
        if "product" in asked.query:
            found = [bug for bug in found if bug.fields["product"] in asked.query["product"]]
        if since := asked.one("chfieldfrom"):
            moment = datetime.fromisoformat(since).replace(tzinfo=self.zone)
            found = [bug for bug in found if bug.changed >= moment]
        found.sort(key=lambda bug: bug.id, reverse=asked.one("order") == "bug_id DESC")
        rows = [f'{bug.id},"{bug.changed.astimezone(self.zone):%Y-%m-%d %H:%M:%S}"' for bug in found]
        text = "\n".join(['bug_id,"changeddate"', *rows[: min(int(asked.one("limit")), self.most)]])
        return Reply(text.encode(), 200, {"Content-Type": "text/csv; charset=UTF-8"})

    def _xml(self, asked: Asked) -> Reply:
        bugs = "".join(self._told_in_xml(asked, number) for number in asked.query["id"])
        exporter = f'exporter="{KIM}"' if self._is_kim(asked) else ""
        head = (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>\n<!DOCTYPE bugzilla SYSTEM "x.dtd">\n'
        )
        text = f'{head}<bugzilla version="{self.version}" urlbase="x" {exporter}>\n{bugs}</bugzilla>\n'
        return Reply(text.encode(), 200, {"Content-Type": "application/xml; charset=UTF-8"})

    def _told_in_xml(self, asked: Asked, number: str) -> str:
        bug = self._one(asked, number)
        if isinstance(bug, Reply):
            word = "NotPermitted" if bug.body["code"] == 102 else "InvalidBugId"
            return f'<bug error="{word}"><bug_id>{escape(number)}</bug_id></bug>\n'
        rows = []
        for name, field in _NAMES.items():
            value = self._when(bug.fields[field]) if name.endswith("_ts") else bug.fields[field]
            rows.append(f"<{name}>{'' if value is None else escape(str(value))}</{name}>")
        rows += [f"<dependson>{other}</dependson>" for other in bug.fields["depends_on"]]
        rows += [self._comment_in_xml(each) for each in bug.comments]
        rows += [self._file_in_xml(each) for each in bug.files]
        return f"<bug>{''.join(rows)}<token>1-secret</token></bug>\n"

    def _comment_in_xml(self, told: dict[str, Any]) -> str:
        return (
            f'<long_desc isprivate="{int(told["is_private"])}"><commentid>{told["id"]}</commentid>'
            f'<comment_count>{told["count"]}</comment_count><who name="Kim Minsu">{told["creator"]}</who>'
            f"<bug_when>{self._when(told['time'])}</bug_when><thetext>{escape(told['text'])}\x0b</thetext></long_desc>"
        )

    def _file_in_xml(self, told: dict[str, Any]) -> str:
        marks = " ".join(f'is{mark}="{told[f"is_{mark}"]}"' for mark in ("obsolete", "patch", "private"))
        when = self._when(told["creation_time"])
        return (
            f"<attachment {marks}><attachid>{told['id']}</attachid><date>{when}</date>"
            f"<desc>{told['summary']}</desc><filename>{told['file_name']}</filename><type>text/plain</type>"
            f"<size>{told['size']}</size><attacher>{told['creator']}</attacher></attachment>"
        )

    def _when(self, time: str) -> str:
        return f"{datetime.fromisoformat(time).astimezone(self.zone):%Y-%m-%d %H:%M:%S %z}"

    def _activity(self, asked: Asked) -> Reply:
        bug = self._one(asked, asked.one("id"))
        if isinstance(bug, Reply):
            return _html("<p>You are not authorized to access this bug.</p>")
        rows = "".join(self._entry(each) for each in bug.history)
        heads = "".join(f"<th>{name}</th>" for name in ("Who", "When", "What", "Removed", "Added"))
        table = f"<table border cellpadding='4'><tr>{heads}</tr>{rows}</table>" if rows else "No changes yet."
        return _html(f'<div id="bugzilla-body"><a href="show_bug.cgi?id={bug.id}">Back</a>{table}</div>')

    def _entry(self, entry: dict[str, Any]) -> str:
        when = datetime.fromisoformat(entry["when"]).astimezone(self.zone)
        span = f'rowspan="{len(entry["changes"])}" valign="top"'
        first = f"<td {span}>{entry['who']}</td><td {span}>{when:%Y-%m-%d %H:%M:%S} {when.tzname()}</td>"
        rows = []
        for change in entry["changes"]:
            name = {"status": "Status", "resolution": "Resolution"}.get(
                change["field_name"], change["field_name"]
            )
            cells = (name, escape(change["removed"]), escape(change["added"]))
            rows.append(f"<tr>{first}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
            first = ""
        return "".join(rows)

    def _attachment(self, asked: Asked) -> Reply:
        for bug in self._shown(asked):
            for each in bug.files:
                if str(each["id"]) == asked.one("id") and (self._is_kim(asked) or not each["is_private"]):
                    name = f'attachment; filename="{each["id"]}"'
                    return Reply(base64.b64decode(each["data"]), 200, {"Content-Disposition": name})
        reply = _html("You are not authorized to access this attachment.")
        return Reply(
            reply.body, 200, {**reply.headers, "Content-Disposition": 'inline; filename="error-1.html"'}
        )


def _html(body: str) -> Reply:
    page = f"<!DOCTYPE html><html><body>{body}<div id='footer'></div></body></html>"
    return Reply(page.encode(), 200, {"Content-Type": "text/html; charset=UTF-8"})


def filled_cgi() -> CgiStandIn:
    """The same bugs as the stand-in with an API has."""
    return CgiStandIn(filled())
