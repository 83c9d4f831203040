"""A large issue page in pieces that are small enough to be read, cut between its comments.

An engine's tree takes eight times as much memory as the page. Each piece is a page by itself: the section
of the comments with some of them, and at last the page with the others left out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from sys import getsizeof
from typing import Final

from msgspec import Struct

from crawler.errors import PageRejected
from crawler.html.sanitize import MAX_TAGS
from crawler.http.decode import is_like_ascii
from crawler.sources.ims.parse.landmarks import COMMENTS, SECTIONS, comment_starts, section_starts
from crawler.sources.ims.parse.repair import frame_start, open_tags

LARGEST: Final = 32 << 20  # bytes of a page; with what is read from it, it is twice in memory
LARGE: Final = 2 << 20  # bytes; pages up to here are read whole
PIECE: Final = 1 << 19  # bytes of a piece, but for a single comment
LARGEST_WHOLE: Final = 8 << 20  # bytes of a page that is read even where it cannot be cut
LARGEST_PIECE: Final = 4 << 20  # bytes of what cannot be cut, such as a single comment, of a larger page

_HIDDEN: Final = (("<!--", "-->"), ("<script", "</script"), ("<SCRIPT", "</SCRIPT"))
_IN_BYTES: Final = "latin-1"  # of a text whose places are those in the bytes


class Pieces(Struct, frozen=True):
    """Where a page is cut."""

    body: bytes
    codec: str
    head: bytes  # the start tags around the comments
    foot: bytes  # the end tags to them
    cuts: Sequence[int]  # where the comments begin of each piece, and those that stay on the page

    @property
    def is_cut(self) -> bool:
        """Whether there is more than one piece."""
        return len(self.cuts) > 1

    @property
    def comments(self) -> Iterator[str]:
        """Pages with nothing but comments, in the page's order.

        Raises:
            PageRejected: one is too large.
        """
        for start, end in zip(self.cuts, self.cuts[1:], strict=False):
            yield self._text(self.head, self.body[start:end], self.foot)

    @property
    def rest(self) -> str:
        """The page with the last of its comments.

        Raises:
            PageRejected: it is too large.
        """
        return self._text(self.body[: self.cuts[0]], self.body[self.cuts[-1] :]).removeprefix("\ufeff")

    def _text(self, *parts: bytes) -> str:
        piece = b"".join(parts)
        is_small = len(self.body) <= LARGEST_WHOLE
        if is_small or len(piece) <= LARGEST_PIECE:
            text = piece.decode(self.codec, "replace")
            # A single character from beyond the first 65,536 makes each of them take four bytes.
            if is_small or getsizeof(text) <= 2 * LARGEST_PIECE:
                return text
        raise PageRejected(
            f"The page has more than {LARGEST_WHOLE:,} bytes, and too many of them are in a single comment or"
            f" outside of the comments: more than {LARGEST_PIECE:,}, or half of that with characters such as"
            " emoji."
        )


def cut(body: bytes, codec: str) -> Pieces:
    """Cut a page, where that can be done.

    Args:
        body: the page as it came.
        codec: in which it is to be read.

    Raises:
        PageRejected: it has too many tags.
    """
    if body.count(b"<") - body.count(b"</") > MAX_TAGS:
        raise PageRejected(f"The page has more than {MAX_TAGS:,} tags.")
    return _pieces(body, codec)


def _pieces(body: bytes, codec: str) -> Pieces:
    uncut = Pieces(body, codec, b"", b"", (0,))
    if not is_like_ascii(codec):
        return uncut
    page = body.decode(_IN_BYTES)
    hidden = _Hidden(page)
    found = {name: [at for at in section_starts(page, name) if at not in hidden] for name in SECTIONS}
    if not found[COMMENTS]:
        return uncut
    section = found[COMMENTS][0]
    end = min((at for places in found.values() for at in places if at > section), default=len(page))
    heads = [at for at in comment_starts(page, (section, end)) if at not in hidden]
    frames = [frame_start(page, head, low) for low, head in zip([section, *heads], heads, strict=False)]
    frames = [frame for frame in frames if frame not in hidden]
    around = open_tags(page, section, frames[0]) if frames else []
    if not around or around[0].start() != section:
        return uncut
    cuts = frames[:1]
    for frame, following in zip(frames, [*frames[1:], end], strict=True):
        if following - cuts[-1] > PIECE and frame > cuts[-1]:
            cuts.append(frame)
    return Pieces(
        body,
        codec,
        "".join(tag[0] for tag in around).encode(_IN_BYTES),
        "".join(f"</{tag[2]}>" for tag in reversed(around)).encode(_IN_BYTES),
        cuts,
    )


class _Hidden:
    """The places within scripts and HTML comments that end, as the landmarks leave them out."""

    def __init__(self, page: str) -> None:
        spans = sorted(span for opening, closing in _HIDDEN for span in _spans(page, opening, closing))
        self._starts = [start for start, _ in spans]
        self._ends = list(accumulate((end for _, end in spans), max))

    def __contains__(self, place: int) -> bool:
        before = bisect_right(self._starts, place)
        return before > 0 and place < self._ends[before - 1]


def _spans(page: str, opening: str, closing: str) -> Iterator[tuple[int, int]]:
    start = page.find(opening)
    while start >= 0:
        following = page.find(opening, start + len(opening))
        end = page.find(closing, start, len(page) if following < 0 else following)
        if end >= 0:
            yield start, end
        start = following
