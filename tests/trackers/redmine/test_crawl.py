"""A crawl of a real Redmine: what is stored is what its own answers say, and what happened since is found."""

from __future__ import annotations

import hashlib
import urllib.request
from datetime import datetime
from typing import Any

import psycopg
import pytest

from tests.fixtures.shell import Shell
from tests.trackers.redmine.fill import COUNT, relate
from tests.trackers.redmine.fix_server import RedmineServer

pytestmark = pytest.mark.xdist_group("redmine")

# What an attribute's id is a number of, as seed.rb told them.
_LISTS = {"status_id": "statuses", "priority_id": "priorities", "fixed_version_id": "versions"}
_OTHER_END = {"blocks": "blocked", "duplicates": "duplicated", "relates": "relates"}


Rows = psycopg.Connection[tuple[Any, ...]]


_CHILDREN = (("comments", "issue_comments"), ("history", "issue_history"), ("attachments", "attachments"))
_STORED = "SELECT to_jsonb(issue) || jsonb_build_object({}) FROM ims.issues issue WHERE issue_id = %s"
_ROWS = (
    "'{}', (SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]') FROM ims.{} c WHERE c.issue_pk = issue.issue_pk)"
)


def stored_issue(database: Rows, number: int) -> dict[str, Any]:
    """A stored issue with all that belongs to it."""
    children = ", ".join(_ROWS.format(*each) for each in (*_CHILDREN, ("relations", "issue_relations")))
    row = database.execute(_STORED.format(children).encode(), (str(number),)).fetchone()
    assert row is not None, number
    issue: dict[str, Any] = row[0]
    issue["comments"].sort(key=lambda one: int(one["source_key"].removeprefix("id:")))
    issue["history"].sort(key=lambda one: one["position"] or 0)
    issue["attachments"].sort(key=lambda one: one["attachment_id"])
    return issue


def name_of(one: dict[str, Any], name: str) -> str | None:
    return None if one.get(name) is None else one[name]["name"]


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def lines(text: str) -> str:
    return text.replace("\r\n", "\n").strip("\n")


def compare_fields(redmine: RedmineServer, one: dict[str, Any], stored: dict[str, Any]) -> None:
    extra = stored["full_data"]
    assert stored["title"] == one["subject"]
    assert stored["url"] == f"{redmine.url}/issues/{one['id']}"
    source = extra.get("markup", {}).get("description") or stored["description"]
    assert lines(source) == lines(one["description"])
    assert (stored["product"], stored["project_name"]) == (one["project"]["name"],) * 2
    assert stored["project_code"] == {"Datenbank": "db", "Secret": "secret"}[one["project"]["name"]]
    names = {
        "status": "status",
        "priority": "priority",
        "issue_type": "tracker",
        "reporter": "author",
        "owner": "assigned_to",
        "module": "category",
        "target_version": "fixed_version",
    }
    assert {mine: stored[mine] for mine in names} == {mine: name_of(one, its) for mine, its in names.items()}
    assert (stored["state"] == "done") == one["status"]["is_closed"]
    times = {"registered_date": "created_on", "modified_date": "updated_on", "closed_date": "closed_on"}
    assert {mine: moment(stored[mine]) for mine in times} == {
        mine: moment(one[its]) for mine, its in times.items()
    }
    plain = ("start_date", "due_date", "done_ratio", "is_private", "estimated_hours", "spent_hours")
    assert {name: extra.get(name) for name in plain} == {name: one.get(name) for name in plain}
    assert extra.get("watchers", []) == [each["name"] for each in one.get("watchers", [])]
    versions = {str(key): name for name, key in redmine.known["versions"].items()}
    people = {str(redmine.known["people"]["lee"]): "Lee 이지은"}
    for each in one["custom_fields"]:
        words = {"Seen in": versions, "Reviewer": people}.get(each["name"], {})
        value = each["value"]
        said = [words.get(one, one) for one in value] if isinstance(value, list) else words.get(value, value)
        assert extra[each["name"]] == said


def compare_journals(redmine: RedmineServer, one: dict[str, Any], stored: dict[str, Any]) -> None:
    sources = stored["full_data"].get("markup", {}).get("comments", {})
    notes = [each for each in one["journals"] if each["notes"]]
    assert len(stored["comments"]) == len(notes)
    for comment, journal in zip(stored["comments"], notes, strict=True):
        assert lines(sources.get(str(journal["id"])) or comment["content"]) == lines(journal["notes"])
        assert (comment["author"], comment["is_private"]) == (
            journal["user"]["name"],
            journal["private_notes"],
        )
        assert moment(comment["commented_at"]) == moment(journal["created_on"])
    details = [(journal, each) for journal in one["journals"] for each in journal["details"]]
    history = [each for each in stored["history"] if each["change_type"] != "observed"]
    assert len(history) == len(details)
    for change, (journal, detail) in zip(history, details, strict=True):
        assert (change["changed_by"], moment(change["changed_at"])) == (
            journal["user"]["name"],
            moment(journal["created_on"]),
        )
        assert (change["old_value"], change["new_value"]) == (
            words(redmine, detail, detail["old_value"]),
            words(redmine, detail, detail["new_value"]),
        )


