"""Whatever a file does to the process that reads it costs that file only, and reaches nothing."""

from __future__ import annotations

import asyncio
import gzip
import lzma
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from crawler.files.file_text import FileText
from crawler.process.isolation import landlock_version
from pipeline.attachments import reader
from pipeline.attachments.reader import FileReader, NoReader
from tests.fixtures.documents import docx, pdf, xlsx
from tests.unit.files.test_archives import zipped

HOSTILE = reader._START.replace("crawler.files.sandbox", "tests.fixtures.hostile_reader")
Put = Callable[[str | bytes], Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Makes a file of these bytes."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / f"file{len(list(tmp_path.iterdir()))}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def _hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_START", HOSTILE)


def _said(text: FileText) -> str:
    return "\n".join(part.text for part in text.parts)


async def test_a_file_is_read_in_a_process_that_is_used_again(put: Put) -> None:
    async with FileReader() as files:
        first = await files.read(put("one\ntwo\n"), "a.txt", "text/plain")
        process = files._process
        second = await files.read(put("오류\n".encode("cp949")), "b", None)
        assert files._process is process
    assert (first.kind, _said(first), first.error) == ("text", "one\ntwo", None)
    assert _said(second) == "오류"


DEADLY = {
    "allocate": "more memory",
    "loop": "for too long",
    "spin": "for too long",
    "fault": "ended the process",
    "exit": "ended the process",
    "defect": "could not be read",
    **dict.fromkeys(
        [f"lie {what}" for what in ("garbage", "nul", "numbers", "member", "count", "kind", "length")],
        "what cannot be",
    ),
}


@pytest.mark.usefixtures("_hostile")
@pytest.mark.parametrize("deed", DEADLY)
async def test_a_deadly_file_costs_itself_only(put: Put, deed: str) -> None:
    async with FileReader(seconds=1, beyond=0.5) as files:
        assert _said(await files.read(put("harmless"), "a", None)) == "harmless"
        started = time.monotonic()
        text = await files.read(put(deed), "b", None)
        assert text.parts == ()
        assert text.error is not None
        assert DEADLY[deed] in text.error
        assert time.monotonic() - started < 10
        assert _said(await files.read(put("harmless"), "c", None)) == "harmless"


@pytest.mark.usefixtures("_hostile")
async def test_the_process_reaches_nothing(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMS_MASTER_KEY", "canary-4711")
    secret = put("a file of somebody else")
    async with FileReader() as files:
        text = await files.read(put(f"tell {secret}"), "b", None)
    told = dict(line.split(": ", 1) for line in _said(text).splitlines())
    assert "canary" not in _said(text)
    assert told["environment"] in ("done {}", "done {'LC_CTYPE': 'C.UTF-8'}")
    # Its channel, a copy of it and the file are open; nothing else but /dev/null.
    assert told["descriptors"].count(":") <= 6
    if landlock_version():
        for name in ("write", "make", "read", "passwords", "list", "start"):
            assert told[name] == "PermissionError", name
    if landlock_version() >= 4:
        assert told["connect"] == "PermissionError"
    if landlock_version() >= 6:
        assert told["signal"] == "PermissionError"
    assert not secret.with_name(f"{secret.name}.made").exists()


@pytest.mark.usefixtures("_hostile")
async def test_a_file_is_not_blamed_for_what_those_before_it_left(put: Put) -> None:
    async with FileReader() as files:
        await files.read(put("wear"), "a", None)
        assert _said(await files.read(put("harmless"), "b", None)) == "harmless"


@pytest.mark.usefixtures("_hostile")
async def test_a_deadly_member_costs_itself_only(put: Put) -> None:
    deeds = {
        "a.log": "one",
        "b.log": "fault",
        "c.log": "three",
        "d.log": "spin",
        "i.zip": "",
        "e.log": "five",
    }
    content = {name: deed.encode() for name, deed in deeds.items()}
    content["i.zip"] = zipped({"x.log": b"exit", "y.log": b"inner"})
    async with FileReader(seconds=1, beyond=0.5) as files:
        text = await files.read(put(zipped(content)), "a.zip", None)
    assert _said(text) == "one\nthree\ninner\nfive"
    assert text.error == ("'b.log' ended the process that read it, and 2 more in it could not be read whole.")


async def test_no_file_is_blamed_where_no_process_starts(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_START", "import sys; sys.exit(1)")
    async with FileReader() as files:
        with pytest.raises(NoReader, match="cannot be started"):
            await files.read(put("harmless"), "a", None)


async def test_a_pipe_and_a_link_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")
    async with FileReader() as files:
        for name in ("pipe", "link", "missing"):
            with pytest.raises(OSError, match=r"."):
                await files.read(tmp_path / name, name, None)


@pytest.mark.usefixtures("_hostile")
async def test_a_reading_that_is_given_up_leaves_no_process(put: Put) -> None:
    async with FileReader() as files:
        reading = asyncio.create_task(files.read(put("loop"), "a", None))
        await asyncio.sleep(0.5)
        assert files._process is not None
        popen = files._process._popen
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert popen.poll() is not None
        assert _said(await files.read(put("harmless"), "c", None)) == "harmless"


@pytest.mark.usefixtures("_hostile")
def test_the_process_ends_with_its_parent(put: Put) -> None:
    program = (
        "import asyncio, os, signal\n"
        "from pathlib import Path\n"
        "from pipeline.attachments import reader\n"
        f"reader._START = {HOSTILE!r}\n"
        "async def main():\n"
        "    async with reader.FileReader() as files:\n"
        f"        asking = asyncio.create_task(files.read(Path({str(put('spin'))!r}), 'a', None))\n"
        "        await asyncio.sleep(0.5)\n"
        "        print(files.process_id, flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    for _ in range(50):
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.1)
    pytest.fail("the process is still there")


def _peak(files: FileReader) -> int:
    """MB that the process has had at most."""
    status = Path(f"/proc/{files.process_id}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


HEAVY: dict[str, Callable[[], bytes]] = {
    "line": lambda: b"x" * (60 << 20),
    "lines": lambda: b"\n" * (20 << 20),
    "hangul": lambda: "오류 없음 ".encode("cp949") * (2 << 20),
    "xz": lambda: lzma.compress(bytes(100 << 20)),
    "gz": lambda: gzip.compress(bytes(100 << 20)),
    "members": lambda: zipped({str(at): b"" for at in range(60_000)}),
    "large in zip": lambda: zipped({"a.zip": os.urandom(50 << 20)}),
    "document": lambda: docx("x" * (60 << 20)),
    "cells": lambda: xlsx({"a": [[f"cell {at} {n}" for n in range(10)] for at in range(15_000)]}),
    "page": lambda: b"<html><body>" + b"<p>x</p>" * 200_000,
    "pdf": lambda: pdf(*(f"page {at}" for at in range(500))),
}


@pytest.mark.parametrize("kind", HEAVY)
async def test_whatever_comes_the_process_stays_small(put: Put, kind: str) -> None:
    path = put(HEAVY[kind]())
    async with FileReader() as files:
        await files.read(put("harmless"), "a", None)
        process = files.process_id
        await files.read(path, "a", None)
        assert files.process_id == process  # it needed no new one, so that the peak is its
        assert _peak(files) < 300


@pytest.mark.usefixtures("_hostile")
async def test_memory_is_refused_before_300_mb(put: Put) -> None:
    async with FileReader() as files:
        text = await files.read(put("greedy"), "a", None)
        assert int(_said(text).split()[0]) > 100
        assert 100 < _peak(files) < 300
