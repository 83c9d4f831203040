"""What is compressed by itself: gz, bz2, xz, zst; a tar archive in it is read as an archive."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from typing import IO, TYPE_CHECKING, Any, Protocol

import zstandard

from crawler.files.kinds import kind_of
from crawler.files.source import Readable, Source, TooMuch

if TYPE_CHECKING:
    from crawler.files.reading import Place, Reading

MOST_LAYERS = 3  # of compressions around each other

_STEP = 1 << 10  # bytes of zstd at once: they become 32 MB at most
_WINDOW = 1 << 27  # bytes that zstd may look back; more is made by hand only


def read_compressed(reading: Reading, source: Source, place: Place, kind: str) -> str:
    """Read what comes out."""
    if place.layers >= MOST_LAYERS:
        raise TooMuch(f"is compressed more than {MOST_LAYERS} times over")
    inside = reading.inner(unpacking(kind, source))
    found = kind_of(inside.head)
    if not inside.head and inside.trouble is None:
        return kind
    reading.read(inside, place.unpacked())
    return "tar" if found == "tar" else kind


def unpacking(kind: str, source: Readable) -> Readable:
    """What comes out, as it is read."""
    stream: Any = source  # these ask for a file, and use its read() only
    if kind == "zst":
        return _Frames(source)
    if kind == "gz":
        return _Stepwise(gzip.GzipFile(fileobj=stream))
    if kind == "bz2":
        return _Stepwise(bz2.BZ2File(stream))
    return _Stepwise(lzma.LZMAFile(stream))


class _Steps(Protocol):
    def read1(self, size: int = -1, /) -> bytes: ...


class _Stepwise:
    """Gives what has come out so far, so that what comes before a broken place is not lost."""

    def __init__(self, file: _Steps) -> None:
        self._file = file

    def read(self, size: int, /) -> bytes:
        return self._file.read1(size)


class _Frames:
    """What comes out of zstd's frames; the library's own reader says nothing when the last one is cut."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._zstd = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        self._frame = self._zstd.decompressobj()
        self._packed = b""
        self._unpacked = b""
        self._begun = False

    def read(self, size: int, /) -> bytes:
        while not self._unpacked:
            if not self._packed:
                self._packed = self._source.read(1 << 16)
            if not self._packed:
                if self._begun:
                    raise EOFError
                return b""
            step, self._packed = self._packed[:_STEP], self._packed[_STEP:]
            self._begun = True
            self._unpacked = self._frame.decompress(step)
            if self._frame.eof:
                self._packed = self._frame.unused_data + self._packed
                self._frame = self._zstd.decompressobj()
                self._begun = False
        block, self._unpacked = self._unpacked[:size], self._unpacked[size:]
        return block


class Deflated:
    """What comes out of a raw deflated stream that starts here in a file, or the bytes as they stand.

    Args:
        file: at the stream's beginning; behind its end when all was read.
        size: of the stream, bytes; None: it tells its end itself.
        deflated: False: the bytes stand as they are.
    """

    def __init__(self, file: IO[bytes], size: int | None, *, deflated: bool) -> None:
        self._file = file
        self._left = size
        self._stream = zlib.decompressobj(-15) if deflated else None
        self._packed = b""
        self._done = False
        self.broken = False

    def read(self, size: int, /) -> bytes:
        """Give the next bytes."""
        while not self._done:
            if not self._packed and not self._fill():
                if self._stream is not None or self._left:
                    self.broken = True
                    raise EOFError
                return b""
            if self._stream is None:
                block, self._packed = self._packed, b""
                return block
            try:
                block = self._stream.decompress(self._packed, size)
            except zlib.error:
                self.broken = self._done = True
                raise
            self._packed = self._stream.unconsumed_tail
            if self._stream.eof:
                self._done = True
                self._file.seek(-len(self._stream.unused_data), 1)
                if self._left is not None:
                    self._left += len(self._stream.unused_data)
                self._packed = b""
            if block:
                return block
        return b""

    def drain(self) -> None:
        """Go to the end of the member."""
        if self._left is not None:
            self._file.seek(self._left, 1)
            self._left = 0
            self._done = True
            return
        try:
            while self.read(1 << 20):
                pass
        except (EOFError, zlib.error):
            self.broken = True

    def _fill(self) -> bool:
        size = 1 << 16 if self._left is None else min(1 << 16, self._left)
        self._packed = self._file.read(size)
        if self._left is not None:
            self._left -= len(self._packed)
        return bool(self._packed)
