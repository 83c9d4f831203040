"""One issue from its pages, behind a gate that no half-read page passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from zoneinfo import ZoneInfo

from crawler.errors import PageCut, PageRejected
from crawler.html import Document, LexborDocument, SoupDocument
from crawler.html.sanitize import cleaned, closed
from crawler.html.second_opinion import first_accepted
from crawler.http.decode import decode, examine, is_like_ascii
from crawler.records import IssueRecord, RelationRecord
from crawler.source import Connection, RawPage
from crawler.sources.ims import KIND
from crawler.sources.ims.parse.comments import read_comments
from crawler.sources.ims.parse.document import NOTHING, Reading, Texts, read, read_texts
from crawler.sources.ims.parse.download import Download
from crawler.sources.ims.parse.landmarks import DESCRIPTION, Landmarks, find_landmarks
from crawler.sources.ims.parse.login import is_login_page
from crawler.sources.ims.parse.pieces import LARGE, LARGEST, Pieces, cut
from crawler.sources.ims.parse.relations import (
    BESIDE,
    Listed,
    issue_number_in,
    patches_in,
    related_in,
    without_repeats,
)
from crawler.sources.ims.parse.repair import feet_of, mend

Engine = Callable[[str], Document]

_MENDED = "The page was mended and read by the second engine:"
_UNBALANCED = "Tags in a text are not balanced."


class ImsParser:
    """Parser of IMS pages, with the zone and the download address of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._zone = ZoneInfo(connection.timezone or KIND.features.default_zone)
        template = connection.options.get("download_url")
        self._download_url = str(template) if template else None
        self._beside = tuple(part for part in BESIDE if connection.options.get(part))

    def parse(self, pages: Sequence[RawPage]) -> IssueRecord:
        """Read an issue from its pages.

        Raises:
            PageRejected: a page fails its gate under both engines.
        """
        return parse_issue(pages, zone=self._zone, download_url=self._download_url, beside=self._beside)


def parse_issue(
    pages: Sequence[RawPage],
    *,
    zone: ZoneInfo,
    download_url: str | None = None,
    beside: Sequence[str] = (),
    engines: tuple[Engine, Engine] = (LexborDocument, SoupDocument),
) -> IssueRecord:
    """Read an issue.

    The page must be whole, be of the issue that was asked for, and have a Subject and a Product or Status;
    every section, comment, history entry and file that its raw characters announce must be found in it, and
    no text may have fallen out of its place. What the first engine fails is read again by the second, texts
    mended. A list beside the page that cannot be read costs a warning: the issue itself is whole.

    Args:
        pages: the part `issue`, and `relations` and `patches` where they were fetched.
        zone: the tracker's own.
        download_url: in place of the page's own word for a file's address, with `{id}` and `{kind}`.
        beside: the parts that were to be fetched too.
        engines: the first and the second opinion.

    Raises:
        PageRejected: a page fails its gate under both engines.
    """
    page = next((page for page in pages if page.part == "issue"), None)
    if page is None:
        raise PageRejected("The issue page itself is missing.")
    html, pieces, warnings = _text_of(page)
    asked = issue_number_in(page.url)
    download = Download(html, page.url, download_url)
    marks = find_landmarks(html)
    _demand_issue_page(page, html, marks)
    before, feet = NOTHING, None
    if pieces is not None and pieces.is_cut:
        feet = feet_of(marks).union(*(feet_of(find_landmarks(each)) for each in pieces.comments))
        before, mended = _read_pieces(engines, pieces, zone, download, feet)
        warnings = mended + warnings
    reading, mended = _read_with(engines, html, marks, asked, zone, download, before, feet)
    warnings = list(dict.fromkeys(mended + warnings))
    number = reading.number or ""
    listed = tuple(_listed_beside(pages, number, engines[0], beside, has_patches=reading.has_patches))
    warnings += [warning for each in listed for warning in each.warnings]
    relations = [relation for each in (reading.related, *listed) for relation in each.relations]
    return _record(reading, page.url, warnings, without_repeats(relations, number))


def _text_of(page: RawPage) -> tuple[str, Pieces | None, list[str]]:
    """The text of a page, of a large one what stands around its pieces, and what is doubtful about it."""
    if len(page.body) > LARGEST:
        raise PageRejected(f"The page has more than {LARGEST:,} bytes.")
    is_large = len(page.body) > LARGE
    decoded = (examine if is_large else decode)(page.body, page.content_type)
    pieces = cut(page.body, decoded.encoding) if is_large else None
    html = decoded.text if pieces is None else pieces.rest
    warnings = list(decoded.warnings)
    # A byte is found at once.
    if b"\0" in page.body and ("\0" in html or (pieces is not None and is_like_ascii(decoded.encoding))):
        warnings.append("NUL characters of the page were replaced.")
    return html, pieces, warnings


def _demand_issue_page(page: RawPage, html: str, marks: Landmarks) -> None:
    is_issue = DESCRIPTION in marks.sections
    if not is_issue and is_login_page(page.url, html):
        raise PageRejected("This is the login page, not an issue.")
    if not marks.ended:
        raise PageCut("The page is cut off: its end is missing.")
    if not is_issue:
        raise PageRejected("The page has no issue description section: an error page, or another layout.")


