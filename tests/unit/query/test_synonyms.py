"""Other words for the same thing are added where a tree can say so."""

from __future__ import annotations

import pytest

from crawler.query import Tree, canonical, parse_direct
from crawler.query.synonyms import Synonyms, alternatives, expand, own_synonyms, read_synonyms

SMALL = read_synonyms("timeout, timed out, 타임아웃, タイムアウト # one thing\n\nOOM, out of memory\n#a, b\n")


@pytest.mark.parametrize(
    ("query", "expanded"),
    [
        ("timeout", "timeout 'timed out' 타임아웃 タイムアウト"),
        ("タイムアウト error", "タイムアウト timeout 'timed out' 타임아웃 error"),
        ("+oom", "oom 'out of memory'"),
        ("'Out of Memory'", "'Out of Memory' OOM"),
        ("+timeout +oom", "+timeout +oom"),
        ("+error timeout", "+error timeout 'timed out' 타임아웃 タイムアウト"),
        ("error -oom", "error -oom -'out of memory'"),
        ("+timeout -oom", "timeout 'timed out' 타임아웃 タイムアウト -oom -'out of memory'"),
        ("348115", "348115"),
        ("a", "a"),
    ],
)
def test_synonyms_stand_beside_their_word(query: str, expanded: str) -> None:
    tree = expand(parse_direct(query), SMALL)
    assert canonical(tree).removeprefix("= ") == expanded
    assert parse_direct(canonical(tree)) == tree


def test_a_users_table_extends_the_programs() -> None:
    both = read_synonyms(own_synonyms(), "TO-1, Timeout\n")
    others = both["timeout"]
    assert {"TO-1", "タイムアウト", "타임아웃", "timed out"} <= set(others)
    assert "timeout" in both["to-1"]


def test_every_word_of_the_programs_table_leads_to_words_that_can_be_written() -> None:
    table: Synonyms = read_synonyms(own_synonyms())
    assert len(table) > 100
    for key, words in table.items():
        assert words, key
        assert key not in words
        tree = expand(Tree(parse_direct(f"'{key}'").clauses), table)
        assert parse_direct(canonical(tree)) == tree


def test_a_required_word_has_alternatives_with_its_own_sign() -> None:
    tree = parse_direct("+OOM +timeout")
    assert canonical(Tree(alternatives(tree.clauses[0], SMALL))) == "+'out of memory'"
