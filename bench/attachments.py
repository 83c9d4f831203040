"""What reading attached files costs: MB of text a second of one core, by kind, and the reader's peak memory.

The files are made here and read by the real process in its sandbox; time is the processor's, of that process
alone, so that a busy machine disturbs it little. Each kind has a process of its own. `bomb` and the like are
hostile: of these only the peak and the error matter.

Run as ``python -m bench.attachments [--rounds N] [--megabytes N]``. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import bz2
import gzip
import io
import json
import lzma
import os
import statistics
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.attachments.reader import FileReader

LINE = "2026-11-27 12:00:{:02} INFO  [http-nio-8080-exec-{}] c.e.s.OrderService - order {} saved in {} ms\n"
KOREAN = "2026-11-27 12:00:{:02} 정보  [작업자-{}] 주문 {} 저장이 {} 밀리초 걸렸습니다\n"
FAILURE = (
    "java.lang.IllegalStateException: ORA-01555\n\tat com.example.OrderService.save(OrderService.java:{})\n"
)

Make = Callable[[int], tuple[bytes, int]]  # of so much text: the file, and the bytes of text in it


def _log(size: int, line: str = LINE, codec: str = "utf-8") -> bytes:
    lines: list[bytes] = []
    written = 0
    while written < size:
        at = len(lines)
        text = line.format(at % 60, at % 40, at * 7919 % 100_003, at % 311)
        if at % 5_000 == 4_999:
            text += FAILURE.format(at % 900)
        lines.append(text.encode(codec))
        written += len(lines[-1])
    return b"".join(lines)


def _plain(content: bytes) -> tuple[bytes, int]:
    return content, len(content)


def _packed(pack: Callable[[bytes], bytes]) -> Make:
    def make(size: int) -> tuple[bytes, int]:
        content = _log(size)
        return pack(content), len(content)

    return make


def _zip(content: bytes) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for at in range(10):
            archive.writestr(
                f"logs/{at}.log", content[at * len(content) // 10 : (at + 1) * len(content) // 10]
            )
    return memory.getvalue()


def _tgz(content: bytes) -> bytes:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as archive:
        info = tarfile.TarInfo("server.log")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return memory.getvalue()


def _patch(size: int) -> tuple[bytes, int]:
    hunk = "diff --git a/f{0}.c b/f{0}.c\n--- a/f{0}.c\n+++ b/f{0}.c\n@@ -1,3 +1,3 @@\n"
    hunk += " a\n-old_mode = {0};\n+x;\n"
    return _plain("".join(hunk.format(at) for at in range(size // 110)).encode())


def _json(size: int) -> tuple[bytes, int]:
    one = json.dumps({"level": "정보", "message": "order saved", "id": 4711, "took": 0.25})
    return _plain(("[\n" + f"{one},\n" * (size // len(one)) + "{}]").encode())


def _html(size: int) -> tuple[bytes, int]:
    row = "<tr><td class='a'>order 4711</td><td>saved in 12 ms</td></tr>\n"
    return _plain(("<!DOCTYPE html><html><body><table>" + row * (size // len(row))).encode())


def _docx(size: int) -> tuple[bytes, int]:
    paragraph = (
        "<w:p><w:r><w:t>주문 4711 was saved in 12 ms by the order service of the shop</w:t></w:r></w:p>"
    )
    body = paragraph * (size // 60)
    document = f'<w:document xmlns:w="urn:w"><w:body>{body}</w:body></w:document>'
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", document)
    return memory.getvalue(), size


def _pdf(size: int) -> tuple[bytes, int]:
    lines = "".join(f"({at} the order service saved order 4711 in 12 ms) ' " for at in range(50))
    shown = f"BT /F 10 Tf 14 TL 50 780 Td {lines} ET"
    pages = max(1, size // 2_500)
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {pages}/Kids[{' '.join(f'{5 + at} 0 R' for at in range(pages))}]>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        f"<</Length {len(shown)}>>stream\n{shown}\nendstream",
    ]
    page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 3 0 R>>>>>>"
    objects += [page] * pages
    content, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n{each}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    count = len(objects) + 1
    end = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer<</Size {count}/Root 1 0 R>>"
    return content + f"{end}\nstartxref\n{len(content)}\n%%EOF\n".encode(), pages * 2_500


def _nested(levels: int) -> bytes:
    content = bytes(20 << 20)
    for level in range(levels):
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
            for at in range(8):
                archive.writestr(f"{level}-{at}.zip", content)
        content = memory.getvalue()
    return content


KINDS: dict[str, Make] = {
    "log": lambda size: _plain(_log(size)),
    "log in cp949": lambda size: _plain(_log(size, KOREAN, "cp949")),
    "log in UTF-16": lambda size: _plain(_log(size, KOREAN, "utf-16-le")),
    "patch": _patch,
    "json": _json,
    "html": lambda size: _html(min(size, 7 << 20)),
    "pdf": lambda size: _pdf(min(size, 1 << 20)),
    "docx": lambda size: _docx(min(size, 1 << 20)),
    "zip": _packed(_zip),
    "tar.gz": _packed(_tgz),
    "gz": _packed(gzip.compress),
    "bz2": _packed(bz2.compress),
    "xz": _packed(lzma.compress),
}
HOSTILE: dict[str, Callable[[], bytes]] = {
    "xz of 300 MB zeros": lambda: lzma.compress(bytes(300 << 20), preset=9),
    "gz of 300 MB text": lambda: gzip.compress(b"a line of it\n" * (300 << 20 >> 4)),
    "zips in zips": lambda: _nested(5),
    "one line of 100 MB": lambda: b"x" * (100 << 20),
    "50 million lines": lambda: b"\n" * 50_000_000,
    "zip of 150,000 files": lambda: _many(150_000),
    "noise in a zip in a zip": lambda: _zip(_zip(os.urandom(60 << 20))),
}


def _many(files: int) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for at in range(files):
            archive.writestr(str(at), b"")
    return memory.getvalue()


async def _read(path: Path, rounds: int) -> tuple[list[float], int, Any]:
    """Seconds of the processor for each round, the peak in bytes, and the last answer."""
    seconds, peak = [], 0
    async with FileReader() as reader:
        await reader.read(Path(__file__), "warm", None)
        text = None
        for _ in range(rounds):
            process = reader.process_id
            before = 0.0 if process is None else _seconds(process)
            text = await reader.read(path, path.name, None)
            if reader.process_id is not None:
                seconds.append(
                    _seconds(reader.process_id) - (before if reader.process_id == process else 0.0)
                )
                peak = max(peak, _peak(reader.process_id))
    return seconds, peak, text


def _seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak(process: int) -> int:
    return int(Path(f"/proc/{process}/status").read_text().partition("VmHWM:")[2].split()[0]) << 10


async def _measure(folder: Path, rounds: int, size: int) -> Iterator[dict[str, Any]]:
    rows = []
    for kind, make in KINDS.items():
        content, text_size = make(size)
        path = folder / "file"
        path.write_bytes(content)
        seconds, peak, text = await _read(path, rounds)
        rows.append(
            {
                "kind": kind,
                "file_mb": round(len(content) / 1e6, 2),
                "text_mb": round(text_size / 1e6, 2),
                "text_mb_per_core_second": round(text_size / 1e6 / statistics.median(seconds), 1),
                "peak_mb": round(peak / 1e6),
                "kept_characters": text.characters,
                "error": text.error,
            }
        )
    for kind, hostile in HOSTILE.items():
        path = folder / "file"
        path.write_bytes(hostile())
        seconds, peak, text = await _read(path, 1)
        rows.append(
            {
                "kind": kind,
                "file_mb": round(path.stat().st_size / 1e6, 2),
                "seconds": round(max(seconds, default=0.0), 2),
                "peak_mb": round(peak / 1e6),
                "error": text.error,
            }
        )
    return iter(rows)


def main() -> None:
    """Measure and print a JSON object a line."""
    parser = argparse.ArgumentParser(description="Reading attached files")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=32, help="of text in a file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for row in asyncio.run(_measure(Path(folder), options.rounds, options.megabytes << 20)):
            print(json.dumps(row, ensure_ascii=False))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