def words(redmine: RedmineServer, detail: dict[str, Any], value: str | None) -> str | None:
    """A value of a change as people know it."""
    names: dict[str, int] = redmine.known.get(_LISTS.get(detail["name"], ""), {})
    known = {str(key): name for name, key in names.items()}
    if detail["name"] == "assigned_to_id":
        people = redmine.known["people"]
        known = {str(people["kim"]): "Kim Minsu", str(people["lee"]): "Lee 이지은"}
    elif detail["name"] == "category_id":
        known = {str(redmine.known["category"]): "Kernel"}
    elif detail["name"] == "project_id":
        known = {"1": "Datenbank", "2": "Secret"}
    return None if value is None else known.get(value, value)


def compare_others(redmine: RedmineServer, one: dict[str, Any], stored: dict[str, Any]) -> None:
    relations = {(str(child["id"]), "child") for child in one.get("children", [])}
    if "parent" in one:
        relations.add((str(one["parent"]["id"]), "parent"))
    for each in one.get("relations", []):
        kind = each["relation_type"]
        if each["issue_id"] == one["id"]:
            relations.add((str(each["issue_to_id"]), kind))
        else:
            relations.add((str(each["issue_id"]), _OTHER_END[kind]))
    assert {(each["related_issue_id"], each["relation_type"]) for each in stored["relations"]} == relations
    assert len(stored["attachments"]) == len(one.get("attachments", []))
    for mine, its in zip(stored["attachments"], one.get("attachments", []), strict=True):
        assert (mine["filename"], mine["file_size"], mine["file_type"]) == (
            its["filename"],
            its["filesize"],
            its["content_type"],
        )
        assert (mine["author"], mine["description"]) == (its["author"]["name"], its["description"])
        assert moment(mine["attached_at"]) == moment(its["created_on"])


def compare(database: Rows, redmine: RedmineServer) -> None:
    """Hold every stored issue against Redmine's own answer to the administrator."""
    for number in range(1, COUNT):
        one, stored = redmine.issue(number, "admin"), stored_issue(database, number)
        try:
            compare_fields(redmine, one, stored)
            compare_journals(redmine, one, stored)
            compare_others(redmine, one, stored)
        except AssertionError as error:
            raise AssertionError(f"issue {number}: {error}") from error


def compare_files(database: Rows, redmine: RedmineServer) -> None:
    """Hold the bytes of an issue's files against what Redmine gives by another address."""
    files = stored_issue(database, 2)["attachments"]
    assert len(files) == 2
    for mine, its in zip(files, redmine.issue(2)["attachments"], strict=True):
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{redmine.url}/attachments/download/{its['id']}", headers={"X-Redmine-API-Key": redmine.key()}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
            assert mine["sha256"] == hashlib.sha256(answer.read()).hexdigest()


def test_what_redmine_tells_is_stored_and_what_happens_there_is_found(
    shell: Shell, redmine: RedmineServer
) -> None:
    shell.monkeypatch.setenv("IMS_TRACKER_PASSWORD", redmine.key("admin"))

    def crawl(*options: str) -> dict[str, Any]:
        done = shell("crawl", "*", "--kind", "redmine", "--url", redmine.url, "--json", *options)
        assert done.status == 0, done.err
        document: dict[str, Any] = done.document
        assert document["status"] == "completed"
        return document

    first = crawl("--attachments")
    assert first["issues_new"] == first["total_issues_found"] == COUNT - 1
    with shell.database.superuser() as database:
        compare(database, redmine)
        compare_files(database, redmine)
        # Within a minute of its last change an issue is looked at again: it may have changed twice since.
        again = crawl()
        assert (again["issues_unchanged"], again["issues_changed"]) == (COUNT - 1, 0)

        redmine.change(3, notes="One more.")
        redmine.change(12, project_id="secret")
        assert crawl()["issues_changed"] == 2
        assert stored_issue(database, 3)["comments"][-1]["content"] == "One more."
        assert stored_issue(database, 12)["product"] == "Secret"

        # Of these the list says nothing.
        note = next(each for each in redmine.issue(1)["journals"] if each["notes"].startswith("First"))
        redmine.send("PUT", f"journals/{note['id']}.json", who="admin", journal={"notes": "Edited."})
        relate(redmine, 9, 10, "relates")
        redmine.send("DELETE", "issues/13.json")
        census = crawl("--census")
        assert census["removed"] == {"deleted": 1, "moved": 0, "denied": 0}
        assert stored_issue(database, 1)["comments"][0]["content"] == "Edited."
        related = stored_issue(database, 9)["relations"]
        assert ("10", "relates") in {(each["related_issue_id"], each["relation_type"]) for each in related}
        assert stored_issue(database, 13)["removed_reason"] == "deleted"
