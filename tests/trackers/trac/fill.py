"""Fill a Trac environment through Trac's own Python API; run by Trac's interpreter, never by ours.

    python trac_fill.py ENVIRONMENT < issues.json

Trac 0.11 to 1.6 take it, the old ones in Python 2.

An issue with an ``id`` is a ticket that is already there, to which something more happens. Prints the numbers
of the tickets.
"""

import io
import json
import sys
from datetime import datetime, timedelta

from trac import __version__
from trac.attachment import Attachment
from trac.env import Environment
from trac.ticket.model import Component, Severity, Ticket
from trac.util.datefmt import utc

EPOCH = datetime(1970, 1, 1, tzinfo=utc)
VERSION = tuple(int(part) for part in __version__.split(".")[:2])


def moment(seconds):
    # Whole microseconds: fromtimestamp() would bring a float's error into Trac's database.
    return EPOCH + timedelta(microseconds=round(seconds * 1000000))


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


def attach(env, ticket, event, when):
    attachment = Attachment(env, "ticket", ticket.id)
    attachment.author = event["author"]
    attachment.description = event["description"]
    content = (b"line of a file\n" * (event["size"] // 15 + 1))[: event["size"]]
    if VERSION < (0, 12):
        when = (when - EPOCH).days * 86400 + (when - EPOCH).seconds
    attachment.insert(event["attach"], io.BytesIO(content), event["size"], when)


def save(ticket, event, when):
    """Save what was set, with a comment; returns the number of the change."""
    if VERSION >= (1, 0):
        return ticket.save_changes(event["author"], event["comment"], when, replyto=event.get("reply"))
    number = max(written_before(ticket) or [0]) + 1
    answered = [event["reply"]] if event.get("reply") else []
    answered.append(str(number))
    ticket.save_changes(event["author"], event["comment"], when, cnum=".".join(answered))
    return number


def happen(env, ticket, event, written):
    when = moment(event["when"])
    if "attach" in event:
        attach(env, ticket, event, when)
    elif "edit" in event:
        if VERSION >= (0, 12):  # before, a comment stays as it is
            ticket.modify_comment(written[event["edit"]], event["author"], event["comment"], when)
    else:
        for name, value in event.get("fields", {}).items():
            if name in known(ticket):
                ticket[name] = given_value(value)
        written[save(ticket, event, when)] = when


def known(ticket):
    return {field["name"] for field in ticket.fields}


def written_before(ticket):
    """Map the number of each comment that is already there to its time."""
    return {
        int(entry[3].rsplit(".", 1)[-1]): entry[0]
        for entry in ticket.get_changelog()
        if entry[2] == "comment" and entry[3]
    }


def fill(path, wanted, issues):
    env = Environment(path)
    if wanted:
        names(env, wanted)
    numbers = []
    for issue in issues:
        ticket = Ticket(env, issue.get("id"))
        written, taken = {}, set()
        if issue.get("id"):
            written = written_before(ticket)
        else:
            values = issue["ticket"].items()
            ticket.populate({name: given_value(value) for name, value in values if name in known(ticket)})
            ticket["status"] = issue["ticket"]["status"]
            ticket.insert(when=moment(issue["when"]))
            taken.add(issue["when"])
        for event in sorted(issue["events"], key=lambda event: event["when"]):
            while event["when"] in taken or (VERSION < (0, 12) and int(event["when"]) in map(int, taken)):
                event["when"] += 1  # Trac keys its history by the time
            taken.add(event["when"])
            happen(env, ticket, event, written)
        numbers.append(ticket.id)
    env.shutdown()
    return numbers


if __name__ == "__main__":
    given = json.loads(getattr(sys.stdin, "buffer", sys.stdin).read().decode("utf-8"))
    print(json.dumps(fill(sys.argv[1], given.get("components"), given["issues"])))