def _read_with(
    engines: tuple[Engine, Engine],
    html: str,
    marks: Landmarks,
    asked: str | None,
    zone: ZoneInfo,
    download: Download,
    before: Texts,
    feet: Set[str] | None,
) -> tuple[Reading, list[str]]:
    fast, patient = engines
    first = read(fast(marks.html), marks, asked, zone, download, before)
    problems = _problems(first, marks, asked)

    def as_it_is() -> Reading:
        if problems:
            raise PageRejected(problems[0])
        if mend(html, marks, feet) is not html:
            raise PageRejected(_UNBALANCED)
        return first

    def mended() -> Reading:
        whole = closed(cleaned(html))
        announced = find_landmarks(whole)
        page = patient(mend(whole, announced, feet))
        second = read(page, announced, asked, zone, download, before)
        if failures := _problems(second, announced, asked):
            raise PageRejected(failures[0])
        return second

    reading, doubts = first_accepted((as_it_is, mended))
    if not problems and reading == first:
        return first, []
    return reading, [f"{_MENDED} {doubt}" for doubt in doubts]


def _read_pieces(
    engines: tuple[Engine, Engine],
    pieces: Pieces,
    zone: ZoneInfo,
    download: Download,
    feet: Set[str],
) -> tuple[Texts, list[str]]:
    """Read the comments that were cut out of the page, each piece as the page would be."""
    before = Texts()
    warnings: list[str] = []
    for html in pieces.comments:
        texts, doubt = _read_piece(engines, html, zone, download, feet)
        before = before.followed_by(texts)
        warnings += [f"{_MENDED} {doubt}"] if doubt else []
    return before, warnings


def _read_piece(
    engines: tuple[Engine, Engine], html: str, zone: ZoneInfo, download: Download, feet: Set[str]
) -> tuple[Texts, str | None]:
    """The comments of a piece, and what the first engine got wrong."""
    fast, patient = engines
    marks = find_landmarks(html)
    first = read_texts(fast(marks.html), download)
    problem = _doubt_of_texts(first, marks)
    doubt = problem or next(iter(read_comments(first.parts, zone).problems), None)
    if doubt is None:
        if mend(html, marks, feet) is html:
            return first, None
        doubt = _UNBALANCED
    whole = closed(cleaned(html))
    announced = find_landmarks(whole)
    second = read_texts(patient(mend(whole, announced, feet)), download)
    if failure := _doubt_of_texts(second, announced):
        raise PageRejected(failure)
    # A text and its heading may be in two pieces; that is seen when all are together.
    return (first, None) if problem is None and second == first else (second, doubt)


def _doubt_of_texts(texts: Texts, marks: Landmarks) -> str | None:
    if marks.unclosed:
        return "An HTML comment, a script or a text area is never closed."
    if texts.headings < len(marks.comments):
        return f"A part of the page announces {len(marks.comments)} comments, {texts.headings} were found."
    return None


def _problems(reading: Reading, marks: Landmarks, asked: str | None) -> list[str]:
    return list(_doubts(reading, marks, asked))


def _doubts(reading: Reading, marks: Landmarks, asked: str | None) -> Iterator[str]:
    if not reading.number or not reading.number.isdecimal() or not reading.number.isascii():
        yield "The page tells no issue number."
    elif asked is not None and reading.number != asked:
        yield f"The page is of issue {reading.number}, not of {asked}."
    known = reading.fields.known
    if not known.get("title"):
        yield "The page has no Subject."
    if "product" not in known and "status" not in known:
        yield "The page has neither Product nor Status."
    if marks.unclosed:
        yield "An HTML comment, a script or a text area is never closed."
    for name in marks.repeated:
        yield f"The section {name} stands on the page twice."
    for name in reading.missing:
        yield f"The section {name} is lost."
    if marks.description and not reading.described:
        yield "The description is lost."
    for what, announced, found in (
        ("comments", len(marks.comments), reading.headings),
        ("history entries", marks.entries, reading.history.rows),
        ("files", marks.files, reading.files.links),
    ):
        if found < announced:
            yield f"The page announces {announced} {what}, {found} were found."
    yield from reading.comments.problems
    yield from reading.history.problems


def _record(
    reading: Reading, url: str, warnings: list[str], relations: tuple[RelationRecord, ...]
) -> IssueRecord:
    extra = {**reading.fields.extra, **reading.comments.extra, **reading.history.extra}
    if reading.related.lost:
        extra["Related issues without a number"] = list(reading.related.lost)
    return IssueRecord(
        issue_id=reading.number or "",
        url=url,
        description=reading.description,
        extra=extra,
        comments=reading.comments.records,
        comments_announced=len(reading.comments.records),
        history=reading.history.records,
        history_announced=len(reading.history.records),
        attachments=reading.files.records,
        relations=relations,
        warnings=(
            *warnings,
            *reading.fields.warnings,
            *reading.comments.warnings,
            *reading.history.warnings,
            *reading.files.warnings,
            *reading.related.warnings,
            *(() if reading.described else ("The description has no element that is marked as its text.",)),
        ),
        **reading.fields.known,
    )


def _listed_beside(
    pages: Sequence[RawPage], own: str, engine: Engine, beside: Sequence[str], *, has_patches: bool
) -> Iterator[Listed]:
    found = {page.part: decode(page.body, page.content_type).text for page in pages if page.part in BESIDE}
    if "relations" in found:
        yield related_in(found["relations"], own)
    elif "relations" in beside:
        yield Listed(warnings=("The list of related issues is not among the pages.",))
    if "patches" in found:
        yield patches_in(found["patches"], engine)
    elif "patches" in beside and has_patches:
        yield Listed(warnings=("The patch list is not among the pages.",))
