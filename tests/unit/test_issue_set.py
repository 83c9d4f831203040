"""A set of issues' names: what a set of texts would say, in far less room."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from crawler.issue_set import IssueSet

NUMBERS = st.integers(0, 1100).map(str) | st.integers(0, 10**20).map(str)
NAMES = NUMBERS | st.text("0123456789٣²-Aé ", max_size=4) | NUMBERS.map("0{}".format)


@given(st.lists(st.lists(NAMES)), st.lists(NAMES))
def test_it_has_what_was_added_and_nothing_else(added: list[list[str]], asked: list[str]) -> None:
    names, model = IssueSet(), set[str]()
    for some in added:
        names.update(some)
        model.update(some)
    for name in [*asked, *model, *(f"0{name}" for name in model), *(name.strip() for name in model)]:
        assert (name in names) == (name in model)
    names.clear()
    assert not any(name in names for name in model)


def test_many_numbers_need_little_room() -> None:
    tracemalloc.start()
    try:
        names = IssueSet(str(number) for number in range(400_001, 1_400_001, 10))
        told, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "400011" in names
    assert told < 2**20
