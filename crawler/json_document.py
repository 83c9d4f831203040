"""Strict reading of a tracker's JSON: what is not as promised is refused, with the path to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from crawler.errors import PageCut, PageRejected
from crawler.records import Json

DEEPEST: Final = 64  # arrays and objects within each other; a tracker's own have a dozen


class JsonNode:
    """A value in a document and where it stands.

    The getters of a field take its name and raise PageRejected where the value is not of the type that is
    asked for. A field that is absent or null gives None where the getter is an ``optional`` one.

    Args:
        value: as it was read.
        place: its path; within a node, the field's name or the element's number.
        within: the node that it is in.
    """

    __slots__ = ("_place", "_within", "value")

    def __init__(self, value: Json, place: str | int = "$", within: JsonNode | None = None) -> None:
        self.value = value
        self._place = place
        self._within = within

    @property
    def path(self) -> str:
        """Where it stands, such as ``$.bugs[0].id``; put together only for a message."""
        if self._within is None:
            return str(self._place)
        step = f".{self._place}" if isinstance(self._place, str) else f"[{self._place}]"
        return self._within.path + step

    def at(self, name: str) -> JsonNode:
        """The value of a field that must be there and not be null."""
        node = self.find(name)
        if node is None:
            raise PageRejected(f"The answer has no {self.path}.{name}.")
        return node

    def find(self, name: str) -> JsonNode | None:
        """The value of a field; None where it is absent or null."""
        value = self.object().get(name)
        return None if value is None else JsonNode(value, name, self)

    def object(self) -> Mapping[str, Json]:
        """The value, an object."""
        if not isinstance(self.value, dict):
            raise self._refused("an object")
        return self.value

    def items(self) -> Iterator[JsonNode]:
        """The elements of the value, a list."""
        if not isinstance(self.value, list):
            raise self._refused("a list")
        for number, value in enumerate(self.value):
            yield JsonNode(value, number, self)

    def each(self, name: str) -> Iterator[JsonNode]:
        """The elements of a field, a list; none where it is absent or null."""
        node = self.find(name)
        return iter(()) if node is None else node.items()

    def text(self) -> str:
        """The value, a text."""
        if not isinstance(self.value, str):
            raise self._refused("a text")
        return self.value

    def integer(self) -> int:
        """The value, a whole number; ``5.0`` is one."""
        value = self.value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._refused("a whole number")
        return value

    def boolean(self) -> bool:
        """The value, true or false."""
        if not isinstance(self.value, bool):
            raise self._refused("true or false")
        return self.value

    def key(self) -> str:
        """The value, an id, as a text: trackers write some ids as numbers and some as texts."""
        return self.value if isinstance(self.value, str) else str(self.integer())

    def time(self) -> datetime:
        """The value, an ISO 8601 time, in UTC; one without an offset is taken for UTC."""
        try:
            moment = datetime.fromisoformat(self.text())
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self._refused("a time") from None

    def optional_text(self, name: str) -> str | None:
        """A field's text."""
        node = self.find(name)
        return None if node is None else node.text()

    def optional_integer(self, name: str) -> int | None:
        """A field's whole number."""
        node = self.find(name)
        return None if node is None else node.integer()

    def optional_time(self, name: str) -> datetime | None:
        """A field's time; an empty text is none."""
        node = self.find(name)
        return None if node is None or node.value == "" else node.time()

    def flag(self, name: str) -> bool:
        """A field's true or false; absent is false."""
        node = self.find(name)
        return node is not None and node.boolean()

    def _refused(self, wanted: str) -> PageRejected:
        kind = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
        got = kind.get(type(self.value), "null" if self.value is None else "a number")
        return PageRejected(f"In the answer {self.path} is {got} instead of {wanted}.")


def read_json(body: bytes, *, what: str = "$") -> JsonNode:
    """Read a body as JSON in UTF-8, with or without a byte order mark.

    Raises:
        PageCut: it ends too early.
        PageRejected: it is no JSON, has numbers that are none (NaN), or is nested too deeply.
    """
    try:
        value = _DECODER.decode(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        if _ends_early(body):
            raise PageCut("The answer's JSON is cut off: its end is missing.") from None
        raise PageRejected("The answer is not JSON: it may be a page of a proxy or of a login.") from None
    # Most answers have not even so many brackets.
    if body.count(b"[") + body.count(b"{") > DEEPEST and _is_too_deep(value):
        raise PageRejected("The answer's JSON is nested too deeply.")
    return JsonNode(value, what)


def _ends_early(body: bytes) -> bool:
    body = body.removeprefix(b"\xef\xbb\xbf").rstrip(b"0123456789+-.eE")  # half a number is malformed
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    except (ValueError, RecursionError):
        pass
    return False


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


def _is_too_deep(value: Json) -> bool:
    level: list[Json] = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True
