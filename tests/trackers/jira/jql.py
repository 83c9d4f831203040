"""As much of JQL as a stand-in needs, read strictly: what Jira would refuse is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[()~,]|>=|<=|=|[^\s()~,<>="]+)')
_WORD = re.compile(r"\w+")

Test = Callable[[Any], bool]


class WrongJql(ValueError):
    """Jira answers 400."""


class Jql:
    """One question.

    Args:
        text: the question.
        zone: whose clock times are read by; None: they are milliseconds, as Cloud has them.
        exists: whether an issue has this key; asking for one that does not exist is wrong.
    """

    def __init__(self, text: str, *, zone: ZoneInfo | None, exists: Callable[[str], bool]) -> None:
        conditions, by, order = text.partition(" ORDER BY ")
        if by and order != "created DESC, key DESC":
            raise WrongJql(order)
        self._tokens = _tokens(conditions)
        self._zone, self._exists = zone, exists
        self.is_bounded = bool(self._tokens)
        self.matches: Test = self._any() if self._tokens else lambda issue: True
        if self._tokens:
            raise WrongJql(f"left over: {self._tokens}")

    def _next(self, *wanted: str) -> str:
        if not self._tokens or (wanted and self._tokens[0] not in wanted):
            raise WrongJql(f"{wanted} expected in {self._tokens}")
        return self._tokens.pop(0)

    def _any(self) -> Test:
        tests = [self._all()]
        while self._tokens[:1] == ["OR"]:
            self._next()
            tests.append(self._all())
        return lambda issue: any(test(issue) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._tokens[:1] == ["AND"]:
            self._next()
            tests.append(self._one())
        return lambda issue: all(test(issue) for test in tests)

    def _one(self) -> Test:
        if self._tokens[:1] == ["("]:
            self._next()
            inside = self._any()
            self._next(")")
            return inside
        field, operator = self._next(), self._next()
        if (field, operator) == ("project", "is"):
            self._next("not")
            self._next("EMPTY")
            return lambda issue: True
        if operator == "in":
            return self._in(field, list(self._list()))
        if operator == "~" and field == "text":
            return _text(_value(self._next()))
        moment = self._moment(self._next())
        if (field, operator) == ("updated", ">="):
            return lambda issue: issue.updated >= moment
        if (field, operator) == ("created", "<="):
            return lambda issue: issue.created <= moment
        raise WrongJql(f"{field} {operator}")

    def _list(self) -> Iterator[str]:
        self._next("(")
        while True:
            yield _value(self._next())
            if self._next(",", ")") == ")":
                return

    def _in(self, field: str, values: list[str]) -> Test:
        if field == "project":
            return lambda issue: issue.key.rpartition("-")[0] in values
        if field != "key":
            raise WrongJql(field)
        if missing := [key for key in values if not self._exists(key)]:
            raise WrongJql(f"An issue with key {missing[0]} does not exist for field 'key'.")
        return lambda issue: issue.key in values or not issue.earlier.isdisjoint(values)

    def _moment(self, text: str) -> datetime:
        if self._zone is None:
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        local = datetime.strptime(_value(text), "%Y/%m/%d %H:%M").replace(tzinfo=self._zone)
        return local.astimezone(UTC)


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    place = 0
    while place < len(text.rstrip()):
        found = _TOKEN.match(text, place)
        if found is None:
            raise WrongJql(text[place:])
        tokens.append(found[1])
        place = found.end()
    return tokens


def _value(token: str) -> str:
    if not (len(token) > 1 and token[0] == token[-1] == '"'):
        raise WrongJql(f"{token} needs quotes")
    return re.sub(r"\\(.)", r"\1", token[1:-1])


def _text(wanted: str) -> Test:
    """Whole words, or their beginning with a star, as an index without stems has them."""
    begins = wanted.endswith("*")
    word = wanted.rstrip("*").lower()

    def test(issue: Any) -> bool:
        texts = [issue.summary, str(issue.description or ""), *(str(each["body"]) for each in issue.comments)]
        words = {word for text in texts for word in _WORD.findall(text.lower())}
        return any(each.startswith(word) for each in words) if begins else word in words

    return test
