"""Fill a Trac environment through Trac's own Python API; run by Trac's interpreter, never by ours.

    python trac_fill.py ENVIRONMENT < issues.json

An issue with an ``id`` is a ticket that is already there, to which something more happens. Prints the numbers
of the tickets.
"""

import io
import json
import sys
from datetime import UTC, datetime, timedelta

from trac.attachment import Attachment
from trac.env import Environment
from trac.ticket.model import Component, Severity, Ticket

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(seconds):
    # Whole microseconds: fromtimestamp() would bring a float's error into Trac's database.
    return EPOCH + timedelta(microseconds=round(seconds * 1_000_000))


def given_value(value):
    """Make a time of a number, as a custom field of that kind wants it."""
    return moment(value) if isinstance(value, (int, float)) else value


def names(env, wanted):
    """Make exactly these components, and two severities."""
    for component in list(Component.select(env)):
        component.delete()
    for name in wanted:
        component = Component(env)
        component.name = name
        component.insert()
    for name in ("normal", "high"):
        severity = Severity(env)
        severity.name = name
        severity.insert()


def happen(env, ticket, event, written):
    when, author = moment(event["when"]), event["author"]
    if "attach" in event:
        attachment = Attachment(env, "ticket", ticket.id)
        attachment.author = author
        attachment.description = event["description"]
        content = (b"line of a file\n" * (event["size"] // 15 + 1))[: event["size"]]
        attachment.insert(event["attach"], io.BytesIO(content), event["size"], when)
    elif "edit" in event:
        ticket.modify_comment(written[event["edit"]], author, event["comment"], when)
    else:
        for name, value in event.get("fields", {}).items():
            ticket[name] = given_value(value)
        number = ticket.save_changes(author, event["comment"], when, event.get("reply"))
        written[number] = when


def written_before(ticket):
    """Map the number of each comment that is already there to its time."""
    return {
        int(old.rsplit(".", 1)[-1]): when
        for when, _, field, old, _, _ in ticket.get_changelog()
        if field == "comment" and old
    }


def fill(path, wanted, issues):
    env = Environment(path)
    if wanted:
        names(env, wanted)
    numbers = []
    for issue in issues:
        ticket = Ticket(env, issue.get("id"))
        written, taken = {}, set()
        if ticket.exists:
            written = written_before(ticket)
        else:
            ticket.populate({name: given_value(value) for name, value in issue["ticket"].items()})
            ticket["status"] = issue["ticket"]["status"]
            ticket.insert(when=moment(issue["when"]))
            taken.add(issue["when"])
        for event in sorted(issue["events"], key=lambda event: event["when"]):
            while event["when"] in taken:  # Trac keys its history by the time
                event["when"] += 1
            taken.add(event["when"])
            happen(env, ticket, event, written)
        numbers.append(ticket.id)
    env.shutdown()
    return numbers


if __name__ == "__main__":
    given = json.load(sys.stdin)
    print(json.dumps(fill(sys.argv[1], given.get("components"), given["issues"])))
