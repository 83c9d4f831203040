"""A real headless Chromium, where there is one: on the path, or named by IMS_TEST_CHROMIUM."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

_NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("chrome-headless-shell", "headless_shell"),
)
LIMIT = 60  # seconds


@dataclass(frozen=True)
class Seen:
    """What the browser made of a page."""

    document: str  # the DOM, after everything that wanted to run has run
    messages: str  # what it had to say
    colours: Counter[tuple[int, int, int]]  # pixels of each


@dataclass(frozen=True)
class Browser:
    """Looks at files."""

    program: str
    folder: Path

    def look(self, page: Path, *, width: int = 700, height: int = 1000) -> Seen:
        """Open a page and take its picture."""
        picture = self.folder / "page.png"
        messages = self._run(
            f"--screenshot={picture}", f"--window-size={width},{height}", page.as_uri()
        ).stderr
        document = self._run("--dump-dom", page.as_uri()).stdout
        return Seen(document, messages, _colours(picture.read_bytes()))

    def print(self, page: Path) -> bytes:
        """Print a page to PDF."""
        paper = self.folder / "page.pdf"
        self._run(f"--print-to-pdf={paper}", "--no-pdf-header-footer", page.as_uri())
        return paper.read_bytes()

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(self.program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
                *(
                    "--no-first-run",
                    "--hide-scrollbars",
                    "--enable-logging=stderr",
                    "--host-resolver-rules=MAP * ~NOTFOUND",
                ),
                *(f"--user-data-dir={self.folder / 'profile'}", *arguments),
            ],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=True,
        )


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    """A browser with a profile of its own."""
    found = os.environ.get("IMS_TEST_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("no Chromium is installed, and IMS_TEST_CHROMIUM names none")
    return Browser(found, tmp_path)


def _colours(png: bytes) -> Counter[tuple[int, int, int]]:
    """Count the pixels of a PNG of 8 bits a channel by colour."""
    place, packed, width, channels = 8, b"", 0, 0
    while place < len(png):
        (length,), kind = struct.unpack(">I", png[place : place + 4]), png[place + 4 : place + 8]
        body = png[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, channels = struct.unpack(">I", body[:4])[0], {2: 3, 6: 4}[body[9]]
        elif kind == b"IDAT":
            packed += body
        place += 12 + length
    counted: Counter[tuple[int, int, int]] = Counter()
    rows, stride = zlib.decompress(packed), width * channels
    before = bytearray(stride)
    for start in range(0, len(rows), stride + 1):
        line = _unfiltered(rows[start], bytearray(rows[start + 1 : start + 1 + stride]), before, channels)
        counted.update(zip(*(line[channel::channels] for channel in range(3)), strict=True))
        before = line
    return counted


def _unfiltered(kind: int, line: bytearray, before: bytearray, step: int) -> bytearray:
    for place in range(len(line) if kind else 0):
        left = line[place - step] if place >= step else 0
        up, corner = before[place], before[place - step] if place >= step else 0
        guess = left + up - corner
        nearest = min((left, up, corner), key=lambda value: abs(guess - value))
        line[place] = (line[place] + (0, left, up, (left + up) // 2, nearest)[kind]) & 255
    return line
