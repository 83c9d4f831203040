"""Issues of a fresh Redmine, made through its API: texts, notes, private ones, changes, files, relations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from tests.trackers.redmine.fix_server import RedmineServer

COUNT = 14  # numbered from 1; the last one is deleted again
_SUBJECTS = (
    "Timeout beim Verbinden",
    "ORA-01555 snapshot too old",
    "커넥션 타임아웃 오류",
    'ログインできない & "quotes"',
)
_TEXT = (
    "h2. Steps\r\n\r\n# one\r\n# two *bold* _it_ @x_y@\r\n\r\n<pre>\r\nSELECT {0};\r\n</pre>\r\n\r\n"
    '"link":http://example.com/{0}'
)


def fill(server: RedmineServer) -> None:
    """Make the issues as kim, and let things happen to them."""
    known = server.known
    fields, statuses, versions = known["fields"], known["statuses"], known["versions"]
    for number in range(1, COUNT + 1):
        custom = {
            "Site": f"site {number}",
            "Platforms": ["Linux", "AIX"] if number % 2 else [],
            "Seen in": [str(versions["1.0"]), str(versions["2.0"])] if number != 8 else [],
            "Reviewer": str(known["people"]["lee"]) if number == 3 else "",
            "Found on": f"2026-01-{number:02}",
            "Internal": "hush",
        }
        server.send(
            "POST",
            "issues.json",
            issue={
                "project_id": "secret" if number == 8 else "db",
                "tracker_id": known["trackers"][("Bug", "Feature", "Support")[number % 3]],
                "subject": f"{_SUBJECTS[number % 4]} {number}",
                "description": _TEXT.format(number),
                "priority_id": known["priorities"][("Low", "Normal", "High")[number % 3]],
                "custom_fields": [{"id": fields[name], "value": value} for name, value in custom.items()],
                "is_private": number == 5,
                **({"parent_issue_id": 1} if number == 6 else {}),
                **({"uploads": uploads(server)} if number == 2 else {}),
                **(
                    {"fixed_version_id": versions["2.0"], "category_id": known["category"]}
                    if number != 8
                    else {}
                ),
            },
        )
    change = server.change
    change(1, notes="First note\r\n\r\n> quoted\r\n\r\nsee @code@", status_id=statuses["In Progress"])
    change(1, notes="Only for staff", private_notes=True)
    change(2, assigned_to_id=known["people"]["lee"], fixed_version_id=versions["1.0"])
    change(
        2, assigned_to_id=known["people"]["kim"], category_id="", priority_id=known["priorities"]["Urgent"]
    )
    change(
        3,
        subject="Renamed",
        description="Nothing but words.",
        custom_fields=[
            {"id": fields["Platforms"], "value": ["Windows", "AIX"]},
            {"id": fields["Internal"], "value": "hush hush"},
        ],
    )
    change(4, status_id=statuses["Closed"], done_ratio=100)
    change(7, status_id=statuses["Resolved"], notes="감사합니다 done")
    change(9, notes="with a file", uploads=uploads(server)[:1])
    change(11, project_id="secret")
    relate(server, 1, 2, "blocks")
    relate(server, 3, 4, "duplicates")
    gone = relate(server, 9, 1, "relates")
    server.send("DELETE", f"relations/{gone}.json")
    server.send("DELETE", f"issues/{COUNT}.json")


def relate(server: RedmineServer, number: int, other: int, kind: str) -> int:
    """Put two issues in a relation; returns its number."""
    made = server.send(
        "POST", f"issues/{number}/relations.json", relation={"issue_to_id": other, "relation_type": kind}
    )
    return int(made["relation"]["id"])


def uploads(server: RedmineServer) -> list[dict[str, Any]]:
    """Two files that are there to be attached."""
    made = []
    for name, body in (("로그 파일 1.txt", b"log\n" * 50), ("a b+c%.bin", bytes(range(256)))):
        token = server.upload(f"uploads.json?filename={quote(name)}", body)
        made.append(
            {"token": token, "filename": name, "content_type": "text/plain", "description": f"of {name}"}
        )
    return made
