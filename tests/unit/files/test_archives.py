"""Archives: each member under its own name, two levels deep, within bounds, whatever was packed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from crawler.files.file_text import LONGEST_PART, MOST_CHARACTERS
from tests.unit.files.reading import members, numbered, read, said

LOG = b"2026-01-01 12:00:00 INFO start\n2026-01-01 12:00:01 ERROR ORA-01555 in old_esc_mode\n" * 3

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return memory.getvalue()


def tarred(files: dict[str, bytes], format_: int = tarfile.PAX_FORMAT) -> bytes:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w", format=format_) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return memory.getvalue()


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_members_of_a_zip_have_their_names(method: int) -> None:
    text = read(
        zipped({"logs/server.log": LOG, "사진.png": b"\x89PNG\r\n\x1a\n", "readme": b"hello"}, method)
    )
    assert (text.kind, text.members, text.error) == ("zip", 3, None)
    assert members(text) == ["logs/server.log", "readme"]
    assert said(text, "logs/server.log") == LOG.decode().rstrip()


@pytest.mark.parametrize("format_", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("compression", ["", *COMPRESSIONS])
def test_a_tar_is_read_in_any_compression(format_: int, compression: str) -> None:
    name = "logs/" + "a" * 90 + "/한글.log"
    content = tarred({name: LOG, "b": b"two"}, format_)
    if compression:
        content = COMPRESSIONS[compression](content)
    text = read(content, "x.tgz")
    assert (text.kind, text.members, text.error) == ("tar", 2, None)
    assert members(text) == [name, "b"]
    assert said(text, "b") == "two"


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_compressed_file_is_the_file_itself(compression: str) -> None:
    text = read(COMPRESSIONS[compression](LOG), "server.log.gz")
    assert (text.kind, text.members, text.error) == (compression, 0, None)
    assert said(text) == LOG.decode().rstrip()


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_of_a_truncated_file_is_read_what_is_there(compression: str) -> None:
    content = COMPRESSIONS[compression](
        b"".join(b"%d line %x\n" % (n, n * n * n * 7919) for n in range(50_000))
    )
    text = read(content[: len(content) * 3 // 4])
    assert numbered(text)[:2] == [(1, "0 line 0"), (2, "1 line 1eef")]
    assert text.error is not None
    assert "ends before its end" in text.error


def test_archives_are_opened_two_levels_deep() -> None:
    third = zipped({"deep.log": LOG})
    second = zipped({"x.log": b"second level", "third.zip": third, "y.log.gz": gzip.compress(b"packed")})
    text = read(zipped({"inner.zip": second, "inner.tgz": gzip.compress(tarred({"t.log": b"in tar"}))}))
    assert members(text) == ["inner.zip!/x.log", "inner.zip!/y.log.gz", "inner.tgz!/t.log"]
    assert text.error == "'inner.zip!/third.zip' is an archive within 2 others and was not opened."
    assert text.capped


def test_names_from_inside_are_for_showing_only() -> None:
    names = {
        "../../etc/passwd": "etc/passwd",
        "/absolute": "absolute",
        "..\\..\\windows\\x": "windows/x",
        "gnp.\u202egpj": "gnp.\ufffdgpj",
        "a\nb\x1b[31m": "a\ufffdb\ufffd[31m",
        "x" * 300 + "/" + "y" * 200: "x" * 199 + "…" + "y" * 100,
        "..": "(without a name)",
    }
    text = read(zipped({name: b"content of %d" % at for at, name in enumerate(names)}))
    assert members(text) == list(names.values())
    assert members(read(tarred({"../../d": b"x"}))) == ["d"]


def test_a_nul_ends_no_name() -> None:
    content = zipped({"aXb.log": b"content"}).replace(b"aXb.log", b"a\0b.log")
    text = read(content)
    assert said(text, members(text)[0]) == "content"
    assert members(text)[0].isprintable()


@pytest.mark.parametrize("codec", ["cp949", "cp932", "gb18030", "koi8_r"])
def test_a_name_of_an_undeclared_encoding_is_told(codec: str) -> None:
    name = {
        "cp949": "오류 기록.log",
        "cp932": "エラーの記録.log",
        "gb18030": "错误日志.log",
        "koi8_r": "ошибка.log",
    }[codec]
    plain = "x" * len(name.encode(codec))
    assert members(read(zipped({plain: b"a"}).replace(plain.encode(), name.encode(codec)))) == [name]


def test_links_lead_nowhere() -> None:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"link{kind.decode()}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert read(memory.getvalue()).parts == ()
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as packed:
        packed.writestr(link, "/etc/passwd")
    assert read(memory.getvalue()).parts == ()


def _bomb(levels: int, width: int) -> bytes:
    content = bytes(20 << 20)
    for level in range(levels):
        content = zipped({f"{level}-{at}.zip": content for at in range(width)})
    return content


def test_a_zip_of_zips_of_zips_costs_little() -> None:
    bomb = _bomb(4, 6)
    started = time.monotonic()
    text = read(zipped({"before.log": LOG, "bomb.zip": bomb}))
    assert time.monotonic() - started < 10
    assert said(text, "before.log") == LOG.decode().rstrip()
    assert text.error is not None


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_bomb_is_noticed_and_what_came_before_is_kept(compression: str) -> None:
    content = COMPRESSIONS[compression](LOG + b"x" * (100 << 20))
    started = time.monotonic()
    text = read(content)
    assert time.monotonic() - started < 10
    assert text.error == "The file unpacks to more than 200 times its size: what came before was read."
    assert numbered(text)[0] == (1, "2026-01-01 12:00:00 INFO start")
    assert text.capped


def test_an_honest_build_log_is_no_bomb() -> None:
    content = gzip.compress(b"gcc -O2 -c file.c -o file.o -Wall\n" * 1_000_000)
    text = read(content)
    assert text.error is None


def test_members_are_counted() -> None:
    text = read(zipped({f"{at}.log": b"a line" for at in range(1_200)}))
    assert text.members == 1_000
    assert text.capped
    assert text.error == "The file has more than 1,000 files in it: what came before was read."


def test_the_last_of_many_large_members_has_a_share_and_its_errors() -> None:
    files = {f"{at}.log": b"".join(b"INFO %d of %d\n" % (n, at) for n in range(40_000)) for at in range(30)}
    files["last.log"] = b"INFO x\n" * 50_000 + b"FATAL: here\n" + b"INFO y\n" * 50_000
    text = read(zipped(files))
    assert members(text) == list(files)
    assert text.characters <= MOST_CHARACTERS
    assert (50_001, "FATAL: here") in numbered(text, "last.log")


def _encrypted() -> bytes:
    """Marked as encrypted, which is what a reader sees of it without the password."""
    content = bytearray(zipped({"open.log": LOG, "secret.log": b"canary"}))
    for magic, offset in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        at = content.rfind(magic)
        struct.pack_into("<H", content, at + offset, struct.unpack_from("<H", content, at + offset)[0] | 1)
    return bytes(content)


def test_of_an_encrypted_zip_is_read_what_is_open() -> None:
    text = read(_encrypted())
    assert members(text) == ["open.log"]
    assert text.error == "'secret.log' is encrypted."
    text = read(_encrypted()[:-40])
    assert members(text) == ["open.log"]
    assert text.error is not None


def test_of_a_truncated_zip_is_read_what_is_there() -> None:
    content = zipped({"a.log": LOG, "b.log": b"".join(b"%d %x\n" % (n, n * n * 7919) for n in range(50_000))})
    text = read(content[: len(content) // 2])
    assert members(text) == ["a.log", "b.log"]
    assert said(text, "a.log") == LOG.decode().rstrip()
    assert numbered(text, "b.log")[1] == (2, "1 1eef")
    assert text.error == (
        "The file is a broken zip archive: what could be read was read, "
        "and 1 more in it could not be read whole."
    )


def test_a_zip_that_was_streamed_and_then_cut_is_read() -> None:
    class Unseekable(io.RawIOBase):
        def __init__(self) -> None:
            self.content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.content += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    stream = Unseekable()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        archive.writestr("a.log", LOG)
        archive.writestr("b.png", b"\x89PNG\r\n\x1a\n" + bytes(5000))
        archive.writestr("c.log", b"third")
    text = read(stream.content[: stream.content.index(b"PK\1\2")])
    assert members(text) == ["a.log", "c.log"]


def test_an_inconsistent_zip_tells_which_member_is_damaged() -> None:
    content = bytearray(zipped({"a.log": LOG, "b.log": b"fine"}, zipfile.ZIP_STORED))
    at = content.index(b"ORA-01555")
    content[at : at + 3] = b"XYZ"
    text = read(bytes(content))
    assert "XYZ-01555" in said(text, "a.log")
    assert said(text, "b.log") == "fine"
    assert text.error == "'a.log' is damaged: what could be read was read."


def test_of_a_truncated_tar_is_read_what_is_there() -> None:
    content = tarred({"a.log": LOG, "b.log": LOG * 1000})
    text = read(content[: len(content) // 2])
    assert members(text) == ["a.log", "b.log"]
    assert text.error is not None
    assert "'b.log' ends before its end" in text.error


def test_a_tar_is_told_by_its_checksum() -> None:
    content = bytearray(tarred({"a.log": LOG}, tarfile.USTAR_FORMAT))
    content[257:265] = bytes(8)  # as archivers wrote it before there was a mark
    told = (8 * 0x20 + sum(content[:148]) + sum(content[156:512])) % (1 << 18)
    content[148:156] = b"%06o\0 " % told
    assert members(read(bytes(content))) == ["a.log"]
    assert read(b"00000000" * 100).kind == "text"


def test_a_disk_image_of_zeros_is_no_empty_archive() -> None:
    assert read(bytes(10 << 20), "disk.tar").kind == "binary"


SEEDS = {
    "zip": zipped({"a.log": LOG, "b/c.log": b"second"}),
    "zip stored": zipped({"a.log": LOG, "b/c.log": b"second"}, zipfile.ZIP_STORED),
    "zip bz2": zipped({"a.log": LOG}, zipfile.ZIP_BZIP2),
    "zip lzma": zipped({"a.log": LOG}, zipfile.ZIP_LZMA),
    "zip in zip": zipped({"i.zip": zipped({"a.log": LOG})}, zipfile.ZIP_STORED),
    "tar pax": tarred({"a" * 120 + ".log": LOG, "b": b"x"}),
    "tar gnu": tarred({"a" * 120 + ".log": LOG, "b": b"x"}, tarfile.GNU_FORMAT),
    **{kind: compress(LOG) for kind, compress in COMPRESSIONS.items()},
}


@given(
    st.sampled_from(sorted(SEEDS)),
    st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=8)), max_size=4),
    st.floats(0, 1) | st.just(1.0),
)
def test_a_spoilt_archive_never_does_harm(seed: str, changes: list[tuple[float, bytes]], kept: float) -> None:
    content = bytearray(SEEDS[seed])
    for where, change in changes:
        at = int(where * len(content))
        content[at : at + len(change)] = change
    reports: list[str] = []
    text = read(bytes(content[: int(kept * len(content))]), report=reports.append)
    assert reports == []
    assert text.characters <= MOST_CHARACTERS
    assert all(len(part.text) <= LONGEST_PART and part.member.isprintable() for part in text.parts)
