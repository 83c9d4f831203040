"""The use case: read what fetched files say, each content once a user, and keep it to be searched."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic

from crawler.files import READER_VERSION, FileText
from db.crawl.file_texts import KeptFile, Part, Reading, Selected, follow, save, unread
from db.crawl.transaction import UserTransactions
from db.log_library import structlog
from pipeline.attachments.paths import path_of
from pipeline.attachments.reader import FileReader, NoReader
from pipeline.stages.counts import FileCounts

LINE_EVERY = 5.0  # seconds between two log lines
FAILURES_SHOWN = 100
MOST_CODES = 100  # of a file: the commonest ones

# Codes of products (ORA-01555, JEUS-1234) and of Windows (0x80070005), names of exceptions and system errors.
_CODE = re.compile(
    r"\b(?!(?:AES|CVE|ISO|RFC|SHA|UTF|JIS|IEEE|CP|MD|RSA|KSC)-)[A-Z][A-Z0-9]{1,9}-\d{3,6}\b"
    r"|\b0x[0-9A-Fa-f]{8}\b"
    r"|\b[A-Z][A-Za-z0-9]{1,60}(?:Exception|Error)\b"
    r"|\bE(?:ACCES|ADDRINUSE|AGAIN|BUSY|CONN[A-Z]{5,7}|EXIST|INVAL|IO|MFILE|NFILE|NOENT|NOMEM|NOSPC|PERM|PIPE|TIMEDOUT)\b"
)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class ReadFiles:
    """What came of reading files."""

    files: int = 0  # contents that were looked at
    read: int = 0  # of these, with a text
    failed: int = 0  # that could not be read, or not to their end
    failures: list[tuple[str, str]] = field(default_factory=list)  # the first ones: name, why

    def fail(self, file: KeptFile, reason: str) -> None:
        """Count a file that could not be read, or not to its end."""
        self.failed += 1
        if len(self.failures) < FAILURES_SHOWN:
            self.failures.append((file.filename, reason))


async def read_texts(
    transactions: UserTransactions,
    selected: Selected,
    home: Path,
    *,
    stop: asyncio.Event | None = None,
    again: bool = False,
    counts: FileCounts | None = None,
    tell: Callable[[], None] = lambda: None,
) -> ReadFiles:
    """Read the files that are here and were not read, and keep their texts, a transaction a file.

    Stopped anywhere, it can be begun again: what is kept is not read twice.

    Args:
        transactions: of the user.
        selected: among which files.
        home: the data folder.
        stop: set: no further file is begun.
        again: read those that were read, too.
        counts: live totals.
        tell: called whenever they change.

    Raises:
        DatabaseError: the database is away.
    """
    result = ReadFiles()
    waiting = await transactions.run(partial(unread, selected=selected, reader=READER_VERSION, again=again))
    told = monotonic()
    counts = counts or FileCounts()
    counts.to_read += len(waiting)
    async with FileReader() as reader:
        for kept in waiting:
            if stop is not None and stop.is_set():
                break
            result.files += 1
            counts.read += 1
            tell()
            try:
                text = await reader.read(home / path_of(kept.sha256), kept.filename, kept.file_type)
            except OSError as error:  # what was read of it before stays
                result.fail(kept, f"The file is not there any more: {error.strerror or error}.")
                continue
            except NoReader as error:  # no file's fault: they are read the next time
                log.warning("files are not read", reason=str(error))
                result.fail(kept, f"{error} Look at this machine's limits of memory and processes.")
                break
            if text.error is not None:
                result.fail(kept, text.error)
            result.read += text.characters > 0
            await transactions.run(
                partial(save, user_id=selected.user_id, sha256=kept.sha256, reading=_reading(text))
            )
            if monotonic() - told >= LINE_EVERY:
                told = monotonic()
                log.info("reading files", read=result.files, of=len(waiting))
    # Files whose bytes were read before, in another issue, or are other ones now.
    await transactions.run(partial(follow, user_id=selected.user_id))
    return result


def error_codes(texts: Iterable[str]) -> list[str]:
    """The commonest codes and names of errors in texts, the commonest first."""
    counted = Counter(code for text in texts for code in _CODE.findall(text))
    return [code for code, _ in counted.most_common(MOST_CODES)]


def _reading(text: FileText) -> Reading:
    return Reading(
        kind=text.kind,
        reader=READER_VERSION,
        error=text.error,
        members=text.members,
        characters=text.characters,
        capped=text.capped,
        codes=error_codes(part.text for part in text.parts),
        parts=[
            Part(
                member=part.member,
                first_line=part.first_line,
                line_numbers=part.line_numbers,
                content=part.text,
            )
            for part in text.parts
        ],
    )
