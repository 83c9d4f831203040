"""The pictures of README, from the stand-in's data: ``python -m bench.pictures``.

Needs a Chromium, and the fonts Noto Sans Mono CJK for Korean and Japanese (Debian: chromium, fonts-noto-cjk).
"""

from __future__ import annotations

import io
import os
import pty
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
WIDTH = 92
QUESTION = ["search", "ORA-01555", "오류", "--limit", "3"]
PERIOD = ["--since", "2024-06-01"]
_PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>{stylesheet}
body {{ background: #1e1e1e; color: #ddd; margin: 16px }}
pre {{ font: 15px/1.35 "Noto Sans Mono CJK KR", "Noto Sans Mono", monospace; margin: 0 }}</style>
<pre>{code}</pre>"""
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Make them in a data folder that is thrown away."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "IMS_HOME": f"{folder}/home",
            "IMS_USER": "demo-kim",
            "COLUMNS": str(WIDTH),
            "TERM": "xterm-256color",
        }
        program = [sys.executable, str(ROOT / "run_crawl.py")]
        first = {**environment, "IMS_USER": "root"}
        subprocess.run([*program, "demo"], env=first, check=True, stdout=subprocess.DEVNULL)
        shown = Console(record=True, width=WIDTH, file=io.StringIO())
        shown.print(f"$ ims-crawl {' '.join(QUESTION)}", highlight=False, markup=False)
        shown.print(Text.from_ansi(_on_a_terminal([*program, *QUESTION], environment)))
        terminal = Path(folder) / "search.html"
        terminal.write_text(shown.export_html(code_format=_PAGE), encoding="utf-8")
        report = Path(folder) / "report.html"
        command = [*program, "report", *PERIOD, "-o", str(report)]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        _photograph(terminal, PICTURES / "search.png", "860,390")
        _photograph(report, PICTURES / "report.png", "1000,860")


def _photograph(page: Path, picture: Path, size: str) -> None:
    chromium = next(filter(None, map(shutil.which, _CHROMIUMS)), None)
    if chromium is None:
        raise SystemExit("No Chromium is installed: it takes the pictures.")
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={size}"]
    subprocess.run(
        [chromium, *options, f"--screenshot={picture}", page.as_uri()],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _on_a_terminal(command: list[str], environment: dict[str, str]) -> str:
    """What a command prints on a terminal, colours included."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, env=environment, stdout=theirs, stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        printed = b""
        while True:
            try:
                piece = os.read(ours, 1 << 16)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            printed += piece
        process.wait()
    os.close(ours)
    return printed.decode().replace("\r\n", "\n")


if __name__ == "__main__":
    main()
