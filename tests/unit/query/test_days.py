"""Where days are named: what tells so quickly must overlook none."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.query.natural.days import may_name
from crawler.query.natural.period import CUED, PLAIN


@pytest.mark.parametrize("form", [form for form, _ in PLAIN + CUED])
@given(data=st.data())
def test_no_way_to_name_days_is_overlooked(form: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(form, re.IGNORECASE), fullmatch=True))
    assert may_name(f"error {text} crash")


@pytest.mark.parametrize("text", ["timeout", "connection pool hangs", "메모리 누수", "メモリリーク"])
def test_most_questions_name_none(text: str) -> None:
    assert not may_name(text)
