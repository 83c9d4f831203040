"""What one engine makes of an issue page, before anything is believed."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from crawler.html import Document, Node
from crawler.packed import Packed
from crawler.sources.ims.parse import labels
from crawler.sources.ims.parse.attachments import Files, read_files
from crawler.sources.ims.parse.comments import Comments, Part, parts_in, read_comments
from crawler.sources.ims.parse.download import Download
from crawler.sources.ims.parse.fields import Fields, read_fields, read_notice
from crawler.sources.ims.parse.history import History, read_history
from crawler.sources.ims.parse.labels import key_of
from crawler.sources.ims.parse.landmarks import (
    COMMENTS,
    DESCRIPTION,
    FILES,
    HISTORY,
    NOTICE,
    PATCH_FILES,
    RELATED,
    Landmarks,
)
from crawler.sources.ims.parse.relations import Listed, issue_number_in, patch_arguments, read_related

_HEADINGS = "h1, h2, h3, h4, h5, h6, legend"
_NUMBER, _HIDDEN_NUMBER, _FORM = "span.issueNumber", "input[name=issueId]", "form[action*='issueView.do?']"


class Reading(Struct, frozen=True):
    """What one engine made of an issue page."""

    number: str | None
    fields: Fields
    description: str | None
    described: bool  # its marked cell was found
    comments: Comments
    headings: int  # of comments on this page itself
    history: History
    files: Files
    related: Listed
    has_patches: bool  # the page offers a patch list
    missing: tuple[str, ...]  # sections that the raw page has and the document has not


class Texts(Struct, frozen=True):
    """What one engine made of some of the comments."""

    parts: Packed[Part] = field(default_factory=lambda: Packed(Part))
    files: Files = field(default_factory=Files)
    headings: int = 0  # of comments, repeated ones included

    def followed_by(self, others: Texts) -> Texts:
        """These comments and then others."""
        return Texts(
            self.parts.followed_by(others.parts),
            self.files.followed_by(others.files),
            self.headings + others.headings,
        )


NOTHING: Final = Texts()


def read_texts(document: Document, download: Download) -> Texts:
    """Read the comments of a page that has nothing else.

    Args:
        document: the page.
        download: makes the addresses of its files.
    """
    section = document.select_one(f"#{COMMENTS}")
    if section is None:
        return Texts()
    parts = parts_in(section)
    headings = sum(part.is_heading for part in parts)
    return Texts(Packed(Part).followed_by(parts), read_files({COMMENTS: section}, download), headings)


def read(
    document: Document,
    marks: Landmarks,
    asked: str | None,
    zone: ZoneInfo,
    download: Download,
    before: Texts = NOTHING,
) -> Reading:
    """Read an issue page.

    Args:
        document: the page.
        marks: what its characters announce.
        asked: the number that was asked for, where the page may tell none.
        zone: the tracker's own.
        download: makes the addresses of its files.
        before: comments that stand before those of the page, read by themselves.
    """
    sections: dict[str, Node] = {}
    for node in document.select("[id]"):  # compares one thing in its walk, not seven
        sections.setdefault(node.attribute("id") or "", node)
    fields = read_fields(document, zone)
    if any(name in sections for name in (FILES, PATCH_FILES, RELATED)):  # a page has all of them, or none
        lacking = [name for name in (COMMENTS, HISTORY) if name not in sections]
        fields.warnings += [f"The page has no section {name}." for name in lacking]
    if NOTICE in sections:
        read_notice(sections[NOTICE], fields)
    offered = patch_arguments(document)
    codes = offered or {}
    if "projectCode" in codes:
        fields.known["project_code"] = codes["projectCode"]
    fields.extra |= {name: codes[name] for name in ("siteCode", "productCode") if codes.get(name)}
    own = parts_in(sections.get(COMMENTS))
    comments = read_comments(own if before is NOTHING else before.parts.followed_by(own), zone)
    return Reading(
        number=_number(document) or asked,
        fields=fields,
        description=_description(sections[DESCRIPTION]) if DESCRIPTION in sections else None,
        described=DESCRIPTION in sections and sections[DESCRIPTION].select_one("td.data") is not None,
        comments=comments,
        headings=sum(part.is_heading for part in own),
        history=read_history(sections.get(HISTORY), zone),
        files=read_files(sections, download, before.files),
        related=read_related(sections[RELATED]) if RELATED in sections else Listed(),
        has_patches=offered is not None,
        missing=tuple(name for name in marks.sections if name not in sections),
    )


def _description(section: Node) -> str:
    """All words of the section but its heading."""
    text = section.prose()
    first, _, rest = text.partition("\n")
    label, tab, beside = first.partition("\t")  # or in a cell of its own
    if key_of(label) in labels.DESCRIPTION:
        return f"{beside}\n{rest}" if tab else rest.lstrip("\n")
    heading = section.select_one(_HEADINGS)
    cell = section.select_one("td.data")
    inner = None if cell is None else cell.select_one(_HEADINGS)
    is_own = heading is not None and (inner is None or inner.key != heading.key)
    return rest.lstrip("\n") if heading is not None and is_own and heading.line() == first else text


def _number(document: Document) -> str | None:
    shown = document.select_one(_NUMBER)
    if shown is not None:
        return shown.line().lstrip("#").strip() or None
    named = document.select_one(_HIDDEN_NUMBER)
    if named is not None and (value := (named.attribute("value") or "").strip()):
        return value
    form = document.select_one(_FORM)
    return None if form is None else issue_number_in(form.attribute("action") or "")
