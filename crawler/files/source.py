"""The bytes that a text is read from: a file, or what comes out of an archive, from front to back."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import IO, Protocol

HEAD = 1 << 16  # bytes that tell what a file is
IN_MEMORY = 64 << 20  # bytes of an archive in another one, or of a document, that must be read from any place

_BLOCK = 1 << 18


class TooMuch(Exception):
    """More bytes, or more time, would be needed than a file may take; ``str()`` is a sentence."""


class Readable(Protocol):
    """Whatever gives bytes."""

    def read(self, size: int, /) -> bytes:
        """Give at most so many bytes; none: that was all."""
        ...


class Source:
    """Bytes with their beginning known.

    Args:
        stream: to be read.
        check: is told the bytes of each block, and raises where no more may be read.
        file: the same bytes where they can be read from any place, else None.
    """

    def __init__(self, stream: Readable, check: Callable[[int], None], file: IO[bytes] | None = None) -> None:
        self._stream = stream
        self._check = check
        self.file = file
        self.trouble: Exception | None = None  # what ended the bytes before their end
        self.head = b""
        while len(self.head) < HEAD and (block := self._next(HEAD - len(self.head))):
            self.head += block
        self._skip_hole()
        self._rest = self.head

    def read(self, size: int = _BLOCK, /) -> bytes:
        """Give the next bytes; what ends them early is left in ``trouble``.

        Raises:
            TooMuch: no more may be read.
        """
        if self._rest:
            block, self._rest = self._rest[:size], self._rest[size:]
            return block
        return self._next(size)

    def whole(self, limit: int) -> IO[bytes]:
        """All the bytes, to be read from any place.

        Raises:
            TooMuch: there are more than the limit.
        """
        if self.file is not None:
            self.file.seek(0)
            return self.file
        memory = io.BytesIO()
        while block := self.read():
            memory.write(block)
            if memory.tell() > limit:
                raise TooMuch(f"is larger than the {limit >> 20} MB that are unpacked of such a file")
        memory.seek(0)
        return memory

    def _skip_hole(self) -> None:
        """Forget zeros at the beginning: a log that was cut while its program went on writing begins so.

        A disk image does, too, and is told by what follows.
        """
        if len(self.head) < HEAD or self.head.strip(b"\0"):
            return
        while (block := self._next(_BLOCK)) and not block.strip(b"\0"):
            pass
        self.head = block.lstrip(b"\0") or self.head

    def _next(self, size: int) -> bytes:
        if self.trouble is not None:
            return b""
        try:
            block = self._stream.read(size)
        except (TooMuch, MemoryError):
            raise
        except Exception as error:  # a broken archive raises anything
            self.trouble = error
            return b""
        self._check(len(block))
        return block
