"""A whole query applied to an issue that a tracker answered with more than was asked for."""

from __future__ import annotations

import pytest

from crawler.query import Tree, matches, parse_direct

ISSUE = [
    "Tibero: 접속이 끊기면 java.lang.OutOfMemoryError 발생",
    "Two crashes were seen after ORA-01555 (-5213) in /var/log/x.log.\nThe connection   timed\nout.",
    "全文検索機能がエラーで停止する。DB接続エラー",
    "ＦＵＬＬＷＩＤＴＨ Straße v7.2.3 get_user_name latest. don't panic",
]


FOUND = [
    "tibero",
    "TIBERO nothing",
    "crash",
    "crashed",
    "+crash +timed",
    "memory",
    "OutOfMemoryError",
    "outofmemory error",
    "java.lang.OutOfMemoryError",
    "java",
    "ORA-01555",
    "'-5213'",
    "-5213",
    "/var/log/x.log",
    "x.log",
    "'timed out'",
    "'connection timed out'",
    "don't",
    "접속",
    "접속이",
    "検索",
    "全文検索",
    "エラー",
    "接続",
    "DB接続",
    "fullwidth",
    "ＣＲＡＳＨ",
    "strasse",
    "7.2.3",
    "user",
    "'get_user_name'",
    "connections",
    "-nothing",
    "-test",
    "*",
    "+Tibero nothing",
    "348115",
    "+#348115 +crash",
    "-#348116",
    "-'core dump' crash",
]
NOT_FOUND = [
    "nothing",
    "+Tibero +nothing",
    "tib",
    "test",
    "conn",
    "era",
    "art",
    "'out of'",
    "'panic don't'",
    "-crash",
    "+crash -tibero",
    "01554",
    "ORA-0155",
    "'timed connection'",
    "クラッシュ",
    "348116",
    "34811",
    "+348116 crash",
    "-#348115",
    "-접속 crash",
    "-全文検索",
    "-'timed out'",
    "og/x.log",
    "'x.lo'",
    "2.3.4",
]


@pytest.mark.parametrize("query", FOUND)
def test_what_is_asked_for_is_found(query: str) -> None:
    assert matches(parse_direct(query), ISSUE, "348115")


@pytest.mark.parametrize("query", NOT_FOUND)
def test_what_is_not_asked_for_is_not_found(query: str) -> None:
    assert not matches(parse_direct(query), ISSUE, "348115")


def test_a_required_word_and_the_rest_may_stand_in_different_texts_but_a_phrase_may_not() -> None:
    assert matches(parse_direct("+error +log"), ["error", "log"], "1")
    assert not matches(parse_direct("'error log'"), ["error", "log"], "1")


@pytest.mark.parametrize("issue_id", ["42", "#42", "AC-42", "IMS-0042", " 42 "])
def test_an_issue_number_is_the_number_within_a_key(issue_id: str) -> None:
    assert matches(parse_direct("42"), [], issue_id)
    assert not matches(parse_direct("2"), [], issue_id)


def test_an_issue_without_texts_has_nothing_but_its_number() -> None:
    assert not matches(parse_direct("error"), [], "1")
    assert matches(parse_direct("-error"), [], "1")
    assert matches(Tree(), [], "1")


def test_a_large_hostile_text_takes_no_time_to_speak_of() -> None:
    text = "a" * 300_000 + " " + "\u0301\u0316" * 100_000 + " aB" * 100_000
    assert not matches(parse_direct("aaaa 'aaa aa' aa.a あ"), [text], "1")
