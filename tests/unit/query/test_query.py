"""The direct syntax, and what holds for any text at all."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.errors import QueryError
from crawler.query import Clause, Occur, Tree, canonical, parse_direct, parse_query

SHOULD, MUST, MUST_NOT = Occur.SHOULD, Occur.MUST, Occur.MUST_NOT

# Text as hostile as it gets, and text that is likely to mean something, each in any mixture.
MEANING = st.sampled_from(
    [
        "find",
        "show",
        "the",
        "a",
        "and",
        "or",
        "with",
        "without",
        "exact phrase",
        "issue 348115",
        "#348115",
        "IMS-348115",
        "-5213",
        "--verbose",
        "++i",
        "ORA-01555",
        "Tibero",
        "OpenFrame",
        "open",
        "closed",
        "issues",
        "since",
        "2024-01-01",
        "last week",
        "+",
        "-",
        "+x",
        "-x",
        "+'a b'",
        '-"c d"',
        "'e f'",
        "'",
        '"',
        "“",
        "”",
        "‘",
        "’",
        "「",
        "」",
        "don't",
        "users'",
        "=",
        "*",
        ",",
        ".",
        "?",
        "(",
        ")",
        "에러와",
        "크래시",
        "찾아줘",
        "또는",
        "제외",
        "없는",
        "지난달",
        "미해결",
        "이슈",
        "에서",
        "-5213이",
        "エラーと",
        "クラッシュ",
        "または",
        "以外の",
        "を除く",
        "先週の",
        "未解決の課題",
        "落ちる",
        "＋エラー",
        "－警告",
        "、",
        "\u3000",
        "ſ",
        "İ",
        "\u0301",
        "\u0338",
        "\x00",
        "\u202e",
        "\u200b",
        "👍",
        "\ud800",
    ]
)
LIKELY = st.lists(st.tuples(MEANING, st.sampled_from(["", " "])), max_size=8).map(
    lambda parts: "".join(word + space for word, space in parts)
)
ANY = st.one_of(st.text(st.characters(), max_size=60), LIKELY)  # lone surrogates included


def clauses(text: str) -> list[tuple[str, Occur, bool, bool]]:
    return [(one.text, one.occur, one.phrase, one.number) for one in parse_direct(text).clauses]


def test_the_trackers_own_example_is_read_as_its_manual_says() -> None:
    assert clauses("Tmax 'error log' +Tibero") == [
        ("Tmax", SHOULD, False, False),
        ("error log", SHOULD, True, False),
        ("Tibero", MUST, False, False),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("connection timeout", [("connection", SHOULD, False, False), ("timeout", SHOULD, False, False)]),
        ("+error -crash", [("error", MUST, False, False), ("crash", MUST_NOT, False, False)]),
        ("+'connection timeout'", [("connection timeout", MUST, True, False)]),
        ('-"core dump"', [("core dump", MUST_NOT, True, False)]),
        ("348115", [("348115", SHOULD, False, True)]),
        ("#348115", [("348115", SHOULD, False, True)]),
        ("+ims-348115", [("348115", MUST, False, True)]),
        ("-#348115", [("348115", MUST_NOT, False, True)]),
        ("３４８１１５", [("348115", SHOULD, False, True)]),
        ("'348115'", [("348115", SHOULD, True, False)]),
        ("-5213", [("-5213", SHOULD, True, False)]),
        ("+-5213", [("-5213", MUST, True, False)]),
        ("-'5213'", [("5213", MUST_NOT, True, False)]),
        ("--verbose -Xmx512m", [("--verbose", SHOULD, True, False), ("-Xmx512m", SHOULD, True, False)]),
        ("ORA-01555 AC-1062", [("ORA-01555", SHOULD, False, False), ("AC-1062", SHOULD, False, False)]),
        ("don't users' C++ x.y/z", [(w, SHOULD, False, False) for w in ("don't", "users'", "C++", "x.y/z")]),
        ("'don't panic'", [("don't panic", SHOULD, True, False)]),
        (
            "+에러 ＋エラー　－警告",
            [("에러", MUST, False, False), ("エラー", MUST, False, False), ("警告", MUST_NOT, False, False)],
        ),
        (
            "エラー「接続 失敗」“a b”",
            [
                ("エラー", SHOULD, False, False),
                ("接続 失敗", SHOULD, True, False),
                ("a b", SHOULD, True, False),
            ],
        ),
        ("error, (crash)! error", [("error", SHOULD, False, False), ("crash", SHOULD, False, False)]),
        ("f() /var/log/x.log .NET", [(w, SHOULD, False, False) for w in ("f()", "/var/log/x.log", ".NET")]),
        (
            "a\x00b \ud800 '  c \n d '",
            [("a", SHOULD, False, False), ("b", SHOULD, False, False), ("c d", SHOULD, True, False)],
        ),
        ("e\u0301t\u202ee\u0301", [("été", SHOULD, False, False)]),
        ("*", []),
    ],
)
def test_the_direct_syntax_is_read(text: str, expected: list[tuple[str, Occur, bool, bool]]) -> None:
    assert clauses(text) == expected


@pytest.mark.parametrize("text", ["'open", 'find "error', "+'a b", "「開", "closed'", "it's 'a", '“a"'])
def test_a_quote_without_its_partner_is_refused_with_advice(text: str) -> None:
    for parse in (parse_direct, parse_query):
        with pytest.raises(QueryError, match=r"add the (opening|closing) .* or leave it out\.$"):
            parse(text)


@pytest.mark.parametrize("text", ["", "  \n", "''", "+", "- + -", "\x00", "\ud800", "...", "=", "= ="])
def test_what_asks_for_nothing_is_refused(text: str) -> None:
    for parse in (parse_direct, parse_query):
        with pytest.raises(QueryError, match="nothing to look for"):
            parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "the",
        "find",
        "show me",
        "찾아줘",
        "を検索",
        "is there any?",
        "with",
        "제외",
        "hello",
        "검색",
        "please",
    ],
)
def test_a_question_of_stop_words_alone_looks_for_them(text: str) -> None:
    parsed = parse_query(text)
    assert parsed.tree == parse_direct(text)
    assert parse_query(parsed.text).tree == parsed.tree
    assert not parsed.filters


def test_too_much_is_refused() -> None:
    with pytest.raises(QueryError, match="1000 different terms"):
        parse_direct(" ".join(f"w{number}" for number in range(1001)))
    with pytest.raises(QueryError, match="1000 characters"):
        parse_direct("x" * 1001)
    with pytest.raises(QueryError, match="1000 characters"):
        parse_query("crash without " + "core dump " * 200)


def test_signs_keep_every_word_and_are_wholly_certain() -> None:
    query = parse_query("+find the -error in Tibero")
    assert query.text == "+find the -error in Tibero"
    assert (query.method, query.confidence, query.filters) == ("direct", 1.0, {})


def test_an_equals_sign_takes_a_question_word_for_word() -> None:
    query = parse_query("= find the error and crash")
    assert [clause.text for clause in query.tree.clauses] == ["find", "the", "error", "and", "crash"]
    assert query.text == "= find the error and crash"
    assert canonical(parse_direct("find the error and crash")) == query.text


@settings(max_examples=400, deadline=None)
@given(ANY)
@example("5값doesn't を除いた 困っています")
@example("'x'y'")
@example("='\u0338")
@example("“'\"「」『』«»＂＇‘'”")
def test_the_canonical_text_of_any_tree_gives_the_tree_back(text: str) -> None:
    try:
        tree = parse_direct(text)
    except QueryError:
        return
    written = canonical(tree)
    assert parse_direct(written) == tree
    assert parse_query(written).tree == tree
    assert canonical(parse_direct(written)) == written
    written.encode()


@settings(max_examples=400, deadline=None)
@given(ANY, st.lists(st.text(max_size=8), max_size=3))
@example("the 'a b'", [])
@example("합니까 ...에서만 등록된", [])
@example("지난 하루 error", [])
@example("Proſort", [])
def test_any_text_is_understood_or_refused_and_its_canonical_text_means_the_same(
    text: str, products: list[str]
) -> None:
    try:
        query = parse_query(text, products=products)
    except QueryError:
        return
    again = parse_query(query.text, products=products)
    assert (again.tree, again.text) == (query.tree, query.text)
    assert parse_direct(query.text) == query.tree
    assert set(query.filters) <= {"product", "status", "since", "until"}
    assert query.language in ("en", "ko", "ja")
    assert query.method in ("direct", "rules")
    assert 0 <= query.confidence <= 1
    assert query.explanation


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            Clause,
            st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=12),
            st.sampled_from(Occur),
            st.just(True),
        ),
        min_size=1,
        max_size=4,
        unique=True,
    )
)
def test_any_phrase_without_quotes_can_be_written(phrases: list[Clause]) -> None:
    tree = Tree(tuple(phrases))
    if any(quote in clause.text for clause in phrases for quote in "'\"“”„‘’＂＇") or not _is_composed(
        phrases
    ):
        return
    assert parse_direct(canonical(tree)) == tree


def _is_composed(phrases: list[Clause]) -> bool:
    from crawler.query.script import clean

    return all(clean(clause.text) == clause.text for clause in phrases)


LARGE = 100_000


@pytest.mark.parametrize(
    "text",
    [
        "x" * LARGE,
        "a b " * (LARGE // 4),
        "'a " * (LARGE // 3),
        "(" * LARGE,
        '"' * LARGE,
        "a'" * (LARGE // 2),
        "日'" * (LARGE // 2),
        " -a" * (LARGE // 3),
        "\u0301\u0316" * (LARGE // 2),
        "에러와 " * (LARGE // 4),
        "のを" * (LARGE // 2),
        "open " * (LARGE // 5),
        "2024-01-01 " * (LARGE // 11),
        " " * LARGE,
        "\ud800" * LARGE,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_a_hundred_thousand_characters_take_no_time_to_speak_of(text: str) -> None:
    started = time.process_time()
    for parse in (parse_direct, parse_query):
        try:
            parse(text)
        except QueryError:
            continue
    assert time.process_time() - started < 5  # a quadratic way through takes minutes


def test_the_longest_question_that_the_rules_read_is_read_at_once() -> None:
    slow = {}
    for word in (
        "에러와 ",
        "のを",
        "エラーと",
        "open ",
        "since 2024-01-01 ",
        "show me ",
        "the exact phrase ",
        "ORA-01555가 ",
    ):
        text = (word * 5000)[:5000]
        started = time.process_time()
        with contextlib.suppress(QueryError):
            parse_query(text)
        slow[word] = time.process_time() - started
    assert max(slow.values()) < 2, slow
