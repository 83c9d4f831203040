"""Run by the interpreter that has Roundup: makes issues in a tracker's home, without a server."""

import json
import sys

from roundup import date, hyperdb, instance, password

COUNT = 9  # numbered from 1; the last one is retired


def main(home: str) -> None:
    """Make people and issues, and let things happen to them."""
    db = instance.open(home).open("admin")

    def person(name: str, **other: str) -> str:
        secret = password.Password(f"{name}-secret", config=db.config)
        mail = f"{name}@example.com"
        return db.user.create(username=name, address=mail, password=secret, roles="User", **other)

    kim, lee = person("kim", timezone="9"), person("lee", timezone="2")
    person("west", timezone="-11")
    person("kimberley")  # whose name has the other's in it
    words = [db.keyword.create(name=name) for name in ("Kernel", "Net work")]
    numbers = []
    for number in range(1, COUNT + 1):
        text = f"Description {number}\r\n\r\nORA-01555 타임아웃 <b>&</b>"
        message = db.msg.create(author=lee, content=text, date=date.Date(f"2026-01-{number:02}.10:00:00"))
        file = (
            [db.file.create(name="로그 1.txt", type="text/plain", content="log\n" * 9)] if number == 2 else []
        )
        log = {"name": "로그 1.txt", "type": "text/plain", "content": "log\n" * 9}
        file = [db.file.create(**log)] if number == 2 else []
        numbers.append(
            db.issue.create(
                title=f"Timeout {number}" if number % 2 else f"접속 오류 {number}",
                messages=[message],
                files=file,
                priority=str(number % 5 + 1),
                keyword=[words[0]] if number % 3 else [],
                nosy=[kim],
            )
        )
    db.commit()
    change = db.issue.set
    db.setCurrentUser("kim")
    for number, status in ((1, "in-progress"), (3, "resolved"), (4, "need-eg")):
        change(str(number), status=db.status.lookup(status), assignedto=kim)
        db.commit()
    comment = db.msg.create(author=kim, content="A comment", date=date.Date("2026-02-01.10:00:00"))
    change("1", messages=[*db.issue.get("1", "messages"), comment])
    db.commit()
    change("1", title="Renamed & -> moved", superseder=["2"], keyword=[words[1]])
    db.commit()
    change("1", title="Renamed", assignedto=None)
    db.commit()
    db.issue.retire(numbers[-1])
    db.commit()
    # As if all that had been long ago: what changed a moment ago is looked at again by every crawl.
    as_stored = db.hyperdb_to_sql_value[hyperdb.Date]
    for number in numbers:
        moment = as_stored(date.Date(f"2026-03-{int(number):02}.10:00:00"))
        db.sql(f"update _issue set _activity={db.arg} where id={db.arg}", (moment, number))  # noqa: S608
    db.commit()
    db.close()
    print(json.dumps(numbers))


main(sys.argv[1])
