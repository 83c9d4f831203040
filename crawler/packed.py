"""A long list that takes little memory: its items lie compressed in blocks, of which one is open."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from operator import eq
from typing import Final, Generic, TypeVar, overload

import zstandard
from msgspec import MsgspecError, msgpack

T = TypeVar("T")
U = TypeVar("U")

_BLOCK: Final = 1 << 18  # bytes of items, beyond which the next one begins another block
_LARGEST: Final = 1 << 25  # bytes of a block, which may be a single endless item
_LIST: Final = b"\xdd"  # of msgpack, followed by the number of items in four bytes


class Packed(Sequence[T], Generic[T]):
    """Items of one kind, in the order in which they were put in.

    Args:
        kind: of each item, which msgspec can tell in bytes.
    """

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._decoder = msgpack.Decoder(list[kind])  # type: ignore[valid-type] # known at run time only
        self._blocks: list[bytes] = []
        self._ends: list[int] = []  # how many items there are to the end of each block
        self._gathered = bytearray()  # items that make no block yet
        self._gathered_count = 0
        self._open: tuple[int, list[T]] = (-1, [])  # the number of a block, and what is in it

    def append(self, item: T) -> None:
        """Put an item to the end."""
        _encoder.encode_into(item, self._gathered, -1)
        self._gathered_count += 1
        if len(self._gathered) >= _BLOCK:
            self._close()

    def __setitem__(self, place: int, item: T) -> None:
        number, within = self._find(place)
        items = self._items(number)
        items[within] = item
        self._blocks[number] = _packed(len(items), b"".join(map(_encoder.encode, items)))

    def followed_by(self, items: Sequence[T]) -> Packed[T]:
        """These items and then others, in a list of their own."""
        whole = Packed(self._kind)
        whole._blocks, whole._ends = list(self.blocks), list(self._ends)
        for item in items:
            whole.append(item)
        return whole

    @property
    def blocks(self) -> Sequence[bytes]:
        """What :meth:`add` takes."""
        self._close()
        return self._blocks

    def add(self, block: bytes) -> None:
        """Put the items of another list's block to the end.

        Raises:
            ValueError: it is none.
        """
        count = len(_unpacked(block, self._decoder))
        self._close()
        self._blocks.append(block)
        self._ends.append(len(self) + count)

    def each(self, make: Callable[[T], U]) -> Sequence[U]:
        """The items as they are made into others, whenever they are looked at."""
        return _Made(self, make)

    def __len__(self) -> int:
        return (self._ends[-1] if self._ends else 0) + self._gathered_count

    def __iter__(self) -> Iterator[T]:
        for number in range(len(self.blocks)):
            yield from self._items(number)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> list[T]: ...
    def __getitem__(self, place: int | slice) -> T | list[T]:
        if isinstance(place, slice):
            return [self[each] for each in range(len(self))[place]]
        number, within = self._find(range(len(self))[place])
        return self._items(number)[within]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Packed | tuple):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment] # as that of a list

    def _find(self, place: int) -> tuple[int, int]:
        self._close()
        number = bisect_right(self._ends, place)
        return number, place - (self._ends[number - 1] if number else 0)

    def _items(self, number: int) -> list[T]:
        if self._open[0] != number:
            self._open = number, _unpacked(self._blocks[number], self._decoder)
        return self._open[1]

    def _close(self) -> None:
        if self._gathered_count:
            self._blocks.append(_packed(self._gathered_count, self._gathered))
            self._ends.append(len(self))
            self._gathered_count, self._gathered = 0, bytearray()


class _Made(Sequence[U], Generic[T, U]):
    def __init__(self, items: Packed[T], make: Callable[[T], U]) -> None:
        self._items = items
        self._make = make

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[U]:
        return map(self._make, self._items)

    @overload
    def __getitem__(self, place: int) -> U: ...
    @overload
    def __getitem__(self, place: slice) -> list[U]: ...
    def __getitem__(self, place: int | slice) -> U | list[U]:
        if isinstance(place, slice):
            return list(map(self._make, self._items[place]))
        return self._make(self._items[place])


def _packed(count: int, items: bytes | bytearray) -> bytes:
    # A copy of its own size: what was reserved for the result is free again as one piece.
    return bytes(memoryview(_compressor().compress(_LIST + count.to_bytes(4, "big") + items)))


def _unpacked(block: bytes, decoder: msgpack.Decoder[list[T]]) -> list[T]:
    try:
        if not 0 <= zstandard.frame_content_size(block) <= _LARGEST:
            raise ValueError("A block of a list is too large, or does not tell its size.")
        return decoder.decode(zstandard.ZstdDecompressor().decompress(block))
    except (zstandard.ZstdError, MsgspecError) as error:
        raise ValueError("A block of a list cannot be read.") from error


_encoder = msgpack.Encoder()


@cache
def _compressor() -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(level=1)
