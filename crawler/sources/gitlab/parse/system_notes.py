"""What GitLab writes under an issue by itself, in English words: the rest of its history."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from crawler.markup import markdown
from crawler.records import RelationRecord
from crawler.sources.gitlab.parse.keys import key_in


class Change(NamedTuple):
    """What a note tells."""

    kind: str  # see ChangeRecord.change_type
    field: str | None = None
    old: str | None = None
    new: str | None = None


_REFERENCE: Final = r"(?P<other>[\w./-]{0,500}#[0-9]{1,10})"
_TITLE = re.compile(
    r"\A(?:C|c)hanged title from \*\*(?P<old>[^\n]{0,1000})\*\* to \*\*(?P<new>[^\n]{0,1000})\*\*\Z"
)
_STATE = re.compile(
    r"\A(?:Status changed to )?(?P<state>closed|reopened)(?: (?:via|by) [^\n]{1,500})?\Z", re.IGNORECASE
)
_PEOPLE = re.compile(r"(?<![\w.-])@([\w.-]{1,255})")
_ASSIGNED = re.compile(r"\A(?:re)?assigned to (?P<who>@[^\n]{1,2000})\Z", re.IGNORECASE)
_UNASSIGNED = re.compile(r"\Aunassigned (?P<who>@[^\n]{1,2000})\Z", re.IGNORECASE)
_VALUE = re.compile(
    r"\A(?:changed|set) (?P<field>due date|start date|milestone|weight|time estimate|iteration|severity"
    r"|health status|(?:the )?description|status|color|priority)"
    r"(?: to \*{0,2}(?P<new>[^\n*]{1,500})\*{0,2})?\Z",
    re.IGNORECASE,
)
_REMOVED = re.compile(
    r"\Aremoved (?:the )?(?P<field>due date|start date|milestone|weight|time estimate|iteration|assignee"
    r"|health status|status)(?: \*{0,2}(?P<old>[^\n*]{1,500})\*{0,2})?\Z",
    re.IGNORECASE,
)
_HIDDEN = re.compile(
    r"\Amade (?:the|this) [a-z ]{1,30} (?P<how>confidential|visible to everyone)\Z", re.IGNORECASE
)
_LOCKED = re.compile(r"\A(?P<un>un)?locked (?:this|the) [a-z ]{1,30}\Z", re.IGNORECASE)
_RELATED = (
    (re.compile(rf"\Amarked this [a-z ]{{1,30}} as (?:a )?duplicate of {_REFERENCE}\Z"), "duplicate of"),
    (re.compile(rf"\Amarked {_REFERENCE} as (?:a )?duplicate of this [a-z ]{{1,30}}\Z"), "duplicate"),
    (re.compile(rf"\Amoved to {_REFERENCE}\Z"), "moved to"),
    (re.compile(rf"\Amoved from {_REFERENCE}\Z"), "moved from"),
    (re.compile(rf"\A(?:cloned|promoted) to [a-z ]{{0,20}}{_REFERENCE}\Z"), "cloned to"),
    (re.compile(rf"\Acloned from {_REFERENCE}\Z"), "cloned from"),
    (re.compile(rf"\Amentioned in (?:issue |incident |task )?{_REFERENCE}\Z"), "mentioned in"),
)
_LINKED = re.compile(rf"\Amarked this [a-z ]{{1,30}} as (?P<how>related to|blocking|blocked by) {_REFERENCE}")
_UNLINKED = re.compile(rf"\Aremoved the relation with {_REFERENCE}")
_FAMILY = re.compile(rf"\Aadded {_REFERENCE} as (?P<kind>child|parent)(?: [a-z ]{{1,30}})?\Z")
_NO_FAMILY = re.compile(rf"\Aremoved (?P<kind>child|parent)(?: [a-z ]{{1,30}})? {_REFERENCE}\Z")
# A link that is made writes such a note under both issues.
_TELLS_LINKS = re.compile(r"relat(?:ed|ion|es)|block|linked", re.IGNORECASE)
_LISTED: Final = frozenset({"related to", "blocking", "blocked by"})
_MARKS: Final = (("{-", "-}"), ("{+", "+}"), ("[-", "-]"), ("[+", "+]"))


def tells_of_links(body: str) -> bool:
    """Whether a note may be about a link to another issue."""
    return _TELLS_LINKS.search(body) is not None


def plain(body: str) -> str:
    """A note as a reader sees it."""
    return markdown.plain(body).strip()


def change_in(body: str) -> Change:
    """Take a note apart; one that cannot be taken apart is a ``text``."""
    text = body.strip()
    for reader in _READERS:
        change = reader(text)
        if change is not None:
            return change
    return Change("text")


def relation_in(body: str, here: str) -> tuple[RelationRecord, bool] | None:
    """The relation that a note tells of, and whether it holds from then on; None: none.

    Links are not among them, which GitLab lists.

    Args:
        body: as it is written.
        here: the full path of the issue's project.
    """
    change = _relation(body.strip())
    if change is None or change.field is None or change.field in _LISTED:
        return None
    key = key_in(change.new or change.old or "", here)
    if key is None:
        return None
    return RelationRecord(related_issue_id=key, relation_type=change.field), change.new is not None


def _title(text: str) -> Change | None:
    match = _TITLE.match(text)
    if match is None:
        return None
    return Change("field", "title", _unmarked(match["old"], "-"), _unmarked(match["new"], "+"))


def _state(text: str) -> Change | None:
    match = _STATE.match(text)
    if match is None:
        return None
    is_closed = match["state"].lower() == "closed"
    return Change("field", "state", *(("opened", "closed") if is_closed else ("closed", "opened")))


def _assignees(text: str) -> Change | None:
    given, _, taken = text.partition(" and unassigned ")
    assigned = _ASSIGNED.match(given)
    unassigned = _UNASSIGNED.match(f"unassigned {taken}" if taken else text)
    if assigned is None and unassigned is None:
        return None
    return Change("field", "assignees", _people(unassigned), _people(assigned))


def _value(text: str) -> Change | None:
    if (match := _VALUE.match(text)) is not None:
        return Change("field", match["field"].lower().removeprefix("the "), None, match["new"])
    if (match := _REMOVED.match(text)) is not None:
        return Change("field", match["field"].lower(), match["old"], None)
    return None


def _visibility(text: str) -> Change | None:
    if (match := _HIDDEN.match(text)) is not None:
        now = match["how"].lower() == "confidential"
        return Change("field", "confidential", str(not now).lower(), str(now).lower())
    if (match := _LOCKED.match(text)) is not None:
        now = match["un"] is None
        return Change("field", "discussion_locked", str(not now).lower(), str(now).lower())
    return None


def _relation(text: str) -> Change | None:
    for pattern, kind in _RELATED:
        if (match := pattern.match(text)) is not None:
            return Change("relation", kind, None, match["other"])
    if (match := _LINKED.match(text)) is not None:
        return Change("relation", match["how"], None, match["other"])
    if (match := _UNLINKED.match(text)) is not None:
        return Change("relation", "related to", match["other"], None)
    if (match := _FAMILY.match(text)) is not None:
        return Change("relation", match["kind"], None, match["other"])
    if (match := _NO_FAMILY.match(text)) is not None:
        return Change("relation", match["kind"], match["other"], None)
    return None


_READERS: Final[tuple[Callable[[str], Change | None], ...]] = (
    _state, _title, _assignees, _value, _relation, _visibility,
)  # fmt: skip


def _people(match: re.Match[str] | None) -> str | None:
    return None if match is None else ", ".join(_PEOPLE.findall(match["who"])) or None


def _unmarked(title: str, sign: str) -> str:
    """A title without the marks around what differs."""
    for begin, end in _MARKS:
        if begin[1] == sign and begin in title and end in title:
            return title.replace(begin, "").replace(end, "")
    return title
