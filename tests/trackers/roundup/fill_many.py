"""Run by the interpreter that has Roundup: ``fill_many.py HOME COUNT TEXT``."""

import sys

from roundup import date, hyperdb, instance, password

COMMENTS = 3


def main(home: str, count: str, text: str) -> None:
    """Make a person and issues, each with a description, comments and a change, all long ago."""
    db = instance.open(home).open("admin")
    secret = password.Password("kim-secret", config=db.config)
    kim = db.user.create(username="kim", address="kim@example.com", password=secret, roles="User")
    keyword = db.keyword.create(name="Kernel")
    as_stored = db.hyperdb_to_sql_value[hyperdb.Date](date.Date("2026-03-01.10:00:00"))
    for _ in range(int(count)):
        messages = [
            db.msg.create(author=kim, content=text, date=date.Date(f"2026-01-{day:02}.10:00:00"))
            for day in range(1, COMMENTS + 2)
        ]
        number = db.issue.create(
            title="Timeout", messages=messages[:1], priority="1", keyword=[keyword], nosy=[kim]
        )
        for end in range(2, len(messages) + 1):
            db.issue.set(number, messages=messages[:end])
        db.issue.set(number, status=db.status.lookup("in-progress"), assignedto=kim)
        # What changed a moment ago is looked at again by every crawl.
        db.sql(f"update _issue set _activity={db.arg} where id={db.arg}", (as_stored, number))  # noqa: S608
    db.commit()
    db.close()


main(*sys.argv[1:])
