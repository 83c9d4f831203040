"""What a ticket page of Trac 1.4 or later tells as data, in the script in its head.

`old_values` has what every field is, as it is stored; `changes` every change with its time to the
microsecond, the old and new values as they are stored, and every wording of its comment. None of it depends
on language, zone or settings. The page decides what is shown, and the script what exactly that is: what
stands in the script alone is not read. Trac 1.2 and earlier have no such script.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from msgspec import Struct, field

from crawler.errors import PageRejected
from crawler.html.sanitize import cleaned
from crawler.json_document import JsonNode, read_json
from crawler.records import Json
from crawler.sources.trac.parse.mail import without_hidden

Value: TypeAlias = str | datetime  # a field's; an empty text where it has none

# Trac writes a variable on a line of its own, and no line break within a value.
_VARIABLE = re.compile(r"^[ \t]*var (changes|old_values)=(.*);[ \t\r]*$", re.MULTILINE)
_MARKS = re.compile("[&<>]")  # Trac writes them as escapes, so that no value ends the script
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


class Wording(Struct, frozen=True, kw_only=True):
    """One version of a comment."""

    author: str | None
    at: datetime | None
    text: str  # wiki text


class ToldChange(Struct, frozen=True, kw_only=True):
    """One change, as the script tells it."""

    author: str | None  # the login name
    at: datetime
    fields: Mapping[str, tuple[Value, Value]]  # old and new
    wordings: tuple[Wording, ...]  # of its comment, the first one first


class Told(Struct, frozen=True, kw_only=True):
    """What the script tells of a ticket; nothing where the page has none."""

    values: Mapping[str, str] = field(default_factory=dict)  # what each field is now; times as ISO 8601
    changes: Mapping[tuple[int, datetime], ToldChange] = field(default_factory=dict)
    files: Mapping[str, Sequence[ToldChange]] = field(default_factory=dict)  # by name, oldest first
    doubt: str | None = None  # why a script that is there is not believed

    def file(self, name: str, place: int, shown: datetime | None) -> ToldChange | None:
        """The change that brought a file.

        Args:
            name: of the file.
            place: of the change among those of this name.
            shown: the second that the page shows; None where it shows none that can be read.
        """
        found = self.files.get(name, ())
        change = found[place] if -len(found) <= place < len(found) else None
        agrees = change is not None and shown in (None, change.at.replace(microsecond=0))
        return change if agrees else None


class _Place(Struct, frozen=True):
    start: int
    end: int
    value: JsonNode


def read_script(html: str, number: int, shown: Callable[[], frozenset[str]]) -> Told:
    """Read the script of a ticket's page.

    Args:
        html: the page.
        number: of the ticket.
        shown: finds the mail addresses that the page shows; asked only where the script has any.
    """
    try:
        places = _variables(html)
        if not places:
            return Told()
        if "old_values" not in places:
            raise PageRejected("it does not tell which ticket it is of.")
        values = places["old_values"].value
        changes = places["changes"].value if "changes" in places else JsonNode([])
        if values.at("id").integer() != number:
            raise PageRejected("it is of another ticket")
        if any("@" in html[place.start : place.end] for place in places.values()):
            seen = shown()
            values = JsonNode(without_hidden(values.value, seen), values.path)
            changes = JsonNode(without_hidden(changes.value, seen), changes.path)
        told = [(each, _change(each)) for each in changes.items()]
        return Told(
            values={name: _now(value) for name, value in values.object().items()},
            changes={
                (each.at("cnum").integer(), change.at): change
                for each, change in told
                if each.find("cnum") is not None
            },
            files=_by_name(change for each, change in told if each.find("cnum") is None),
            doubt=None if "changes" in places else "The page's script tells no changes.",
        )
    except (PageRejected, OverflowError) as error:
        return Told(doubt=f"The page's script is not used: {error}")


def hide_addresses(html: str, shown: Callable[[], frozenset[str]]) -> str:
    """The page without the mail addresses that only its script has.

    A script that cannot be read stays as it is only if it holds no address; else its values are emptied.
    """
    try:
        places = _variables(html)
    except PageRejected:
        head = html.find("</head>")
        emptied = _VARIABLE.sub(
            lambda found: f"var {found[1]}=null;" if "@" in found[2] else found[0], html[:head]
        )
        return emptied + html[head:]
    if all("@" not in html[place.start : place.end] for place in places.values()):
        return html
    seen = shown()
    for place in sorted(places.values(), key=lambda place: place.start, reverse=True):
        hidden = without_hidden(place.value.value, seen)
        if hidden != place.value.value:
            html = html[: place.start] + _as_script(hidden) + html[place.end :]
    return html


def _as_script(value: Json) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return _MARKS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _variables(html: str) -> dict[str, _Place]:
    """Where the page's own script assigns the two; a text of the ticket stands after the head.

    Raises:
        PageRejected: they are no JSON, or one of them is there twice.
    """
    places: dict[str, _Place] = {}
    for start, end in _scripts(html):
        for found in _VARIABLE.finditer(html, start, end):
            name = found[1]
            if name in places:
                raise PageRejected(f"it has {name} twice.")
            value = read_json(found[2].encode(errors="surrogatepass"), what=name)
            places[name] = _Place(*found.span(2), value)
    return places


def _scripts(html: str) -> Iterator[tuple[int, int]]:
    """From where to where each script in the head goes."""
    head = max(html.find("</head>"), 0)
    end = 0
    while (start := html.find("<script", end, head)) >= 0:
        end = html.find("</script>", start, head)
        if end < 0:
            return
        yield start, end


def _change(node: JsonNode) -> ToldChange:
    fields = node.at("fields")
    wordings = node.at("comment_history")
    return ToldChange(
        author=node.optional_text("author") or None,
        at=_moment(node.at("date").integer()),
        fields={
            cleaned(name): (_stored(fields.at(name), "old"), _stored(fields.at(name), "new"))
            for name in fields.object()
        },
        wordings=tuple(_wording(wordings.at(version)) for version in sorted(wordings.object(), key=_version)),
    )


def _by_name(changes: Iterable[ToldChange]) -> dict[str, list[ToldChange]]:
    files: dict[str, list[ToldChange]] = {}
    for change in changes:
        if "attachment" in change.fields:
            files.setdefault(str(change.fields["attachment"][1]), []).append(change)
    return files


def _version(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise PageRejected("it has a wording without a number.")
    return int(text)


def _wording(node: JsonNode) -> Wording:
    at = node.optional_integer("date")
    return Wording(
        author=node.optional_text("author") or None,
        at=None if at is None else _moment(at),
        text=cleaned(node.optional_text("comment") or ""),
    )


def _stored(node: JsonNode, name: str) -> Value:
    value = node.object().get(name)
    if value is None:
        return ""
    return cleaned(value) if isinstance(value, str) else _moment(node.at(name).integer())


def _now(value: Json) -> str:
    return cleaned(value) if isinstance(value, str) else "" if value is None else str(value)


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def time_of(text: str) -> datetime | None:
    """The time that the script writes so; None: it is another text."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if _TIME.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None
