"""What a query says about the numbers of tickets, and how Trac is asked for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.query import Clause, Occur, Tree
from crawler.sources.trac.query import LAST, Numbers, conditions, numbers_of


def tree(text: str) -> Tree:
    """A small notation for trees: words and numbers with their signs."""
    signs = {"+": Occur.MUST, "-": Occur.MUST_NOT}
    clauses = []
    for term in text.split():
        word = term.lstrip("+-")
        clauses.append(Clause(word, signs.get(term[0], Occur.SHOULD), number=word.isdecimal()))
    return Tree(tuple(clauses))


@pytest.mark.parametrize(
    ("text", "condition", "exact"),
    [
        ("", "", True),
        ("word", "", False),
        ("+word -other", "", False),
        ("12", "id=12", True),
        ("15 12", "id=12,15", True),
        ("12 word", "", False),
        ("12 +word", "", False),
        ("12 -word", "id=12", False),
        ("+12", "id=12", True),
        ("+12 15", "id=12", False),
        ("+12 +15", "id=", True),
        ("+12 +word", "id=12", False),
        ("-12", "id=!12", True),
        ("-12 word", "id=!12", False),
        ("12 15 -15", "id=12", True),
        ("99999999999999999999", "id=", True),
        ("-99999999999999999999", "", True),
        ("0", "id=", True),
    ],
)
def test_numbers_are_sent_and_words_are_left_to_the_reader(text: str, condition: str, exact: bool) -> None:
    numbers = numbers_of(tree(text))
    assert numbers.text() == condition
    assert numbers.exact is exact


def _meant(condition: str) -> set[int]:
    """The numbers that Trac's list of ranges means."""
    meant: set[int] = set()
    for part in filter(None, condition.split(",")):
        first, _, last = part.partition("-")
        meant |= set(range(int(first), int(last or first) + 1))
    return meant


_NUMBERS = st.frozensets(st.integers(1, 60), max_size=12)


@given(only=st.none() | _NUMBERS, without=_NUMBERS, end=st.integers(1, 70))
def test_ranges_mean_exactly_the_allowed_numbers_below_the_end(
    only: frozenset[int] | None, without: frozenset[int], end: int
) -> None:
    numbers = Numbers(only=only, without=without)
    assert _meant(numbers.below(end)[0]) == {number for number in range(1, end) if numbers.allow(number)}


@given(numbers=st.frozensets(st.integers(1, 999_999), min_size=900, max_size=1000), excluded=st.booleans())
@settings(max_examples=10, deadline=None)
def test_a_long_list_of_numbers_is_asked_for_in_pieces(numbers: frozenset[int], excluded: bool) -> None:
    asked = Numbers(without=numbers) if excluded else Numbers(only=numbers)
    end, meant = 1_000_000, set[int]()
    while end > 1:
        condition, floor = asked.below(end)
        assert len(condition.replace(",", "%2C")) < 7000
        piece = _meant(condition)
        assert all(floor <= number < end for number in piece)
        meant |= piece
        end = floor
    assert meant == (set(range(1, 1_000_000)) - numbers if excluded else numbers)


def test_no_two_questions_are_the_same_to_trac() -> None:
    asked = {conditions(Numbers(), below=LAST, components=(), since=None)[0] for _ in range(20)}
    assert len(asked) > 15


def test_since_is_sent_in_utc_and_never_later() -> None:
    since = datetime(2024, 1, 2, 9, 0, 30, 999, tzinfo=timezone(timedelta(hours=9)))
    assert conditions(Numbers(), below=5, components=(), since=since)[1:] == [
        ("changetime", "2024-01-02T00:00:30Z..")
    ]


@pytest.mark.parametrize(
    "since", [datetime.min.replace(tzinfo=UTC), datetime(1, 1, 1, tzinfo=timezone(-timedelta(hours=1)))]
)
def test_a_since_before_all_times_asks_for_everything(since: datetime) -> None:
    assert conditions(Numbers(), below=5, components=(), since=since)[1][1].startswith("1970-01-0")


def test_a_component_that_looks_like_an_operator_is_taken_as_a_name() -> None:
    pairs = conditions(Numbers(), below=5, components=("!odd", "even"), since=None)
    assert pairs[1:] == [("component", "^!odd"), ("component", "^even")]
    assert conditions(Numbers(), below=5, components=("even",), since=None)[1:] == [("component", "even")]
