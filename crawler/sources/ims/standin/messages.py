"""One question and one answer of HTTP, without the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request, read whole."""

    method: str
    path: str
    params: Mapping[str, Sequence[str]] = field(default_factory=dict)  # of the query, then of a posted form
    cookies: Mapping[str, str] = field(default_factory=dict)

    def param(self, name: str) -> str:
        """The first value of a parameter, or an empty text."""
        values = self.params.get(name)
        return values[0] if values else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An answer; its length is told by the wire."""

    status: int = 200
    content_type: str = "text/html;charset=UTF-8"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def html(page: str, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Answer with a page in UTF-8."""
    return Answer(status=status, headers=headers, body=page.encode("utf-8", "replace"))


def redirect(path: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Answer with a redirect within the tracker."""
    return Answer(status=302, headers=(("Location", path), *headers))


@cache
def status_line(status: int) -> bytes:
    """The first line of an answer."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii")
