"""Zip archives: by their table of contents, or, where that is missing, by what stands before each member."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from crawler.files.compressed import Deflated
from crawler.files.names import decoded
from crawler.files.office import ENCRYPTED, office_kind, read_office
from crawler.files.source import IN_MEMORY, Source, TooMuch

if TYPE_CHECKING:
    from crawler.files.reading import Place, Reading

_TABLE = 16 << 20  # bytes of a table of contents; each entry takes 500 bytes of memory
_END = struct.Struct("<4s4H2LH")
_LOCAL = struct.Struct("<4s5H3L2H")
_UTF_8, _SIZE_FOLLOWS = 1 << 11, 1 << 3
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}


def read_zip(reading: Reading, source: Source, place: Place, kind: str) -> str:
    """Read an archive, or a document of an Office program, which is one as well."""
    file = source.whole(IN_MEMORY)
    try:
        if _table_size(file) > _TABLE:
            raise TooMuch("has a table of contents that is larger than any real one")
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, struct.error, OSError, ValueError, NotImplementedError):
        return _read_without_table(reading, file, place)
    with archive:
        office = office_kind(archive)
        if office is not None:
            read_office(reading, archive, place, office)
            return office
        if reading.may_open(place):
            _read_members(reading, archive, place)
    return kind


def _read_members(reading: Reading, archive: zipfile.ZipFile, place: Place) -> None:
    for info in archive.infolist():
        if info.filename.endswith("/"):
            continue
        if not reading.member():
            return
        inside = place.inside(_name(info.orig_filename, info.flag_bits))
        if stat.S_ISLNK(info.external_attr >> 16):
            continue  # what it leads to is not in it
        if info.flag_bits & ENCRYPTED:
            reading.trouble(inside, "is encrypted")
        elif info.compress_type not in _METHODS:
            reading.trouble(inside, "is compressed in a way that is not read")
        else:
            checksum = info.CRC
            del info.CRC  # or the last block would be lost with a wrong one
            with reading.guarded(inside), archive.open(info) as stream:
                reading.read(reading.inner(_Checked(stream, checksum)), inside)
        if reading.over:
            return


class _Checked:
    """Gives what has come out so far, so that what comes before a broken place is not lost."""

    def __init__(self, stream: IO[bytes], checksum: int) -> None:
        self._stream = stream
        self._told = checksum
        self._checksum = 0

    def read(self, size: int, /) -> bytes:
        block: bytes = self._stream.read1(size)  # type: ignore[attr-defined] # ZipExtFile has it
        self._checksum = zlib.crc32(block, self._checksum)
        if not block and self._checksum != self._told:
            raise zipfile.BadZipFile
        return block


def _name(name: str, flags: int) -> str:
    """A member's name; without the mark for UTF-8 it is in the encoding of whoever packed it."""
    if flags & _UTF_8:
        return name
    try:
        return decoded(name.encode("cp437"))
    except UnicodeEncodeError:
        return name


def _table_size(file: IO[bytes]) -> int:
    """Bytes of the table of contents, as the archive's end tells them."""
    size = file.seek(0, 2)
    file.seek(max(0, size - (1 << 16) - _END.size))
    end = file.read()
    at = end.rfind(b"PK\5\6")
    file.seek(0)
    if at < 0:
        return 0
    told = int(_END.unpack_from(end, at)[5])
    return min(size, told) if told == 0xFFFFFFFF else told


def _read_without_table(reading: Reading, file: IO[bytes], place: Place) -> str:
    reading.trouble(place, "is a broken zip archive: what could be read was read")
    file.seek(0)
    if not reading.may_open(place):
        return "zip"
    for name, stream in _local_members(file):
        if not reading.member():
            break
        inside = place.inside(name)
        if stream is None:
            reading.trouble(inside, "is encrypted, or compressed in a way that is not read")
            continue
        member = reading.inner(stream)
        reading.read(member, inside)
        reading.skip(member)
        if reading.over or stream.broken:
            break
    return "zip"


def _local_members(file: IO[bytes]) -> Iterator[tuple[str, Deflated | None]]:
    """Members by the headers before them, as far as one follows the other."""
    while True:
        header = file.read(_LOCAL.size)
        if len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
            return
        _, _, flags, method, _, _, _, packed, _, name_length, extra = _LOCAL.unpack(header)
        raw = file.read(name_length)
        file.seek(extra, 1)
        name = raw.decode("utf-8", "replace") if flags & _UTF_8 else decoded(raw)
        start = file.tell()
        ended = not flags & _SIZE_FOLLOWS
        if flags & ENCRYPTED or method not in (0, 8) or (method == 0 and not ended) or packed == 0xFFFFFFFF:
            if not name.endswith("/"):
                yield name, None
            if not ended or packed == 0xFFFFFFFF:
                return
            file.seek(start + packed)
            continue
        stream = Deflated(file, packed if ended else None, deflated=method == 8)
        if not name.endswith("/"):
            yield name, stream
        stream.drain()
        if stream.broken:
            return
        if not ended:
            _skip_descriptor(file)


def _skip_descriptor(file: IO[bytes]) -> None:
    at = file.tell()
    follows = file.read(24)
    for size in (16, 12, 24, 20):
        if follows[size : size + 2] == b"PK":
            file.seek(at + size)
            return
    file.seek(at + 16)
