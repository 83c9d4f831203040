"""Mends the one place of an issue page where foreign HTML stands: the texts that people wrote.

A stray end tag in a comment closes the tracker's own elements too early, and the rest of the text falls out
of the comment without any engine telling; an element left open swallows the comments after it. Within the
boundaries that the raw characters announce, strays are dropped and what was left open is closed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from msgspec import Struct

from crawler.sources.ims.parse.landmarks import (
    ATTRIBUTES,
    COMMENTS,
    DESCRIPTION,
    Landmarks,
    find_landmarks,
)

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)[^<>\"']*+(?:(?:\"[^\"]*\"|'[^']*')[^<>\"']*+)*+>")
_ANY_TAG = re.compile(r"<[^<>]*>|&nbsp;")
_BODY = re.compile(
    rf"<div\b{ATTRIBUTES}(?:class|id)\s*=\s*[\"']?(?:[^\"'<>]*\s)?commDescTR(?:_\d+)?[\s\"'>]", re.IGNORECASE
)
_HOLDER = re.compile(rf"<div\b{ATTRIBUTES}id\s*=\s*[\"']?comment_\d", re.IGNORECASE)
_FRAME = re.compile(rf"<div\b{ATTRIBUTES}class\s*=\s*[\"']?(?:[^\"'<>]*\s)?fieldset[\s\"'>]", re.IGNORECASE)
_OPEN_ENDED = frozenset(
    {"br", "hr", "img", "input", "wbr", "col", "area", "base", "embed", "link", "meta", "source", "track"}
    | {"li", "p", "dt", "dd", "option", "optgroup", "thead", "tbody", "tfoot", "colgroup", "rp", "rt"}
)
_TABLE = frozenset({"table", "caption", "tr", "td", "th"})
_MOST_STRAYS = 64  # a text with more is none that anybody can read right


class _End(Struct, frozen=True):
    """An end tag without a beginning in its text: the tracker's own, or a stray."""

    start: int
    end: int
    name: str


class _Scan(Struct, frozen=True):
    """The tags of a text that do not fit together."""

    ends: list[_End]
    closers: list[tuple[int, int, str]]  # what to put in where a table ends without saying so
    left_open: str  # end tags for the tables that never end


class _Text(Struct, frozen=True):
    """Where a foreign text is, and the tracker's elements around it, the innermost first."""

    start: int
    end: int  # where its frame ends at the latest
    around: tuple[str, ...]
    heading: int | None = None  # of a comment; None: of the description, whose section is read whole
    beyond: int = 0  # how many more of the tracker's elements end before `end`
    last: bool = True  # nothing tells where its frame ends but the next section


def mend(html: str, landmarks: Landmarks | None = None, feet: Set[str] | None = None) -> str:
    """The page with balanced texts, scripts left out; the very same page where nothing is to be mended.

    Args:
        html: the whole decoded page.
        landmarks: those of the page, where they are known already.
        feet: what stands below comments, where the page has only some of several; see :func:`feet_of`.
    """
    marks = landmarks or find_landmarks(html)
    edits: list[tuple[int, int, str]] = []
    for text in _description(marks):
        edits += _edits(marks.html, text, _scan(marks.html, text), None)
    texts = _comments(marks)
    scans = [_scan(marks.html, text) for text in texts]
    if feet is None:
        feet = _feet(marks.html, texts, scans) if len(texts) > 1 else set()
    # What stands below every comment, such as buttons: the tracker's own words then, not lost ones.
    foot = next(iter(feet)) if len(feet) == 1 else None
    for text, scan in zip(texts, scans, strict=True):
        edits += _edits(marks.html, text, scan, foot)
    if not edits:
        return html
    mended, position = [], 0
    for start, end, replacement in sorted(edits):
        mended += [marks.html[position:start], replacement]
        position = end
    return "".join(mended) + marks.html[position:]


def _description(marks: Landmarks) -> list[_Text]:
    if DESCRIPTION not in marks.sections:
        return []
    start, end = marks.sections[DESCRIPTION]
    cell = _TAG.match(marks.html, marks.description[0]) if marks.description else None
    if cell is None:
        return []
    around = _around(marks.html, start, cell.end())
    return [_Text(cell.end(), end, around)]


def _comments(marks: Landmarks) -> list[_Text]:
    if COMMENTS not in marks.sections:
        return []
    section, section_end = marks.sections[COMMENTS]
    heads = [start for start in marks.comments if section < start < section_end]
    frames = [frame_start(marks.html, head, low) for low, head in zip([section, *heads], heads, strict=False)]
    texts = []
    for number, (frame, head) in enumerate(zip(frames, heads, strict=True)):
        last = number + 1 == len(heads)
        end = section_end if last else frames[number + 1]
        found = _BODY.search(marks.html, head, end)
        body = _TAG.match(marks.html, found.start()) if found else None
        if body is not None:
            around = _around(marks.html, frame, body.end())
            texts.append(_Text(body.end(), end, around, head, beyond=int(last), last=last))
    return texts


