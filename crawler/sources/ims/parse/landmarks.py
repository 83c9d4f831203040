"""What an issue page announces in its raw characters, counted without trusting any HTML engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from crawler.html.sanitize import raw_text_closed

DESCRIPTION: Final = "IssueDescriptionDiv"
COMMENTS: Final = "CommentsDiv"
HISTORY: Final = "HistoriesDiv"
FILES: Final = "AttachesDiv"
PATCH_FILES: Final = "PatchAttachesDiv"
NOTICE: Final = "NoticeDiv"
RELATED: Final = "RelatedIssueTable"
SECTIONS: Final = (DESCRIPTION, COMMENTS, HISTORY, FILES, PATCH_FILES, NOTICE, RELATED)

# What stands in a start tag before the attribute that is looked for; a quoted value may hold a ">".
ATTRIBUTES: Final = r"(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*?[\s\"']"
_CLASS = ATTRIBUTES + r"class\s*=\s*[\"']?"
_OPENING = re.compile(
    r"<[a-z][a-z0-9]*+(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?[\s\"']id\s*=\s*[\"']?$", re.IGNORECASE
)
_ROW_OPENING = re.compile(
    r"<tr\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?[\s\"']onclick\s*=\s*[\"']?[^<>\"']*$", re.IGNORECASE
)
_ENTRY = re.compile(rf"<tr\b{_CLASS}(?:[^\"'<>]*\s)?data[\s\"'>]", re.IGNORECASE)
_ID_ENDS = ('"', "'", " ", ">", "\n", "\t")
_DATA_CELL = re.compile(rf"<td\b{_CLASS}(?:[^\"'<>]*\s)?data[\s\"'>]", re.IGNORECASE)
_TITLES = re.compile(rf"<tr\b{_CLASS}(?:[^\"'<>]*\s)?title[\s\"'>]", re.IGNORECASE)
_SHOWN = re.compile(r"popBlankIssueView\b")  # begins with plain letters: those are found fast
_ACTION = re.compile(r"action_(\d+)")
_FILE = re.compile(r"downloadFileNew\(\s*(?:['\"]|&#39;|&quot;|\d)")
_LINK_OPENING = re.compile(
    r"<[a-z][a-z0-9]*+(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?[\s\"'](?:onclick|href)\s*=[^<>]*$", re.IGNORECASE
)
_END = re.compile(r"</(?:html|body)\s*>", re.IGNORECASE)
_LONGEST_TAG: Final = 400  # characters from a tag's start to its id
_MOST_STARTS: Final = 3  # a quoted value before the id may hold a "<"


class Landmarks(Struct, frozen=True):
    """The landmarks of one issue page."""

    sections: Mapping[str, tuple[int, int]]  # where each section's characters begin and end, in `html`
    comments: tuple[int, ...]  # where each comment's heading begins, in `html`
    entries: int  # rows of the history
    files: int  # links to attached files
    description: tuple[int, int] | None  # the start tag of the description's cell
    repeated: tuple[str, ...]  # sections that begin twice
    unclosed: bool  # an HTML comment, script or text area is opened and never closed
    ended: bool  # the page's own end comes after its last section
    html: str  # the page without scripts and HTML comments that end as they should


def find_landmarks(html: str) -> Landmarks:
    """Find what a page announces.

    Args:
        html: the whole decoded page.
    """
    html, never_ends = _without_hidden(html)
    found = {name: section_starts(html, name) for name in SECTIONS}
    starts = {name: places[0] for name, places in found.items() if places}
    order = sorted(starts.values())
    ends = dict(zip(order, [*order[1:], len(html)], strict=False))
    sections = {name: (start, ends[start]) for name, start in starts.items()}
    return Landmarks(
        sections=sections,
        comments=tuple(comment_starts(html, sections.get(COMMENTS, (0, len(html))))),
        entries=_count(_ENTRY, html, sections.get(HISTORY)),
        files=sum(_links(html, sections[name]) for name in (FILES, PATCH_FILES) if name in sections),
        description=_cell(html, sections.get(DESCRIPTION)),
        repeated=tuple(name for name, places in found.items() if len(places) > 1),
        unclosed=never_ends or _is_unclosed(html[order[0] :] if order else html),
        ended=_END.search(html, order[-1] if order else 0) is not None,
        html=html,
    )


def has_landmarks(html: str) -> bool:
    """Whether this is an issue page or a result list, by its sections or its row of headers.

    Args:
        html: the whole decoded page.
    """
    html = visible(html)
    return _TITLES.search(html) is not None or any(section_starts(html, name) for name in SECTIONS)


def visible(html: str) -> str:
    """The page without scripts and HTML comments that end as they should."""
    return _without_hidden(html)[0]


def _without_hidden(html: str) -> tuple[str, bool]:
    """The visible page, and whether a script or an HTML comment in it never ends."""
    # Scripts name landmarks in strings. One that is opened again before its end never ended: it stays, so
    # that what it would hide is counted.
    if html.rfind("<SCRIPT") >= 0:  # from the end, which takes half as long where there is none
        html = html.replace("<SCRIPT", "<script").replace("</SCRIPT", "</script")
    first, *pieces = html.split("<script")
    ends = [piece.find("</script") for piece in pieces]
    html = first + "".join(
        piece[end:] if end >= 0 else "<script" + piece for piece, end in zip(pieces, ends, strict=True)
    )
    if html.rfind("<!--") < 0:
        return html, -1 in ends
    first, *pieces = html.split("<!--")
    html = first + "".join(
        piece[end + 3 :] if (end := piece.find("-->")) >= 0 else "<!--" + piece for piece in pieces
    )
    return html, "<!--" in html or "<script" in html  # what stood around a comment may be one itself


def section_starts(html: str, name: str) -> list[int]:
    """Where the elements begin that have a section's id.

    Args:
        html: the page, without what is hidden.
        name: the section's.
    """
    starts = []
    found = html.rfind(name)
    while found >= 0:
        after = found + len(name)
        if html[after : after + 1] in _ID_ENDS and (opening := _opening(html, found, _OPENING)) is not None:
            starts.append(opening)
        found = html.rfind(name, 0, found)
    return starts[::-1]


def _links(html: str, span: tuple[int, int]) -> int:
    # One link may name its file twice, in its address and for a click.
    mentions = (match.start() for match in _FILE.finditer(html, *span))
    return len({_opening(html, mention, _LINK_OPENING) for mention in mentions} - {None})


def comment_starts(html: str, span: tuple[int, int]) -> list[int]:
    """Where the headings of comments begin.

    Args:
        html: the page, without what is hidden.
        span: where to look.
    """
    # A mention of an id in a text or an attribute is not its announcement: `id=` within a tag is.
    starts = (_opening(html, match.start(), _OPENING) for match in _ACTION.finditer(html, *span))
    return [start for start in starts if start is not None]


def row_starts(html: str) -> list[int]:
    """Where the rows of a result list begin that show their issue when they are clicked.

    Args:
        html: the whole decoded page.
    """
    mentions = (match.start() for match in _SHOWN.finditer(html))
    starts = (_opening(html, mention, _ROW_OPENING) for mention in mentions)
    return [start for start in starts if start is not None]


def _opening(html: str, position: int, pattern: re.Pattern[str]) -> int | None:
    """Where the tag begins that has what stands at a position in the attribute that the pattern tells."""
    end = position
    for _ in range(_MOST_STARTS):
        start = html.rfind("<", max(0, position - _LONGEST_TAG), end)
        if start < 0:
            return None
        if pattern.match(html[start:position]):
            return start
        end = start
    return None


def _is_unclosed(html: str) -> bool:
    return raw_text_closed(html) != html


def _cell(html: str, span: tuple[int, int] | None) -> tuple[int, int] | None:
    found = _DATA_CELL.search(html, *span) if span else None
    return found.span() if found else None


def _count(pattern: re.Pattern[str], html: str, span: tuple[int, int] | None) -> int:
    return sum(1 for _ in pattern.finditer(html, *span)) if span else 0
