"""The bulk loader: first load, unchanged, a tenth changed, and what a batch costs as the tables grow.

Every issue has 25 columns with 2.6 KB of text, 3 comments, 5 history entries and half an attachment: 9.5
rows. Beside it, in the same run, a binary COPY of the same rows into unindexed, unlogged tables: what the
transfer alone allows, and one into tables with the same keys and indexes, with and without the making of the
search vectors: what no loader can do without. The server is the embedded one, the loader works as the
application's login under row security.

Run as ``python -m bench.load [--issues N] [--sizes 1000,10000,100000] [--page-kb K]``.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any

import psycopg
from msgspec.structs import replace
from psycopg import sql

from bench import conninfo
from crawler.kept_page import pack
from crawler.source import RawPage
from db.embedded import EmbeddedServer
from db.loader import analyze_due, load_batch
from db.rows import AttachmentRow, ChangeRow, CommentRow, IssueRow, PackedPageRow
from db.setup.bootstrap import initialise
from pipeline.stages.translate import to_page_rows

BATCH = 500
ROWS = 9.5  # of an issue
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
SYLLABLES = ["er", "ror", "con", "nec", "tion", "time", "out", "ta", "ble", "in", "dex", "ses", "sion"]
SYLLABLES += ["오류", "접속", "색인", "세션", "接続", "失敗"]
TICKS = os.sysconf("SC_CLK_TCK")


class Issues:
    """Issues that are the same in every run, by their numbers."""

    def __init__(self, page_kb: int) -> None:
        chance = random.Random(7)  # noqa: S311 - no secret
        self._words = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(20_000)]
        # The word of rank n is used 1/n as often as the first one, as in any language.
        self._weights = list(itertools.accumulate(1 / rank for rank in range(1, len(self._words) + 1)))
        self._page_kb = page_kb

    def __getitem__(self, number: int) -> IssueRow:
        chance = random.Random(number)  # noqa: S311 - no secret

        def text(words: int) -> str:
            return " ".join(chance.choices(self._words, cum_weights=self._weights, k=words))

        def moment() -> datetime:
            return BEGAN + timedelta(minutes=chance.randrange(500_000))

        return IssueRow(
            issue_id=str(100_000 + number),
            url=f"http://localhost/issue/{number}",
            title=text(8),
            description=text(180),
            product=f"Product {number % 7}",
            status="Assigned",
            state="open",
            priority="high",
            severity="major",
            issue_type="bug",
            reporter=f"user{number % 50}",
            owner=f"user{number % 60}",
            registered_date=moment(),
            modified_date=moment(),
            found_version="7.1",
            full_data={"keywords": text(3), "cc": ["a", "b"]},
            comments=tuple(
                CommentRow(source_id=str(n), number=n, author="ann", content=text(30), commented_at=moment())
                for n in range(3)
            ),
            history=tuple(
                ChangeRow(changed_by="bob", changed_at=moment(), field_name="status", new_value=text(1))
                for _ in range(5)
            ),
            attachments=(AttachmentRow(source_id="1", filename="a.log", file_size=number),) * (number % 2),
            pages=self._pages(number, text),
            position=number,
            crawl_duration_ms=50,
        )

    def _pages(self, number: int, text: Any) -> tuple[PackedPageRow, ...]:
        if not self._page_kb:
            return ()
        cell = f"<tr class='row'><td class='label'>Field {number}</td><td>{text(60)}</td></tr>\n"
        page = RawPage(url="http://localhost", body=(cell.encode() * 1000)[: self._page_kb * 1024])
        return to_page_rows((pack(page),))

    def batches(self, start: int, end: int) -> Iterator[list[IssueRow]]:
        """Batches of the issues from one number up to another."""
        for first in range(start, end, BATCH):
            yield [self[number] for number in range(first, min(first + BATCH, end))]


@dataclass
class Meter:
    """What some batches took."""

    issues: int = 0
    wall: float = 0.0  # seconds
    client: float = 0.0  # seconds of CPU
    server: float = 0.0  # seconds of CPU of the one backend

    @contextmanager
    def measuring(self, issues: int, backend: int) -> Iterator[None]:
        """Add what happens within."""
        wall, client, server = time.perf_counter(), time.process_time(), _cpu(backend)
        yield
        self.issues += issues
        self.wall += time.perf_counter() - wall
        self.client += time.process_time() - client
        self.server += _cpu(backend) - server

    def report(self) -> dict[str, float]:
        """Figures by issue."""
        return {
            "issues_per_s": round(self.issues / self.wall),
            "client_cpu_s_per_1000": round(self.client / self.issues * 1000, 3),
            "server_cpu_s_per_1000": round(self.server / self.issues * 1000, 3),
            "rows_per_cpu_s": round(ROWS * self.issues / (self.client + self.server)),
        }


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # no /proc on this platform
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


@dataclass
class Desk:
    """A user with a tracker, on one connection, and the counting of batches that the pipeline does."""

    connection: psycopg.AsyncConnection
    user_id: int
    tracker_id: int
    session_id: int = 0
    batches: int = 0

    async def begin(self) -> None:
        """Begin a session."""
        async with self.connection.transaction():
            await self._act()
            insert = "INSERT INTO ims.crawl_sessions (tracker_id) VALUES (%s) RETURNING session_id"
            row = await (await self.connection.execute(insert, (self.tracker_id,))).fetchone()
            assert row is not None
            self.session_id = row[0]

    async def load(self, rows: Sequence[IssueRow], meter: Meter) -> dict[str, int]:
        """Load and commit a batch; count the outcomes."""
        with meter.measuring(len(rows), self.connection.info.backend_pid):
            async with self.connection.transaction():
                await self._act()
                result = await load_batch(
                    self.connection,
                    user_id=self.user_id,
                    tracker_id=self.tracker_id,
                    session_id=self.session_id,
                    rows=rows,
                )
            self.batches += 1
            if analyze_due(self.batches):
                await self._analyze()
        outcomes = list(result.outcomes.values())
        return {outcome: outcomes.count(outcome) for outcome in set(outcomes)}

    async def _act(self) -> None:
        await self.connection.execute("SELECT ims.set_current_user(%s)", (self.user_id,))

    async def _analyze(self) -> None:
        async with self.connection.transaction():
            await self._act()
            await self.connection.execute("SELECT ims.analyze_tables()")


def _copy(schema: str, table: str) -> bytes:
    return f"COPY {schema}.{table} FROM STDIN (FORMAT binary)".encode()


class Ceiling:
    """COPY of the same rows into tables without index, key or log."""

    TABLES = ("issues", "issue_comments", "issue_history", "attachments")

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        for table in self.TABLES:
            columns = self._columns(table)
            connection.execute(f"CREATE UNLOGGED TABLE public.ceiling_{table} ({columns})".encode())

    def _columns(self, table: str) -> str:
        kinds = {"issues": "text," * 20 + "timestamptz,timestamptz,jsonb", "issue_comments": "text,text,text"}
        kinds |= {"issue_history": "text,text,text,timestamptz", "attachments": "text,text,int8"}
        return ", ".join(f"c{n} {kind}" for n, kind in enumerate(kinds[table].split(",")))

    def load(self, rows: Sequence[IssueRow], meter: Meter) -> None:
        """Copy a batch."""
        with meter.measuring(len(rows), self._connection.info.backend_pid), self._connection.transaction():
            self._copy("issues", [*["text"] * 20, "timestamptz", "timestamptz", "jsonb"], map(_issue, rows))
            comments = ((r.issue_id, c.author, c.content) for r in rows for c in r.comments)
            self._copy("issue_comments", ["text"] * 3, comments)
            changes = ((r.issue_id, h.changed_by, h.new_value, h.changed_at) for r in rows for h in r.history)
            self._copy("issue_history", [*["text"] * 3, "timestamptz"], changes)
            files = ((r.issue_id, a.filename, a.file_size) for r in rows for a in r.attachments)
            self._copy("attachments", ["text", "text", "int8"], files)

    def _copy(self, table: str, types: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
        with self._connection.cursor() as cursor, cursor.copy(_copy("public", f"ceiling_{table}")) as copy:
            copy.set_types(types)
            for line in lines:
                copy.write_row(line)


class Floor:
    """What no loader does without: COPY into tables with the same keys and indexes, and search vectors."""

    TABLES = ("issues", "issue_comments", "issue_history", "attachments", "raw_pages", "session_issues")

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self.copied, self.vectors, self.plain_vectors = Meter(), Meter(), Meter()
        connection.execute("CREATE SCHEMA floor")
        for table in self.TABLES:
            connection.execute(f"CREATE TABLE floor.{table} (LIKE ims.{table} INCLUDING ALL)".encode())
        for table in self.TABLES:
            keys = connection.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE contype = 'f' AND conrelid = %s::regclass",
                (f"ims.{table}",),
            )
            for (key,) in keys.fetchall():
                own = key.replace(" ims.issues(", " floor.issues(")
                connection.execute(f"ALTER TABLE floor.{table} ADD {own}".encode())

    def load(self, rows: Sequence[IssueRow]) -> None:
        """Copy what the loader stored of a batch, vectors and all; then make vectors of the same texts."""
        backend = self._connection.info.backend_pid
        ids = sql.Literal([row.issue_id for row in rows])
        stored = {table: self._stored(table, ids) for table in self.TABLES}
        with self.copied.measuring(len(rows), backend), self._connection.transaction():
            for table, lines in stored.items():
                with self._connection.cursor() as cursor, cursor.copy(_copy("floor", table)) as copy:
                    copy.write(lines)
        self._connection.execute(_TEXTS_OF.format(ids))
        with self.vectors.measuring(len(rows), backend):
            self._connection.execute(
                "SELECT count(ims.document_vector(1, title, description, comments, files)) FROM texts"
            )
        with self.plain_vectors.measuring(len(rows), backend):
            self._connection.execute(
                "SELECT count(to_tsvector('simple', concat_ws(' ', title, description, comments, files)))"
                " FROM texts"
            )
        self._connection.execute("DROP TABLE texts")

    def _stored(self, table: str, ids: sql.Literal) -> bytes:
        by_number = table in ("issues", "raw_pages")
        query = _ROWS_BY_NUMBER if by_number else _ROWS_BY_KEY
        source = query.format(table=sql.Identifier("ims", table), ids=ids)
        with self._connection.cursor() as cursor, cursor.copy(source) as copy:
            return b"".join(copy)

    def report(self) -> dict[str, Any]:
        """Figures by issue."""
        copied, vectors = self.copied, self.vectors.server / self.vectors.issues
        least = (copied.client + copied.server) / copied.issues + vectors
        return {
            "copy_into_final_tables": copied.report(),
            "vectors_cpu_s_per_1000": round(vectors * 1000, 3),
            "to_tsvector_cpu_s_per_1000": round(self.plain_vectors.server / copied.issues * 1000, 3),
            "issues_per_cpu_s": round(1 / least),
        }


_ROWS_BY_NUMBER = sql.SQL(
    "COPY (SELECT * FROM {table} WHERE issue_id = ANY ({ids})) TO STDOUT (FORMAT binary)"
)
_ROWS_BY_KEY = sql.SQL(
    "COPY (SELECT * FROM {table} WHERE issue_pk IN "
    "(SELECT issue_pk FROM ims.issues WHERE issue_id = ANY ({ids}))) TO STDOUT (FORMAT binary)"
)
_TEXTS_OF = sql.SQL(
    "CREATE TEMP TABLE texts AS"
    " SELECT title, description, ims.file_words(issue_pk) AS files,"
    " (SELECT string_agg(content, chr(10) ORDER BY comment_id) FROM ims.issue_comments own"
    " WHERE own.issue_pk = issue.issue_pk) AS comments"
    " FROM ims.issues issue WHERE issue_id = ANY ({})"
)


_texts = attrgetter(
    *("issue_id", "url", "title", "description", "product", "status", "state", "priority", "severity"),
    *("issue_type", "reporter", "owner", "manager", "project_code", "site", "customer", "module"),
    *("found_version", "fixed_version", "target_version"),
)


def _issue(row: IssueRow) -> tuple[object, ...]:
    return (*_texts(row), row.registered_date, row.modified_date, dict(row.full_data))


async def measure(desk: Desk, ceiling: Ceiling, floor: Floor, issues: Issues, count: int) -> dict[str, Any]:
    """First load, unchanged, a tenth changed and COPY, interleaved batch by batch where that is possible."""
    first, copied, unchanged, tenth = Meter(), Meter(), Meter(), Meter()
    for rows in issues.batches(0, count):
        await desk.load(rows, first)
        ceiling.load(rows, copied)
        floor.load(rows)
    await desk.begin()
    for rows in issues.batches(0, count):
        assert await desk.load(rows, unchanged) == {"unchanged": len(rows)}
    await desk.begin()
    for rows in issues.batches(0, count):
        changed = [replace(r, status="Closed") if n % 10 == 0 else r for n, r in enumerate(rows)]
        await desk.load(changed, tenth)
    named = {"first_load": first, "unchanged": unchanged, "tenth_changed": tenth, "raw_copy": copied}
    report: dict[str, Any] = {name: meter.report() for name, meter in named.items()}
    report["floor"] = floor.report()
    speed = {name: meter.issues / meter.wall for name, meter in named.items()}
    report["first_load_of_raw_copy"] = round(speed["first_load"] / speed["raw_copy"], 3)
    report["peak_mb_of_the_loader"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    report["unchanged_of_first_load"] = round(speed["unchanged"] / speed["first_load"], 1)
    return report


async def growth(desk: Desk, issues: Issues, stored: int, sizes: Sequence[int]) -> dict[str, Any]:
    """Milliseconds of a batch of 500 with so many issues stored: medians of five."""
    report = {}
    for size in sizes:
        for rows in issues.batches(stored, size):
            await desk.load(rows, Meter())
        stored = max(stored, size)
        times: dict[str, list[Meter]] = {"new": [], "unchanged": []}
        await desk.begin()
        for turn in range(5):
            for outcome, start in (("new", stored), ("unchanged", stored * turn // 6)):
                (rows,) = issues.batches(start, start + BATCH)
                meter = Meter()
                times[outcome].append(meter)
                found = await desk.load(rows, meter)
                assert outcome == "new" or found.get("new", 0) == 0
            stored += BATCH
        report[str(size)] = {
            outcome: {
                "batch_ms": round(statistics.median(m.wall for m in meters) * 1000),
                "server_cpu_ms": round(statistics.median(m.server for m in meters) * 1000),
            }
            for outcome, meters in times.items()
        }
        print(f"{size} stored: {report[str(size)]}", file=sys.stderr)
    return report


async def run(admin_url: str, app_url: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure on a database that was just set up."""
    issues = Issues(options.page_kb)
    with psycopg.connect(conninfo(admin_url), autocommit=True) as administrator:
        add = "INSERT INTO ims.trackers (user_id, name, kind, base_url) VALUES (1, 't', 'ims', 'x')"
        administrator.execute(add)
        ceiling, floor = Ceiling(administrator), Floor(administrator)
        connection = await psycopg.AsyncConnection.connect(conninfo(app_url), autocommit=True)
        async with connection:
            desk = Desk(connection, user_id=1, tracker_id=1)
            await desk.begin()
            report = await measure(desk, ceiling, floor, issues, options.issues)
            report["batch_by_stored_issues"] = await growth(desk, issues, options.issues, options.sizes)
    return report


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--issues", type=int, default=5000)
    parser.add_argument(
        "--sizes", type=lambda text: [int(n) for n in text.split(",") if n], default=[1000, 10_000, 100_000]
    )
    parser.add_argument("--page-kb", type=int, default=0, help="size of the raw page kept with each issue")
    options = parser.parse_args()
    options.sizes = [size for size in sorted(options.sizes) if size >= options.issues] or []
    with (
        tempfile.TemporaryDirectory(prefix="load-bench-", ignore_cleanup_errors=True) as home,
        EmbeddedServer(Path(home)) as address,
    ):
        admin_url = address.superuser_url()
        login = initialise(admin_url, first_admin="bench")
        print(json.dumps(asyncio.run(run(admin_url, login.url, options)), indent=2))


if __name__ == "__main__":
    main()