def frame_start(html: str, head: int, low: int) -> int:
    """Where the element begins that a comment is in, or else its heading.

    Args:
        html: the page.
        head: where its heading begins.
        low: where the one before it begins, or the section.
    """
    found = [match.start() for match in _FRAME.finditer(html, low, head)]
    return found[-1] if found else head


def _around(html: str, start: int, end: int) -> tuple[str, ...]:
    return tuple(tag[2].lower() for tag in reversed(open_tags(html, start, end)))


def open_tags(html: str, start: int, end: int) -> list[re.Match[str]]:
    """The start tags whose elements are not ended, the outermost first; `[2]` is the name."""
    opened: list[re.Match[str]] = []
    for tag in _TAG.finditer(html, start, end):
        name = tag[2].lower()
        if not tag[1]:
            if name not in _OPEN_ENDED:
                opened.append(tag)
            continue
        place = next((at for at in reversed(range(len(opened))) if opened[at][2].lower() == name), None)
        if place is not None:
            del opened[place:]
    return opened


def _scan(html: str, text: _Text) -> _Scan:
    ends: list[_End] = []
    closers: list[tuple[int, int, str]] = []
    opened: list[str] = []
    for tag in _TAG.finditer(html, text.start, text.end):
        name = tag[2].lower()
        if name in _OPEN_ENDED:
            continue
        if not tag[1]:
            opened.append(name)
        elif opened and opened[-1] == name:
            opened.pop()
        elif name in opened:
            place = len(opened) - 1 - opened[::-1].index(name)
            if name not in _TABLE and (cut := _closers(opened[place + 1 :])):
                closers.append((tag.start(), tag.start(), cut))
            del opened[place:]
        else:
            ends.append(_End(tag.start(), tag.end(), name))
    return _Scan(ends, closers, _closers(opened))


def _closers(opened: Sequence[str]) -> str:
    """The end tags of a table that was left open, within which the standard lets nothing around it end."""
    if _TABLE.isdisjoint(opened):
        return ""
    return "".join(f"</{name}>" for name in reversed(opened))


def _closing(ends: Sequence[_End], around: Sequence[str]) -> list[_End]:
    """The first ends that could close the tracker's elements around a text, in their order."""
    found: list[_End] = []
    for end in ends:
        if len(found) < len(around) and end.name == around[len(found)]:
            found.append(end)
    return found


def _fallen_out(html: str, closing: Sequence[_End]) -> str:
    """What stands between the end of a text and the end of its frame."""
    return _ANY_TAG.sub("", html[closing[0].end : closing[-1].start]).strip() if closing else ""


def feet_of(marks: Landmarks) -> set[str]:
    """What stands between the end of each comment's text and the end of its frame.

    Args:
        marks: of the page.
    """
    texts = _comments(marks)
    return _feet(marks.html, texts, [_scan(marks.html, text) for text in texts])


def _feet(html: str, texts: Sequence[_Text], scans: Sequence[_Scan]) -> set[str]:
    return {
        _fallen_out(html, _closing(scan.ends, text.around)) for text, scan in zip(texts, scans, strict=True)
    }


def _edits(html: str, text: _Text, scan: _Scan, foot: str | None) -> list[tuple[int, int, str]]:
    ends = scan.ends
    own = [end for end in ends if end.name in text.around]
    for dropped in range(min(len(own), _MOST_STRAYS) + 1):
        closing = _closing(own[dropped:], text.around)
        if _sound(html, text, own[dropped:], closing, foot) or (
            not dropped and _fits(html, text, own, closing)
        ):
            break
    else:
        return []
    edge = closing[-1].start if closing else text.end
    edits = [(end.start, end.end, "") for end in ends if end.start < edge and end not in closing]
    edits += scan.closers
    if scan.left_open:
        first = closing[0].start if closing else text.end
        edits.append((first, first, scan.left_open))
    missing = text.around[len(closing) :]
    if missing:
        edits.append((text.end, text.end, "".join(f"</{name}>" for name in missing)))
    return edits


def _fits(html: str, text: _Text, own: Sequence[_End], closing: Sequence[_End]) -> bool:
    """Whether each end is the tracker's own, and words beside the marked element are where they are read."""
    if len(closing) < len(text.around) or len(own) != len(closing) + text.beyond:
        return False
    read = len(text.around)  # how many of the elements around the text are read with it
    if text.heading is not None:
        holder = _HOLDER.search(html, text.heading, text.start)
        read = len(_around(html, holder.start(), text.start)) if holder else 1
    return not _fallen_out(html, closing[read - 1 :])


def _sound(html: str, text: _Text, own: Sequence[_End], closing: Sequence[_End], foot: str | None) -> bool:
    """Whether these ends leave nothing of the text outside of its frame."""
    fallen_out = _fallen_out(html, closing)
    if fallen_out and fallen_out != foot:
        return False
    if len(own) - len(closing) <= text.beyond:
        return True
    return text.last and bool(closing) and not _ANY_TAG.sub("", html[closing[-1].end : own[-1].start]).strip()
