"""A stand-in for Request Tracker's REST 2.0: what a booted one does not show, and servers of other ages."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fixtures.api_server import ApiServer, Asked, Reply

TOKEN = "1-14-0123456789abcdef0123456789abcdef"
NAME, PASSWORD = "kim", "a password"
FIRST = datetime(2026, 1, 1, 10, tzinfo=UTC)
QUEUES = {1: "General", 3: "Net work"}
PEOPLE = {"6": "Nobody", "27": "kim", "31": "lee"}
CLOSED = frozenset({"resolved", "rejected", "deleted", "wrapped up"})
_TEXT = "The session ends while the report is being made; what the server logs is below.\r\n\r\nORA-01555: {}"

Ticket = dict[str, Any]
Rows = list[dict[str, Any]]


def at(moment: datetime) -> str:
    """A time as RT writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


class RtStandIn(ApiServer):
    """An RT with tickets of three comments each; the first one is the oldest."""

    def __init__(self, count: int = 7) -> None:
        super().__init__()
        self.tells_totals = False  # of histories and attachments only administrators are told
        self.tells_tickets = True  # from 5.0.5 on that holds for tickets as well
        self.most = 100  # rows on a page
        self.zone = timedelta(hours=9)  # of the account
        self.hidden_queues = 0  # so many of them come before those that the account sees
        self.hidden: set[int] = set()  # 403, and left out of lists after they were counted to a page
        self.merged: dict[int, int] = {}
        self.tickets: dict[int, Ticket] = {}
        self.transactions: dict[int, Rows] = {}  # of each ticket
        self.attachments: dict[int, Rows] = {}  # likewise; "bytes" is no field of RT's
        self._last = 100
        for number in range(1, count + 1):
            self.add(number)
        for path, answer in (
            ("rt", self._rt),
            ("tickets", self._tickets),
            (r"ticket/(?P<number>\d+)", self._ticket),
            (r"ticket/(?P<number>\d+)/history", self._history),
            (r"ticket/(?P<number>\d+)/attachments", self._attachments),
            (r"attachment/(?P<number>\d+)", self._attachment),
            ("queues/all", self._queues),
            (r"(?P<kind>user|queue)/(?P<number>\d+)", self._name),
        ):
            self.route("GET", f"/REST/2.0/{path}", self._as_known(answer))

    def add(self, number: int, *, queue: int = 1, status: str = "open") -> None:
        """Make a ticket."""
        moment = FIRST + timedelta(days=number)
        self.tickets[number] = {
            "id": number,
            "Subject": f"Timeout {number}" if number % 2 else f"접속 오류 {number}",
            "Status": status,
            "Priority": "50",
            "Queue": queue,
            "Owner": "kim",
            "Requestor": ["asker@example.com"],
            "Creator": "kim",
            "Created": at(moment),
            "LastUpdated": at(moment),
            "Resolved": "1970-01-01T00:00:00Z",
            "Due": "1970-01-01T00:00:00Z",
            "CustomFields": [{"id": "2", "name": "Severity", "values": ["high"]}],
        }
        self.transactions[number], self.attachments[number] = [], []
        self.write(number, "Create", _TEXT.format(number), moment)
        for each in range(3):
            self.write(
                number, "Correspond", f"Answer {each} to {number}", moment + timedelta(minutes=each + 1)
            )

    def write(self, number: int, kind: str, text: str, moment: datetime, media: str = "text/plain") -> str:
        """Let somebody write something; returns the transaction's number."""
        key = self.change(number, kind, moment)
        self.attach(number, key, media, text.encode())
        return key

    def change(self, number: int, kind: str, moment: datetime, **fields: str) -> str:
        """Let something happen to a ticket; returns the transaction's number."""
        self._last += 1
        empty = dict.fromkeys(("Field", "OldValue", "NewValue", "Data"), "")
        self.transactions[number].append(
            {"id": str(self._last), "Type": kind, "Created": at(moment), "Creator": _user("kim"), **empty}
            | {"ObjectId": str(number), "TimeTaken": "0"}
            | fields
        )
        self.tickets[number]["LastUpdated"] = at(moment)
        return str(self._last)

    def attach(self, number: int, transaction: str, media: str, content: bytes, name: str = "") -> str:
        """Add a part to a transaction; returns the attachment's number."""
        self._last += 1
        self.attachments[number].append(
            {"id": str(self._last), "TransactionId": transaction, "ContentType": media, "Filename": name}
            | {"ContentLength": str(len(content)), "Created": at(FIRST), "Creator": _user("kim")}
            | {"bytes": content}
        )
        return str(self._last)

    def asked_paths(self) -> list[str]:
        """What was asked for until now, below the interface's root."""
        return [asked.path.removeprefix("/REST/2.0/") for asked in self.asked]

    def _as_known(self, answer: Callable[[Asked], Reply]) -> Callable[[Asked], Reply]:
        basic = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()

        def answered(asked: Asked) -> Reply:
            if asked.headers.get("authorization") not in (f"token {TOKEN}", f"Basic {basic}"):
                return Reply({"message": "Unauthorized"}, 401)
            return answer(asked)

        return answered

    def _rt(self, asked: Asked) -> Reply:
        return Reply({"Version": "5.0.7", "Plugins": []})

    def _page(self, asked: Asked, rows: Rows, *, tells: bool, hidden: Callable[[Any], bool]) -> Reply:
        size = min(int(asked.one("per_page", "20")), self.most)
        page = int(asked.one("page", "1"))
        fields = asked.one("fields").split(",")
        shown = [row for row in rows[(page - 1) * size : page * size] if not hidden(row)]
        items = [{name: row[name] for name in ("id", *fields) if name in row} for row in shown]
        total = len(rows) if tells else None
        body = {"items": items, "page": page, "per_page": size, "count": len(items), "total": total}
        return Reply(body | {"pages": None if total is None else -(-total // size)})

    def _tickets(self, asked: Asked) -> Reply:
        query = asked.one("query")
        found = [
            {**ticket, "id": str(number)}
            for number, ticket in sorted(self.tickets.items(), reverse=True)
            if ticket["Status"] != "deleted" and number not in self.merged and self._matches(query, ticket)
        ]
        return self._page(
            asked, found, tells=self.tells_tickets, hidden=lambda row: int(row["id"]) in self.hidden
        )

    def _matches(self, query: str, ticket: Ticket) -> bool:
        """Whether a ticket is what our kind of TicketSQL asks for; whatever else is asked is an error."""
        for part in query.split(" AND "):
            names = r"(id|Queue|LastUpdated|Status) (<|=|>=) '?([^']*?)'?"
            found = [re.fullmatch(names, each.strip("()")) for each in part.split(" OR ")]
            if not all(found):
                raise AssertionError(query)
            if not any(self._is(ticket, *each.groups()) for each in found if each is not None):
                return False
        return True

    def _is(self, ticket: Ticket, name: str, operator: str, value: str) -> bool:
        if name == "Status":
            return (ticket["Status"] in CLOSED) == (value == "__Inactive__")
        if name == "LastUpdated":
            updated = datetime.fromisoformat(ticket["LastUpdated"]).replace(tzinfo=None) + self.zone
            return updated >= datetime.fromisoformat(value)
        number = int(ticket[name])
        return number < int(value) if operator == "<" else number == int(value)

    def _ticket(self, asked: Asked) -> Reply:
        number = int(asked.found["number"])
        number = self.merged.get(number, number)
        if number not in self.tickets:
            return Reply({"message": "Not Found"}, 404)
        if number in self.hidden:
            return Reply({"message": "Forbidden"}, 403)
        ticket = self.tickets[number]
        queue = {"id": str(ticket["Queue"]), "type": "queue", "_url": "", "Name": QUEUES[ticket["Queue"]]}
        people = {"Owner": _user(ticket["Owner"]), "Creator": _user(ticket["Creator"])}
        askers = [_user(each) for each in ticket["Requestor"]]
        effective = {"id": str(number), "type": "ticket", "_url": ""}
        return Reply({**ticket, **people, "Queue": queue, "Requestor": askers, "EffectiveId": effective})

    def _history(self, asked: Asked) -> Reply:
        rows = self.transactions.get(int(asked.found["number"]), [])
        return self._page(asked, rows, tells=self.tells_totals, hidden=lambda row: row.get("hidden"))

    def _attachments(self, asked: Asked) -> Reply:
        (limit,) = json.loads(asked.one("query"))
        rows = [
            {**row, "Content": row["bytes"].decode("utf-8", "replace")}
            for row in self.attachments.get(int(asked.found["number"]), [])
            if row[limit["field"]] in limit["value"]
        ]
        return self._page(asked, rows, tells=self.tells_totals, hidden=lambda row: False)

    def _attachment(self, asked: Asked) -> Reply:
        for rows in self.attachments.values():
            for row in rows:
                if row["id"] == asked.found["number"]:
                    content = base64.encodebytes(row["bytes"]).decode()
                    return Reply(
                        {"id": int(row["id"]), "Content": content, "ContentType": row["ContentType"]}
                    )
        return Reply({"message": "Internal Server Error"}, 500)

    def _queues(self, asked: Asked) -> Reply:
        rows = [{"id": str(number), "Name": "", "hidden": True} for number in range(self.hidden_queues)]
        rows += [{"id": str(number), "Name": name} for number, name in QUEUES.items()]
        return self._page(asked, rows, tells=self.tells_totals, hidden=lambda row: row.get("hidden"))

    def _name(self, asked: Asked) -> Reply:
        number = asked.found["number"]
        names = PEOPLE if asked.found["kind"] == "user" else {str(key): name for key, name in QUEUES.items()}
        if number not in names:
            return Reply({"message": "Not Found"}, 404)
        return Reply({"id": int(number), "Name": names[number], "EmailAddress": "kim@example.com"})


def _user(name: str) -> dict[str, str]:
    return {"id": name, "type": "user", "_url": f"https://rt.example.com/REST/2.0/user/{name}"}
