"""Undoing Content-Encoding, with nothing taken on trust.

A usual HTTP client hands out what it could read of a gzip stream that was cut off, and inflates a small bomb
into all of the memory. Here a stream must come to its end, its checksum must hold, and its size is bounded.
"""

from __future__ import annotations

import zlib

from crawler.errors import ItemError, PageTooLarge, TemporaryError

ACCEPTED = "gzip, deflate"  # what a request may offer

_STEP = 1 << 20  # bytes inflated at a time, so that a bomb is noticed early
_RATIO = 150  # how many times its size a body may become; long tables of a real tracker reach about 60
_RATIO_FROM = 4 << 20  # bytes; below, a high ratio does no harm
_MEMBERS = 1000  # of a gzip stream; each costs set-up time, so that a body of empty ones would be a bomb too
_PADDING = b"\0\r\n\t "  # what sloppy servers put behind the end of a stream


class Inflater:
    """Takes a body piece by piece and gives it back inflated.

    Args:
        encoding: the Content-Encoding header, or None.
        limit: bytes that the inflated body, and the body as it comes, may have.

    Raises:
        ItemError: the encoding is none of those that were offered.
    """

    def __init__(self, encoding: str | None, *, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._taken = 0
        self._given = 0
        self._members = 0
        self._rest = b""  # fewer bytes than are needed to know what follows
        name = (encoding or "").strip().lower()
        if name in ("", "identity"):
            self._kind = "identity"
        elif name in ("gzip", "x-gzip"):
            self._kind = "gzip"
        elif name == "deflate":
            self._kind = "deflate"
        else:
            raise ItemError("The answer is compressed in a way that was not offered.")
        self._stream: zlib._Decompress | None = None

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            PageTooLarge: the limit or the ratio is exceeded.
            TemporaryError: the stream is broken.
        """
        self._taken += len(piece)
        if self._taken > self._limit:
            raise PageTooLarge(f"The answer is larger than the limit of {self._limit:,} bytes.")
        if self._kind == "identity":
            self._pieces.append(piece)
            return
        try:
            self._inflate(piece)
        except zlib.error as error:
            raise TemporaryError("The compressed answer is damaged.") from error

    def finish(self) -> bytes:
        """Give the whole body.

        Raises:
            TemporaryError: the stream did not come to its end.
        """
        if self._kind != "identity" and (not self._members or self._stream is not None or self._rest):
            raise TemporaryError("The compressed answer was cut off.")
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def _inflate(self, piece: bytes) -> None:
        while True:
            if self._stream is None:
                piece = self._rest + piece
                self._rest = b""
                if self._members:
                    piece = piece.lstrip(_PADDING)
                if len(piece) < 2:
                    self._rest = piece
                    return
                self._stream = self._open(piece)
            inflated = self._stream.decompress(piece, _STEP)
            self._keep(inflated)
            if self._stream.eof:
                piece = self._stream.unused_data
                self._stream = None
                continue
            piece = self._stream.unconsumed_tail
            # A full step may have left output behind although all of the input is taken.
            if not piece and len(inflated) < _STEP:
                return

    def _open(self, piece: bytes) -> zlib._Decompress:
        self._members += 1
        if self._members > (_MEMBERS if self._kind == "gzip" else 1):
            raise TemporaryError("The compressed answer is damaged.")
        if self._kind == "gzip":
            return zlib.decompressobj(wbits=31)
        # RFC 9110 means the zlib format by "deflate"; some servers send the bare stream without its header.
        wrapped = piece[0] & 0x0F == 8 and int.from_bytes(piece[:2], "big") % 31 == 0
        return zlib.decompressobj(wbits=15 if wrapped else -15)

    def _keep(self, inflated: bytes) -> None:
        self._given += len(inflated)
        if self._given > self._limit:
            raise PageTooLarge(f"The answer inflates to more than the limit of {self._limit:,} bytes.")
        if self._given > _RATIO_FROM and self._given > _RATIO * self._taken:
            raise PageTooLarge(f"The answer inflates to more than {_RATIO} times its size.")
        if inflated:
            self._pieces.append(inflated)
