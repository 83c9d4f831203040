"""What others wrote reaches an assistant as data, whatever it is."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pipeline.assistant.answers import is_address
from pipeline.assistant.budget import Budget
from pipeline.assistant.fence import CAUTION, fenced, plain
from pipeline.printable import escaped_unseen, without_unseen

TEXTS = st.one_of(
    st.text(),
    st.text(st.sampled_from("-BEGINDAT 0123456789abcdef\n")),
    st.text(st.sampled_from("\u202e\u2066\U000e0041\ufe0fa\ufeff\x1b\x00\ud800")),
)
VALUES = st.recursive(
    TEXTS | st.none() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)
)


@given(TEXTS)
def test_the_marks_hold_the_document_and_nothing_else(text: str) -> None:
    before, document = fenced(text).split(" -----\n", 1)
    assert before.startswith(CAUTION)
    mark = before[-32:]
    assert document == f"{text}\n----- END DATA {mark} -----"
    assert mark not in text
    assert mark not in fenced(text)


@given(VALUES)
def test_nothing_is_left_that_nobody_sees_and_it_can_be_sent(value: object) -> None:
    document = json.dumps(plain(value), ensure_ascii=False)
    document.encode()
    assert plain(plain(value)) == plain(value)
    assert escaped_unseen(document) == document or without_unseen(document) != document


@given(st.lists(TEXTS), st.integers(0, 50))
def test_texts_together_have_no_more_than_their_budget(texts: list[str], left: int) -> None:
    budget = Budget(left)
    shown = [budget.take(text) for text in texts]
    assert sum(len(text.removesuffix(" […]")) for text in shown) <= left
    assert budget.cut == max(0, sum(map(len, texts)) - left)
    assert bool(budget.told()) == bool(budget.cut)


@given(st.one_of(TEXTS, TEXTS.map("https://h/".__add__)))
def test_a_source_is_an_address_and_no_sentence(text: str) -> None:
    if is_address(text):
        assert text.startswith(("http://", "https://"))
        assert len(text.split()) == 1
        assert text.isprintable()
