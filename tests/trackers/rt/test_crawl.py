"""A crawl of a real RT: what is stored is what its own answers say, and what happened since is found."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import psycopg
import pytest

from tests.fixtures.shell import Shell
from tests.trackers.rt.fix_server import RtServer

pytestmark = pytest.mark.xdist_group("rt")

Rows = psycopg.Connection[tuple[Any, ...]]

_CHILDREN = ("issue_comments", "issue_history", "attachments", "issue_relations")
_ROWS = (
    "'{0}', (SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]') FROM ims.{0} c WHERE c.issue_pk = issue.issue_pk)"
)
_STORED = "SELECT to_jsonb(issue) || jsonb_build_object({}) FROM ims.issues issue WHERE issue_id = %s"


def stored(database: Rows, number: int) -> dict[str, Any]:
    """A stored ticket with all that belongs to it."""
    query = _STORED.format(", ".join(map(_ROWS.format, _CHILDREN)))
    row = database.execute(query.encode(), (str(number),)).fetchone()
    assert row is not None, number
    found: dict[str, Any] = row[0]
    return found


def moment(text: str | None) -> datetime | None:
    return None if text in (None, "1970-01-01T00:00:00Z") else datetime.fromisoformat(str(text))


def compare(database: Rows, rt: RtServer, number: int) -> None:
    """Hold a stored ticket against RT's own answers, each asked for by itself."""
    one = rt.get(f"ticket/{number}")
    here = stored(database, number)
    queue = rt.get(f"queue/{one['Queue']['id']}")["Name"]
    assert [here[name] for name in ("title", "status", "priority", "product")] == [
        *(one[name] for name in ("Subject", "Status", "Priority")),
        queue,
    ]
    for ours, theirs in (
        ("registered_date", "Created"),
        ("modified_date", "LastUpdated"),
        ("closed_date", "Resolved"),
    ):
        assert moment(here[ours]) == moment(one[theirs]), ours
    assert here["reporter"] == one["Requestor"][0]["id"]
    assert here["owner"] == (None if one["Owner"]["id"] == "Nobody" else one["Owner"]["id"])
    for field in one["CustomFields"]:
        value = here["full_data"][field["name"]]
        assert (value if isinstance(value, list) else [value] if value is not None else []) == field["values"]
    links = [
        link for link in one["_hyperlinks"] if link["ref"].split("-")[0] in ("depends", "depended", "refers")
    ]
    links += [link for link in one["_hyperlinks"] if link["ref"] in ("parent", "child", "referred-to-by")]
    expected = {(link["ref"], link["id"]) for link in links if link["type"] == "ticket"}
    stand = [each for each in here["issue_relations"] if each["removed_at"] is None]
    relations = {(each["relation_type"], each["related_issue_id"]) for each in stand}
    assert {each for each in relations if each[0] != "merged"} == expected
    compare_transactions(rt, number, here)


def compare_transactions(rt: RtServer, number: int, here: dict[str, Any]) -> None:
    told = rt.get(f"ticket/{number}/history?per_page=100&fields=Type,Creator,Created")["items"]
    written = [each for each in told if each["Type"] in ("Correspond", "Comment")]
    comments = {int(each["source_key"].removeprefix("id:")): each for each in here["issue_comments"]}
    for each in written:
        comment = comments[int(each["id"])]
        assert comment["author"] == each["Creator"]["id"]
        assert comment["is_private"] == (each["Type"] == "Comment")
        assert moment(comment["commented_at"]) == moment(each["Created"])
        assert comment["content"].strip()
    other = [each for each in told if each["Type"] not in ("Correspond", "Comment", "EmailRecord")]
    mine = [each for each in here["issue_history"] if each["change_type"] != "observed"]
    made = sum(each["Type"] == "Create" for each in other) - 1  # of tickets that were merged into this one
    assert len(mine) == len(other) - made
    assert len(comments) == len(written) + made
    files = [
        file
        for each in told
        for row in rt.get(f"transaction/{each['id']}/attachments?per_page=100")["items"]
        if (file := rt.get(f"attachment/{row['id']}")).get("Filename")
    ]
    assert {(each["filename"], each["file_type"], each["file_size"]) for each in here["attachments"]} == {
        (file["Filename"], file["ContentType"], len(base64.b64decode(file["Content"]))) for file in files
    }


def test_what_rt_tells_is_stored_and_what_happens_there_is_found(shell: Shell, rt: RtServer) -> None:
    shell.monkeypatch.setenv("IMS_TRACKER_PASSWORD", rt.token())

    def crawl(*options: str) -> dict[str, Any]:
        done = shell("crawl", "*", "--kind", "rt", "--url", rt.url, "--json", *options)
        assert done.status == 0, done.err
        document: dict[str, Any] = done.document
        assert document["status"] == "completed"
        return document

    assert crawl()["issues_new"] == 9
    with shell.database.superuser() as database:
        for number in (1, 5, 10):
            compare(database, rt, number)
        asked = rt.asked("ticket/")
        again = crawl()
        assert (again["issues_unchanged"], again["issues_changed"]) == (9, 0)
        assert rt.asked("ticket/") == asked

        rt.send("PUT", "ticket/5", {"Subject": "Renamed too"})
        rt.send("POST", "ticket/7/comment", {"Content": "One more.", "ContentType": "text/plain"})
        rt.send("PUT", "ticket/2", {"Status": "deleted"})
        rt.send("PUT", "ticket/4", {"MergeInto": 10})
        third = crawl()
        assert (third["issues_changed"], third["issues_new"]) == (3, 0)
        for number in (7, 10):
            compare(database, rt, number)
        census = crawl("--census", "--yes")  # two of nine are many
        assert census["removed"] == {"deleted": 1, "moved": 1, "denied": 0}
        compare(database, rt, 1)  # whose links to both changed, and not its time of change
        reasons = database.execute(
            b"SELECT issue_id, removed_reason FROM ims.issues WHERE removed_at IS NOT NULL ORDER BY issue_id"
        ).fetchall()
        assert reasons == [("2", "deleted"), ("4", "moved")]
