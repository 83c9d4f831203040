"""Run by the interpreter that has Roundup: ``change.py HOME NUMBER [NAME=VALUE …]``, or ``retire``."""

import sys

from roundup import instance


def main(home: str, number: str, *changes: str) -> None:
    """Change an issue as admin; ``comment=…`` adds a message, ``edit=…`` rewrites the last one."""
    db = instance.open(home).open("admin")
    for change in changes:
        name, _, value = change.partition("=")
        if name == "retire":
            db.issue.retire(number)
        elif name == "comment":
            message = db.msg.create(author=db.getuid(), content=value)
            db.issue.set(number, messages=[*db.issue.get(number, "messages"), message])
        elif name == "edit":
            db.msg.set(db.issue.get(number, "messages")[-1], content=value)
        else:
            db.issue.set(number, **{name: value})
    db.commit()
    db.close()


main(*sys.argv[1:])
