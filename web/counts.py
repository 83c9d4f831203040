"""Figures are counted beside the page, and kept with the visitor for whom they were counted.

What is kept is of one moment, which the page says. As long as nothing at all was committed since, and for ten
minutes at most, it is what would be counted now; else it is shown all the same, and counted anew meanwhile,
but not before ten times as long as it took: whoever looks again and again keeps no server busy. So looking
writes nothing, nobody reaches what was counted for another, and it ends with the visitor's session.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crawler.errors import UsageError
from db.acting import Acting
from pipeline.reports.html.gather import Figures, Rows
from pipeline.reports.html.gather import parts as parts_of_report
from pipeline.reports.stats import parts as parts_of_stats

SUMS = ("sessions", "issues", "products", "top_queries")  # of ``stats``; the flow is the report's
_FRESH = 600.0  # seconds, for the figures are of the days before now
_PAUSE = 10.0  # times what a count took
_KEPT = 8  # questions of a visitor
_AT_ONCE = 4  # questions of a visitor that are being counted, and of all visitors
_turns = threading.BoundedSemaphore(_AT_ONCE)
Asking = Callable[[], AbstractContextManager[Acting]]


@dataclass(frozen=True, slots=True)
class Question:
    """What figures are asked for."""

    days: int  # to look back
    product: str | None


class Coming(Mapping[str, Rows]):
    """Rows by name; whoever asks for some that are on their way waits for them."""

    def __init__(self) -> None:
        """Begin without any."""
        self._changed = threading.Condition()
        self._rows: dict[str, Rows] = {}
        self._error: BaseException | None = None

    def __getitem__(self, name: str) -> Rows:
        """The rows, or the error in their place."""
        with self._changed:
            self._changed.wait_for(lambda: name in self._rows or self._error is not None)
            if self._error is not None:
                raise self._error
            return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        """The names of what is there."""
        return iter(tuple(self._rows))

    def __len__(self) -> int:
        """How many are there."""
        return len(self._rows)

    def take(self, parts: Iterable[tuple[str, Rows]]) -> None:
        """Take the rows one after the other."""
        for name, rows in parts:
            with self._changed:
                self._rows[name] = rows
                self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Nothing more comes."""
        with self._changed:
            self._error = error
            self._changed.notify_all()


class Count:
    """The figures of one question, as of one moment: on their way, or there."""

    def __init__(self, question: Question) -> None:
        """Begin.

        Args:
            question: what is to be counted.
        """
        self.question = question
        self.sums, self._rows = Coming(), Coming()
        self.began = 0.0  # seconds, on the clock that only goes on
        self.took = 0.0  # likewise
        self.stored: str | None = None  # a name for all that was stored at the moment
        self._until: Future[datetime] = Future()
        self._end: Future[None] = Future()

    @property
    def figures(self) -> Figures:
        """Of the report; their moment is waited for."""
        until, days = self._until.result(), timedelta(days=self.question.days)
        return Figures(since=until - days, until=until, product=self.question.product, rows=self._rows)

    def is_over(self, seconds: float) -> bool:
        """Wait for the end, so long at most.

        Raises:
            Exception: what it failed by.
        """
        if wait([self._end], seconds).not_done:
            return False
        self._end.result()
        return True

    def is_enough(self, stored: str | None) -> bool:
        """Tell whether the same would be counted now, but for a few minutes, or it was counted just now.

        Args:
            stored: a name for all that is stored now; None: it has none.
        """
        age, is_all = time.monotonic() - self.began, stored is not None and stored == self.stored
        return age < (_FRESH if is_all else self.took * _PAUSE)

    def run(self, asking: Asking) -> None:
        """Count."""
        with _turns, asking() as acting:
            self.began, self.stored = time.monotonic(), acting.value("asking", "stored", {})
            self._until.set_result(datetime.now(UTC))
            figures = self.figures
            self.sums.take(parts_of_stats(acting, self.question.days, figures.until, SUMS))
            self._rows.take(parts_of_report(acting, figures))
        self.took = time.monotonic() - self.began

    def end(self, error: BaseException | None) -> None:
        """Let nobody wait any longer."""
        if error is None:
            self._end.set_result(None)
            return
        for coming in (self.sums, self._rows):
            coming.fail(error)
        for future in (self._until, self._end):
            if not future.done():
                future.set_exception(error)


class Counts:
    """One visitor's figures."""

    def __init__(self) -> None:
        """Begin without any."""
        self._lock = threading.Lock()
        self._kept: dict[Question, Count] = {}  # what was counted last comes last
        self._coming: dict[Question, Count] = {}

    def begin(self, question: Question, asking: Asking) -> None:
        """Count what is likely to be asked next."""
        self.of(question, None, asking)

    def of(self, question: Question, stored: str | None, asking: Asking) -> tuple[Count | None, Count | None]:
        """What is kept of a question, and what is being counted of it unless that is enough.

        Args:
            question: what figures are asked for.
            stored: a name for all that is stored now; None: it has none.
            asking: a transaction of the visitor.

        Raises:
            UsageError: they ask for too many at once.
        """
        with self._lock:
            kept = self._kept.get(question)
            if kept is not None and kept.is_enough(stored):
                return kept, None
            coming = self._coming.get(question)
            if coming is None:
                if len(self._coming) >= _AT_ONCE:
                    if kept is not None:
                        return kept, None
                    raise UsageError("Figures are being counted for you already: wait until they are there.")
                coming = self._coming[question] = Count(question)
                # A thread of its own: whoever asked may go, and the server may end.
                threading.Thread(target=self._count, args=(coming, asking), daemon=True).start()
            return kept, coming

    def _count(self, count: Count, asking: Asking) -> None:
        error: BaseException | None = None
        try:
            count.run(asking)
        except BaseException as raised:  # for whoever waits
            error = raised
        with self._lock:
            del self._coming[count.question]
            if error is None:
                self._kept.pop(count.question, None)
                self._kept[count.question] = count
                if len(self._kept) > _KEPT:
                    del self._kept[next(iter(self._kept))]
        count.end(error)
