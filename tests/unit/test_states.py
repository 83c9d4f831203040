"""What trackers' words for a status stand for."""

from __future__ import annotations

import pytest

from crawler.records import State
from crawler.states import _WORDS, state_of


@pytest.mark.parametrize(
    ("words", "state"),
    [
        (["Open", "New", "Pending", "Postponed", "reopened", "신규", "新規", "To Do"], State.OPEN),
        (["Assigned", "In Progress", "IN_PROGRESS", "accepted", "진행중", "対応中"], State.IN_PROGRESS),
        (["Resolved", "Closed", "Closed_P", "Rejected", "verified", "완료", "解決済み"], State.DONE),
        (["Won't Fix", "fixed", "done", "closed\xa0"], State.DONE),
        ([None, "", " ", "Frobnicated", "not closed", "open?"], State.UNKNOWN),
    ],
)
def test_a_word_has_its_state(words: list[str | None], state: State) -> None:
    assert {word: state_of(word) for word in words} == dict.fromkeys(words, state)


def test_no_word_stands_for_two_states() -> None:
    words = [word.strip() for text in _WORDS.values() for word in text.split(",")]
    assert len(words) == len(set(words))
