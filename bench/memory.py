"""Memory: the peak of each process of a crawl, for few and for many issues, and for one giant.

The tracker is the stand-in, a process of its own. The giant is an issue with 5,000 comments of six kilobytes,
32 MB of page, about the largest that is read (a larger one is set aside), beside nine ordinary ones.
``growth`` is what a thousand further issues add to a process.

Run as ``python -m bench.memory [--sizes 1000,4000] [--comments 5000] [--script latin]``; prints one JSON
object, in MB.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.crawl import serving
from crawler.sources.ims.standin import StandIn
from crawler.sources.ims.standin.model import Action

ROOT = Path(__file__).parent.parent
ACCOUNT = {"IMS_TRACKER_USERNAME": "kim", "IMS_TRACKER_PASSWORD": "kim-secret"}
SCRIPTS = ("latin", "korean", "emoji")  # emoji: in each comment one, so that its letters take four bytes each
HANGUL = "".join(map(chr, range(0xAC00, 0xD7A4, 12)))
_SIZE = 6100  # bytes of a comment
_LOOKED = 0.05  # seconds between two looks at the processes


def crawl(url: str, home: Path) -> dict[str, float]:
    """Crawl everything, and tell the peak of each process by what it is, the highest of its kind."""
    return peaks_of("crawl", "*", "--kind", "ims", "--url", url, "--json", home=home)


def peaks_of(*command: str, home: Path) -> dict[str, float]:
    """How many issues a command tells of in JSON, and the peak of each process by what it is."""
    environment = {**os.environ, **ACCOUNT, "IMS_HOME": str(home)}
    with subprocess.Popen(
        [sys.executable, "run_crawl.py", *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        peaks: dict[str, float] = {}
        while process.poll() is None:
            for pid in (process.pid, *_children(process.pid)):
                name, peak = _peak(pid)
                name = "coordinator" if pid == process.pid else name
                peaks[name] = max(peaks.get(name, 0), peak)
            time.sleep(_LOOKED)
        assert process.stdout is not None
        told = json.loads(process.stdout.read())
    issues = told["issues_crawled"] if "issues_crawled" in told else told["issues"]
    return {"issues": issues, **{name: round(peak) for name, peak in peaks.items() if peak}}


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            ancestor = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if ancestor == parent:
            found.append(int(stat.parent.name))
    return found


def _peak(pid: int) -> tuple[str, float]:
    """What a process is, and the MB that it had at most."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "ended", 0
    peak = status.partition("VmHWM:")[2].split()
    if not peak:
        return "ended", 0
    return ("tracker process" if "python" in command else "other"), int(peak[0]) / 1024


@contextmanager
def served(issues: int, comments: int, script: str = "latin") -> Iterator[str]:
    """The address of a stand-in with so many issues, the first of them with so many comments more."""
    module = ("bench.memory", "--serve", str(issues), "--comments", str(comments), "--script", script)
    with serving(*module) as url:
        yield url


async def _serve(issues: int, comments: int, script: str) -> None:
    tracker = StandIn(synthetic=issues)
    if comments:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        number = tracker.world.numbers()[0]
        texts = _texts(script)
        tracker.edit_issue(
            number,
            added_comments=[
                Action(number=9_000_000 + place, author="kim", at=at, text=f"{place}: {next(texts)}")
                for place in range(comments)
            ],
        )
    async with tracker:
        print(tracker.url, flush=True)
        await asyncio.Event().wait()


def _texts(script: str) -> Iterator[str]:
    """Comments of six kilobytes in UTF-8, no two alike, which compress about as well as people's words do."""
    chance = random.Random(7)  # noqa: S311 - a measurement, not a secret
    letters, width = (HANGUL, 3) if script == "korean" else (string.ascii_lowercase, 1)
    words = ["".join(chance.choices(letters, k=chance.randint(1, 12 // width))) for _ in range(3000)]
    weights = [1 / place for place in range(1, len(words) + 1)]
    while True:
        words_of_it = chance.choices(words, weights, k=1200)
        text = " ".join(words_of_it).encode()[:_SIZE].decode(errors="ignore")
        yield f"{text} password \N{GRINNING FACE}" if script == "emoji" else text


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=lambda text: [int(n) for n in text.split(",")], default=[1000, 4000])
    parser.add_argument("--comments", type=int, default=5000, help="of the giant; 0: no giant")
    parser.add_argument("--script", choices=SCRIPTS, default="latin", help="of the giant's comments")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        asyncio.run(_serve(options.serve, options.comments, options.script))
        return
    figures: dict[str, dict[str, float]] = {}
    for name, issues, comments in [
        *((f"{size} issues", size, 0) for size in options.sizes),
        *([("a giant among ten", 10, options.comments)] if options.comments else []),
    ]:
        with tempfile.TemporaryDirectory() as home, served(issues, comments, options.script) as url:
            figures[name] = crawl(url, Path(home))
            if comments:
                figures[f"{name}, read again"] = peaks_of("reparse", "--json", home=Path(home))
        print(figures, file=sys.stderr, flush=True)
    few, many = (figures[f"{size} issues"] for size in (options.sizes[0], options.sizes[-1]))
    if many["issues"] > few["issues"]:
        growth = {
            name: (many[name] - few[name]) / (many["issues"] - few["issues"]) * 1000
            for name in ("coordinator", "tracker process")
        }
        figures["growth"] = {name: round(each, 2) for name, each in growth.items()}
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
