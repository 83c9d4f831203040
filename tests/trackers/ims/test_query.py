"""Queries in the keyword syntax of IMS."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.query import Clause, Occur, Tree
from crawler.sources.ims.query import render
from crawler.sources.ims.standin.search import parse_keyword

SHOULD, MUST, MUST_NOT = Occur.SHOULD, Occur.MUST, Occur.MUST_NOT


@pytest.mark.parametrize(
    ("clauses", "text", "exact"),
    [
        ([], "", True),
        ([Clause("connection"), Clause("timeout")], "connection timeout", True),
        ([Clause("에러", MUST), Clause("크래시", MUST)], "+에러 +크래시", True),
        ([Clause("error log", phrase=True), Clause("Tibero", MUST), Clause("Tmax")], None, True),
        ([Clause("connection timeout", MUST, phrase=True)], "+'connection timeout'", True),
        ([Clause("348115", number=True)], "348115", True),
        ([Clause("348115", number=True), Clause("tibero")], "348115 tibero", True),
        ([Clause("348115", MUST, number=True)], "348115", True),
        ([Clause("348115", MUST, number=True), Clause("tibero", MUST)], "+tibero", False),
        ([Clause("12345")], "'12345'", True),
        ([Clause("-5213")], "'-5213'", True),
        ([Clause("+x", MUST)], "+'+x'", True),
        ([Clause("crash"), Clause("test", MUST_NOT)], "crash", False),
        ([Clause("test", MUST_NOT)], "", False),
        ([Clause("don't", MUST)], "+don +t", False),
        ([Clause("it isn't there", MUST, phrase=True)], "+'it isn' +'t there'", False),
        ([Clause("it isn't there", phrase=True)], "'t there'", False),
        ([Clause("'"), Clause("crash")], "", False),
        ([Clause("'", MUST), Clause("crash")], "", False),
    ],
)
def test_a_query_is_said_as_ims_understands_it(clauses: list[Clause], text: str | None, exact: bool) -> None:
    rendering = render(Tree(tuple(clauses)))
    assert rendering.exact is exact
    assert rendering.text == ("+Tibero 'error log' Tmax" if text is None else text)


TEXTS = st.text(alphabet="ab1'-+ \n가", min_size=1, max_size=4).filter(str.strip)
NUMBERS = st.sampled_from(["7", "11"])
CLAUSES = st.one_of(
    st.builds(Clause, TEXTS, st.sampled_from(Occur), phrase=st.booleans()),
    st.builds(Clause, NUMBERS, st.sampled_from(Occur), number=st.just(True)),
)


def has(clause: Clause, number: int, text: str) -> bool:
    if clause.number:
        return clause.text == str(number)
    return " ".join(clause.text.lower().split()) in text


def is_hit(tree: Tree, number: int, text: str) -> bool:
    """What the query means."""
    found = [(clause.occur, has(clause, number, text)) for clause in tree.clauses]
    if any(there for occur, there in found if occur is MUST_NOT):
        return False
    if any(occur is MUST for occur, _ in found):
        return all(there for occur, there in found if occur is MUST)
    optional = [there for occur, there in found if occur is SHOULD]
    return any(optional) or not optional


@given(
    st.lists(CLAUSES, max_size=4).map(lambda clauses: Tree(tuple(clauses))),
    st.sampled_from([7, 11, 12]),
    st.text(alphabet="ab1'-+ 가", max_size=12),
)
def test_the_tracker_answers_with_never_less_and_with_nothing_else_where_it_is_exact(
    tree: Tree, number: int, text: str
) -> None:
    text = " ".join(text.split())
    rendering = render(tree)
    answered = parse_keyword(rendering.text).score(number, text) is not None
    wanted = is_hit(tree, number, text)
    assert answered or not wanted
    if rendering.exact:
        assert answered == wanted
