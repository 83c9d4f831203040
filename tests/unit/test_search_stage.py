"""The search stage puts small pages together without losing one, or keeping the first waiting."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from crawler.errors import TrackerError
from crawler.source import Reference, SearchPage
from pipeline.stages.search import GATHERED, _gathered


def _page(number: int, *, size: int = 10, last: bool = False) -> SearchPage:
    references = tuple(Reference(issue_id=f"{number}-{place}") for place in range(size))
    return SearchPage(references=references, cursor=None if last else str(number), total=1000 + number)


async def _pages(number: int, error: Exception | None = None) -> AsyncIterator[SearchPage]:
    for place in range(number):
        yield _page(place, last=error is None and place == number - 1)
    if error is not None:
        raise error


async def test_the_first_page_comes_alone_and_the_rest_together() -> None:
    gathered = [page async for page in _gathered(_pages(25))]
    assert [len(page.references) for page in gathered] == [10, GATHERED, GATHERED, 40]
    assert [page.cursor for page in gathered] == ["0", "10", "20", None]
    assert [page.total for page in gathered] == [1000, 1010, 1020, 1024]
    ids = [reference.issue_id for page in gathered for reference in page.references]
    assert ids == [f"{page}-{place}" for page in range(25) for place in range(10)]


async def test_what_was_found_before_an_error_is_kept_with_its_cursor() -> None:
    gathered: list[SearchPage] = []
    with pytest.raises(TrackerError):
        await _gather_into(gathered)
    assert [(len(page.references), page.cursor) for page in gathered] == [(10, "0"), (40, "4")]


async def _gather_into(gathered: list[SearchPage]) -> None:
    async for page in _gathered(_pages(5, TrackerError("gone"))):
        gathered += [page]
