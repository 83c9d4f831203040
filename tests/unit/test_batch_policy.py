"""Batches: every item once and in order, none too large, none kept waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import PageRejected
from crawler.kept_page import KeptPage
from db.crawl.frontier import Pending
from pipeline.stages.batch_policy import BatchPolicy
from pipeline.stages.counts import RunCounts, ignore_progress
from pipeline.stages.drift import DriftGuard
from pipeline.stages.load import _batches
from pipeline.stages.state import Fetched, Mark, RunState

ISSUES, BYTES, HELD, SECONDS = 5, 100, 300, 2.0


def policy() -> BatchPolicy[Any]:
    return BatchPolicy(issues=ISSUES, bytes=BYTES, held_bytes=HELD, seconds=SECONDS)


def test_a_batch_is_due_when_it_is_full_or_its_first_item_waited_long_enough() -> None:
    batch = policy()
    assert (batch.deadline, batch.is_due(1e9), batch.fits(10 * BYTES)) == (None, False, True)
    batch.add("a", 10, now=100.0)
    batch.add("b", 10, now=101.0)
    assert batch.deadline == 102.0
    assert [batch.is_due(now) for now in (101.9, 102.0)] == [False, True]
    assert [batch.fits(size) for size in (80, 81)] == [True, False]
    assert [batch.fits(size, held=True) for size in (280, 281)] == [True, False]
    batch.hold(102.0)
    assert [batch.is_due(now) for now in (103.9, 104.0)] == [False, True]
    assert batch.take() == ["a", "b"]
    assert (batch.take(), batch.deadline) == ([], None)


def test_a_batch_of_as_many_items_as_it_may_have_is_due_and_takes_no_more() -> None:
    batch = policy()
    for item in range(ISSUES):
        assert batch.fits(0, held=True)
        assert not batch.is_due(0.0)
        batch.add(item, 0, now=0.0)
    assert batch.is_due(0.0)
    assert not batch.fits(0)
    assert not batch.fits(0, held=True)


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next thing that is due."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped = 0.0

    def time(self) -> float:
        return super().time() + self._skipped

    def _run_once(self) -> None:
        scheduled, ready = cast(Any, self)._scheduled, cast(Any, self)._ready
        due = [handle.when() for handle in scheduled if not handle.cancelled()]
        if due and not ready:
            self._skipped += max(0.0, min(due) - self.time())
        cast(Any, super())._run_once()


class Guard:
    """Finds batches odd as it was told, in turn."""

    def __init__(self, verdicts: list[bool]) -> None:
        self._verdicts = verdicts

    async def wants_more(self, batch: Sequence[Fetched]) -> bool:
        assert batch
        return self._verdicts.pop() if self._verdicts else False


def fetched(number: int, size: int) -> Fetched:
    pages = (KeptPage(url="", body=b"x" * size, size=size, sha256=bytes(32)),)
    pending = Pending(str(number), number, "search", None, {}, 0)
    return Fetched(item=pending, error=PageRejected("It cannot be read.", pages=pages))


def size_of(one: Fetched) -> int:
    assert isinstance(one.error, PageRejected)
    return sum(len(page.body) for page in one.error.pages)


ARRIVALS = st.lists(
    st.tuples(st.floats(0, 3), st.one_of(st.integers(0, 60), st.integers(90, 400)), st.booleans()),
    max_size=40,
)


@given(arrivals=ARRIVALS, verdicts=st.lists(st.booleans(), max_size=10))
def test_what_is_fetched_is_committed_once_in_order_soon_and_in_bounded_batches(
    arrivals: list[tuple[float, int, bool]], verdicts: list[bool]
) -> None:
    arrived: dict[int, float] = {}
    taken: list[tuple[float, list[Fetched]]] = []
    flushed: list[int] = []
    never_held = not any(verdicts)

    async def run() -> None:
        state = RunState(workers=1000, counts=RunCounts(), observer=ignore_progress)
        clock = asyncio.get_running_loop().time

        async def bring() -> None:
            for number, (pause, size, flush) in enumerate(arrivals):
                await asyncio.sleep(pause)
                arrived[number] = clock()
                await state.done.put(fetched(number, size))
                if flush:
                    await state.done.put(Mark.FLUSH)
                    await asyncio.sleep(0.001)
                    flushed.append(sum(len(batch) for _, batch in taken) - number - 1)
            await state.done.put(Mark.END)

        bringing = asyncio.create_task(bring())
        batches = _batches(state, cast(DriftGuard, Guard(verdicts)), policy())
        async for batch in batches:
            taken.append((clock(), batch))  # noqa: PERF401 - what is taken so far is looked at meanwhile
        await bringing

    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        runner.run(run())
    assert [one.item.position for _, batch in taken for one in batch] == list(range(len(arrivals)))
    assert set(flushed) <= {0}  # nothing is left where nobody has anything more to bring
    for moment, batch in taken:
        most = BYTES if never_held else HELD
        assert 1 <= len(batch) <= ISSUES
        assert len(batch) == 1 or sum(map(size_of, batch)) <= most
        if never_held:
            assert moment - arrived[batch[0].item.position] <= SECONDS + 0.1


@given(sizes=st.lists(st.integers(0, 150), max_size=60), workers=st.integers(1, 8), pauses=st.data())
def test_what_waits_for_the_loader_is_bounded_and_all_of_it_comes(
    sizes: list[int], workers: int, pauses: st.DataObject
) -> None:
    todo = list(enumerate(sizes))
    came: list[int] = []
    fullest = 0

    async def run() -> None:
        nonlocal fullest
        queue = RunState(workers=workers, counts=RunCounts(), observer=ignore_progress).done
        inside: dict[int, int] = {}

        async def bring() -> None:
            nonlocal fullest
            while todo:
                number, size = todo.pop(0)
                await queue.put(fetched(number, size))
                inside[number] = size
                assert len(inside) <= ISSUES
                fullest = max(fullest, sum(inside.values()) - max(inside.values()))

        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(bring())
            while len(came) < len(sizes):
                if pauses.draw(st.booleans()):
                    await asyncio.sleep(0)
                got = await queue.get()
                assert isinstance(got, Fetched)
                came.append(got.item.position)
                inside.pop(got.item.position, None)

    with patch.multiple("pipeline.stages.state", BATCH_ISSUES=2 * ISSUES, BATCH_BYTES=2 * BYTES):
        asyncio.run(run())
    assert sorted(came) == list(range(len(sizes)))
    assert fullest < BYTES
