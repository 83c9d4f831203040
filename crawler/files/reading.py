"""One file being read: what has been found in it so far, and what may still be spent on it."""

from __future__ import annotations

import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from time import monotonic
from traceback import format_exc
from typing import IO
from xml.parsers.expat import ExpatError

import zstandard

from crawler.files.compressed import read_compressed
from crawler.files.excerpt import Excerpt, Listing, fitted
from crawler.files.file_text import MOST_CHARACTERS, FileText
from crawler.files.html import read_html
from crawler.files.kinds import kind_of
from crawler.files.mail import read_mail
from crawler.files.names import joined
from crawler.files.ole import read_ole
from crawler.files.pdf import read_pdf
from crawler.files.plain import read_plain
from crawler.files.source import Readable, Source, TooMuch
from crawler.files.tars import read_tar
from crawler.files.zips import read_zip

MOST_MEMBERS = 1_000  # of all archives in a file; real ones have up to 156
MOST_DEPTH = 2  # archives around a file that is read
# An honest build log shrinks 66-fold; a bomb thousands of times.
MOST_RATIO = 200
RATIO_FROM = 64 << 20  # bytes that may be unpacked whatever the ratio is

_ROOM = MOST_CHARACTERS - (MOST_CHARACTERS >> 10)  # a line that is cut in two has a line feed more
_HELD = 4 * MOST_CHARACTERS  # that are held while there may be more to come

Report = Callable[[str], object]

