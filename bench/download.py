"""Attached files on their way into the store: speed and memory by size, against curl from the same server.

    python -m bench.download --sizes 1,60,400 --rounds 5

The server is a process of its own on loopback; the files go through a tracker process as in a crawl.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from crawler.records import AttachmentRecord
from pipeline.attachments.draft import Draft
from pipeline.trackers.connect import Tracker
from pipeline.trackers.process import TrackerProcess

_SERVER = r"""
import http.server, sys
size = int(sys.argv[1])
line = b"2026-01-01 ORA-00600 internal error code, arguments: [1], [2]\n"
file = (line * (size // len(line) + 1))[:size]
page = b'{"issues":[],"total_count":0,"offset":0,"limit":1,"projects":[],"user":{"id":1,"login":"x"}}'
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = file if "/attachments/" in self.path else page
        self.send_response(200)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="1,60,400", help="MB, with commas")
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    print("MB | ours, MB/s | curl, MB/s | peak of the tracker process, MB | of the coordinator, MB")
    for size in map(int, wanted.sizes.split(",")):
        server = subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(size << 20)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            asyncio.run(_measure(size, wanted.rounds, int(server.stdout.readline())))
        finally:
            server.kill()


async def _measure(size: int, rounds: int, port: int) -> None:
    base = f"http://127.0.0.1:{port}"
    tracker = Tracker(tracker_id=1, name="bench", kind="redmine", base_url=base, password="none")  # noqa: S106
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as home:
        async with TrackerProcess(tracker) as process:
            for number in range(rounds):
                address = f"{base}/attachments/download/{number}/server.log"
                record = AttachmentRecord(filename="server.log", file_size=size << 20, download_url=address)
                began = time.perf_counter()
                async with Draft(Path(home), str(number)) as draft:
                    await process.download(record, draft, limit=1 << 40)
                    await asyncio.to_thread(draft.keep)
                ours.append(time.perf_counter() - began)
                theirs.append(await asyncio.to_thread(_curl, address, Path(home, "curl")))
            peaks = [_peak(pid) for pid in (*_children(), os.getpid())]
    speeds = [f"{size / median(times):.0f}" if all(times) else "-" for times in (ours, theirs)]
    print(f"{size} | {' | '.join(speeds)} | {peaks[0]:.0f} | {peaks[-1]:.0f}")


def _curl(address: str, target: Path) -> float:
    """Seconds that curl takes; 0: there is none."""
    curl = shutil.which("curl")
    if curl is None:
        return 0.0
    began = time.perf_counter()
    subprocess.run([curl, "-s", "-o", str(target), address], check=True)
    return time.perf_counter() - began


def _children() -> list[int]:
    """The processes that this one has started and that still run."""
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    running = [int(word) for word in listed.split()]
    return [pid for pid in running if b"crawler.process" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def _peak(pid: int) -> float:
    """The most memory that a process had, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
