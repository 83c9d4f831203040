"""What is said to Jira in its query language, which must never select less than was asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.query import Tree, matches, parse_direct
from crawler.query.matching import bases, stems
from crawler.sources.jira.query import Dates, jql, words_of
from tests.trackers.jira.jql import Jql
from tests.trackers.jira.standin import Issue

ZONES = [ZoneInfo(name) for name in ("UTC", "Asia/Seoul", "Europe/Berlin", "America/St_Johns")]
BOOL = st.booleans()
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))


def tree(text: str) -> Tree:
    return parse_direct(text)


def issue(**of: object) -> Issue:
    when = datetime(2024, 5, 6, tzinfo=UTC)
    told = {"id": "1", "key": "A-1", "summary": "", "description": None, "created": when, "updated": when}
    return Issue(**(told | of))  # type: ignore[arg-type]  # as it stands above


def selects(text: str, each: Issue, zone: ZoneInfo | None) -> bool:
    return bool(Jql(text, zone=zone, exists=lambda key: True).matches(each))


@given(moment=MOMENTS, zone=st.sampled_from([None, *ZONES]), later=st.integers(0, 10**9), cloud=BOOL)
def test_what_was_changed_at_or_after_a_moment_is_selected(
    moment: datetime, zone: ZoneInfo | None, later: int, cloud: bool
) -> None:
    dates = Dates(is_cloud=cloud, zone=zone)
    text = jql(dates, since=moment)
    for reader in [None] if cloud else [zone] if zone else ZONES:
        assert selects(text, issue(updated=moment + timedelta(seconds=later)), reader)
    early = moment - timedelta(hours=3 if zone or cloud else 60)
    assert not selects(text, issue(updated=early), None if cloud else zone or ZONES[0])


@given(
    moment=MOMENTS, zone=st.sampled_from([None, *ZONES]), before=st.integers(0, 10**9), cloud=st.booleans()
)
def test_what_was_created_at_or_before_a_moment_is_selected(
    moment: datetime, zone: ZoneInfo | None, before: int, cloud: bool
) -> None:
    text = jql(Dates(is_cloud=cloud, zone=zone), until=moment)
    for reader in [None] if cloud else [zone] if zone else ZONES:
        assert selects(text, issue(created=moment - timedelta(seconds=before)), reader)


@pytest.mark.parametrize("fold", [0, 1])
def test_an_hour_that_comes_twice_loses_nothing(fold: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    moment = datetime(2024, 10, 27, 2, 30, tzinfo=berlin, fold=fold).astimezone(UTC)
    dates = Dates(is_cloud=False, zone=berlin)
    told = (dates.since(moment), dates.until(moment))
    since, until = (datetime.strptime(each, '"%Y/%m/%d %H:%M"') for each in told)
    for taken_for in (0, 1):
        first, last = (each.replace(tzinfo=berlin, fold=taken_for) for each in (since, until))
        assert first.astimezone(UTC) <= moment <= last.astimezone(UTC)


@pytest.mark.parametrize("moment", [datetime.min, datetime.max])
def test_the_ends_of_time_can_be_said(moment: datetime) -> None:
    for dates in (Dates(is_cloud=True), Dates(is_cloud=False), Dates(is_cloud=False, zone=ZONES[1])):
        assert "created <= " in jql(dates, until=moment.replace(tzinfo=UTC))


def test_a_question_without_a_condition_has_one() -> None:
    assert jql(Dates(is_cloud=True)).startswith("project is not EMPTY ORDER BY")


@given(names=st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=3))
def test_a_name_cannot_end_its_quotes(names: list[str]) -> None:
    told = jql(Dates(is_cloud=True), projects=names)
    for name in names:
        assert selects(told, issue(key=f"{name}-1"), None)
    assert not selects(told, issue(key=f"{''.join(names)}x-1"), None)


WORDS = st.from_regex(r"[a-z]{3,9}(ed|ing|s|es|ies|ied|)", fullmatch=True)


@given(asked=WORDS, stored=WORDS)
def test_every_form_of_a_word_begins_as_is_asked_for(asked: str, stored: str) -> None:
    if not bases(asked).isdisjoint(bases(stored)):
        assert stored.startswith(tuple(stems(asked)))


@given(asked=WORDS, ending=st.sampled_from(["", "s", "es", "ed", "ing"]), sign=st.sampled_from(["", "+"]))
def test_an_index_of_words_finds_what_the_query_means(asked: str, ending: str, sign: str) -> None:
    query = tree(f"{sign}{asked}")
    text = f"a {asked}{ending} here"
    if (words := words_of(query)) and matches(query, [text], "A-1"):
        assert selects(words, issue(summary=text), None)


@pytest.mark.parametrize(
    "text", ["오류", "getName", "v7.2", "'two words'", "ab", "the", "plain 오류", "-plain", "12", "E11000"]
)
def test_what_the_index_may_miss_is_not_asked_of_it(text: str) -> None:
    assert words_of(tree(text)) == ""