__all__ = ["Place", "Reading", "read_file"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file something stands."""

    name: str  # its own, as the archive or the tracker has it
    member: str = ""  # as TextPart has it
    depth: int = 0  # archives around it
    layers: int = 0  # compressions around it

    def inside(self, name: str) -> Place:
        """The place of a member of this archive."""
        return Place(name=name, member=joined(self.member, name), depth=self.depth + 1)

    def within(self, name: str) -> Place:
        """The place of a part of this document."""
        return replace(self, member=joined(self.member, name))

    def unpacked(self) -> Place:
        """The place of what is compressed here."""
        name = self.name.rpartition(".")[0] if self.name.count(".") else self.name
        return replace(self, name=name, layers=self.layers + 1)


class Reading:
    """Collects texts within bounds.

    Args:
        size: of the file, bytes.
        seconds: for which it may be read.
        report: takes the traceback of what nobody has foreseen.
        tell: takes the names of members that may do harm, when they are begun.
        without: members that are left out, since they have done it.
    """

    def __init__(
        self,
        size: int,
        seconds: float,
        report: Report,
        tell: Report = lambda member: None,
        without: Collection[str] = (),
    ) -> None:
        self._report = report
        self._tell = tell
        self._without = without
        self._end = monotonic() + seconds
        self._seconds = seconds
        self._may_unpack = max(RATIO_FROM, MOST_RATIO * size)
        self._kept: list[Excerpt | Listing] = []
        self._troubles: list[str] = []
        self._capped = False
        self.members = 0
        self.over = False  # nothing more is to be read

    def text(self, kind: str) -> FileText:
        """All that was found."""
        first, more = self._troubles[:1], len(self._troubles) - 1
        error = None
        if first:
            error = first[0] + (f", and {more} more in it could not be read whole" if more else "") + "."
        kept = fitted(self._kept, _ROOM)
        parts = tuple(part for each in kept for part in each.parts())
        return FileText(
            kind=kind,
            parts=parts,
            members=self.members,
            characters=sum(len(part.text) for part in parts),
            capped=self._capped or any(each.capped for each in kept),
            error=error,
        )

    def file(self, file: IO[bytes], name: str) -> FileText:
        """Read the whole file."""
        kind = "unknown"
        with self.guarded(Place(name)):
            kind = self.read(self.direct(file), Place(name))
        return self.text(kind)

    def read(self, source: Source, place: Place) -> str:
        """Read what is there, and give its kind."""
        kind = kind_of(source.head)
        reader = READERS.get(kind)
        if reader is None:
            if kind in UNREAD:
                self.trouble(place, UNREAD[kind])
            return kind
        if place.member and kind in HARMFUL:
            if place.member in self._without:
                self.trouble(place, "ended the process that read it")
                return kind
            self._tell(place.member)
        with self.guarded(place):
            kind = reader(self, source, place, kind)
        if source.trouble is not None:
            self.trouble(place, _sentence(source.trouble))
        return kind

    @contextmanager
    def guarded(self, place: Place) -> Iterator[None]:
        """Whatever goes wrong in the block is what is wrong with this place."""
        try:
            yield
        except TooMuch as error:
            self._capped = True
            self.trouble(place, str(error))
        except DAMAGE as error:
            self.trouble(place, _sentence(error))
        except MemoryError:
            self.trouble(place, "needs more memory than a file may take")
            self._report(format_exc())
        except Exception:
            # A library that is fed nonsense raises anything; but it may be a defect of ours, too.
            self.trouble(place, "could not be read")
            self._report(format_exc())

    def may_open(self, place: Place) -> bool:
        """Whether an archive here is to be opened."""
        if place.depth >= MOST_DEPTH:
            self._capped = True
            self.trouble(place, f"is an archive within {MOST_DEPTH} others and was not opened")
        return place.depth < MOST_DEPTH

    def part(self, stream: Readable) -> Source:
        """A part of what is counted already."""
        return Source(stream, self.check)

    def skip(self, source: Source) -> None:
        """Go to the end of a member."""
        with suppress(TooMuch):
            while source.read():
                pass

    def inner(self, stream: Readable, file: IO[bytes] | None = None) -> Source:
        """What comes out of a compression, counted."""
        return Source(stream, self._check_unpacked, file)

    def direct(self, file: IO[bytes]) -> Source:
        """The file itself."""
        return Source(file, self.check, file)

    def member(self) -> bool:
        """Count a member of an archive; whether it may be read."""
        if self.members >= MOST_MEMBERS:
            self._stop(f"has more than {MOST_MEMBERS:,} files in it")
            return False
        self.members += 1
        return not self.over

    def check(self, size: int = 0) -> None:
        """Raise TooMuch where the file has taken its time."""
        if monotonic() > self._end:
            self._stop(f"takes longer to read than {self._seconds:.0f} seconds")
            raise TooMuch("")

    def keep(self, place: Place, texts: Iterable[str]) -> None:
        """Keep of a text what there is room for."""
        excerpt = Excerpt(place.member, _ROOM)
        with self.guarded(place):
            for text in texts:
                excerpt.take(text)
        self._add(excerpt)

    def keep_lines(self, place: Place, lines: Iterable[tuple[int, str]]) -> None:
        """Keep numbered lines, the first ones where there is no room for all."""

        def guarded() -> Iterator[tuple[int, str]]:
            with self.guarded(place):
                yield from lines

        self._add(Listing(place.member, guarded(), _ROOM))

    def trouble(self, place: Place, phrase: str) -> None:
        """Note why something could not be read, as "is encrypted"."""
        if phrase and len(self._troubles) < MOST_MEMBERS:
            self._troubles.append(f"{_subject(place)} {phrase}"[:800])

    def _add(self, kept: Excerpt | Listing) -> None:
        self._kept.append(kept)
        if sum(each.size for each in self._kept) > _HELD:
            self._kept = fitted(self._kept, _ROOM)

    def _check_unpacked(self, size: int) -> None:
        self.check()
        self._may_unpack -= size
        if self._may_unpack < 0:
            self._stop(f"unpacks to more than {MOST_RATIO} times its size")
            raise TooMuch("")

    def _stop(self, phrase: str) -> None:
        if not self.over:
            self.over = self._capped = True
            self.trouble(Place(""), phrase + ": what came before was read")


DAMAGE = (
    *(EOFError, OSError, ValueError, NotImplementedError, RecursionError, zlib.error, lzma.LZMAError),
    *(struct.error, zipfile.BadZipFile, tarfile.TarError, zstandard.ZstdError, ExpatError),
)
Reader = Callable[[Reading, Source, Place, str], str]
READERS: dict[str, Reader] = {
    **dict.fromkeys(("text", "log", "patch", "csv", "json", "xml"), read_plain),
    **dict.fromkeys(("gz", "bz2", "xz", "zst"), read_compressed),
    "tar": read_tar,
    "zip": read_zip,
    "html": read_html,
    "mail": read_mail,
    "pdf": read_pdf,
    "ole": read_ole,
}
HARMFUL = {"pdf", "ole", "html", "mail", "zip"}  # kinds that much code is needed for, some of it in C
UNREAD = {
    "rar": "is a RAR archive, which is not read",
    "7z": "is a 7z archive, which is not read",
}


def read_file(file: IO[bytes], name: str, size: int, seconds: float, report: Report = print) -> FileText:
    """Read a file.

    Args:
        file: its bytes, seekable.
        name: as the tracker has it; only what its bytes leave open is told by it.
        size: bytes.
        seconds: for which it may be read; what was found until then counts.
        report: takes the traceback of what nobody has foreseen.
    """
    return Reading(size, seconds, report).file(file, name)


def _subject(place: Place) -> str:
    return f"'{place.member}'" if place.member else "The file"


def _sentence(trouble: Exception) -> str:
    if isinstance(trouble, EOFError) or "unexpected end" in str(trouble):
        return "ends before its end: what came before was read"
    return "is damaged: what could be read was read"
