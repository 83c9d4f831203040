"""One index finds Korean, Japanese, Chinese, English and names at once: each promise, one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.database import Server, on_every_server
from tests.fixtures.schema import ALICE, Database, fresh_database

pytestmark = pytest.mark.xdist_group("search")

Rank = Callable[..., list[str]]
TEXTS = {  # title, description, comment
    "ko-1": ("검색을 개선", "검색 기능이 느립니다", ""),
    "ko-2": ("전문검색 오류", "색인을 다시 만듭니다", "접속 시간 초과, 값이 없음"),
    "ko-3": ("설치 문의", "", "Tibero에서 검색어를 지움"),
    "ja-1": ("京都の支店", "全文検索機能について", "書き込みエラー"),
    "ja-2": ("東京都の支店", "接続タイムアウトが発生", "ｱｵｿﾞﾗの画面、ＯＲＡ－１２３４"),
    "zh-1": ("数据库连接失败", "请检查网络，然后重试。", ""),
    "en-1": ("Crashes on start", "The connection was not found", "it crashed, don't ask"),
    "en-2": ("Nothing to do", "A crash report; the user's connections are open", ""),
    "en-3": ("Off by one", "The file is crash-proof", "Naïve café Überlauf ПРИВЕТ Ελλάδα"),
    "id-1": ("java.lang.OutOfMemoryError in the console", "ORA-01555 in /var/log/app/x.log", "SVC99 rc=8"),
    "id-2": ("memory grows", "version 7.2.1, code 0x80070005", "ERROR -5213 after v6.0.3"),
    "id-3": ("parseHTTPHeader fails", "tbl_user_id is null", "<connection timeout> &amp; a@b.example"),
}


@pytest.fixture(scope="module")
def library(server: Server, template: str) -> Iterator[psycopg.Connection]:
    """A connection that acts for a user who has these issues, all of one age."""
    with fresh_database(server, template) as database, database.app() as connection:
        connection.execute("SELECT ims.set_current_user(%s)", (ALICE,))
        for issue_id, (title, description, comment) in TEXTS.items():
            store(connection, issue_id, title, description, comment)
        yield connection


def store(
    connection: psycopg.Connection, issue_id: str, title: str, description: str = "", comment: str = ""
) -> None:
    row = connection.execute(
        "INSERT INTO ims.issues (issue_id, title, description, product, modified_date) "
        "VALUES (%s, %s, %s, 'P', '2024-01-01') RETURNING issue_pk",
        (issue_id, title, description),
    ).fetchone()
    assert row is not None
    if comment:
        connection.execute(
            "INSERT INTO ims.issue_comments (issue_pk, content) VALUES (%s, %s)", (*row, comment)
        )


def found(connection: psycopg.Connection, query: str) -> list[str]:
    """The ids of the issues that a query finds, the best first."""
    return [row[0] for row in connection.execute("SELECT issue_id FROM ims.search_issues(%s)", (query,))]


def snippet(connection: psycopg.Connection, query: str, issue_id: str) -> str:
    """What is shown of one of the issues that a query finds."""
    rows = connection.execute("SELECT issue_id, snippet FROM ims.search_issues(%s)", (query,)).fetchall()
    return str(dict(rows)[issue_id])


@on_every_server
@pytest.mark.parametrize(
    ("query", "ids"),
    [
        pytest.param("검색", {"ko-1", "ko-2", "ko-3"}, id="a Korean word, whatever particle follows"),
        pytest.param("전문검색", {"ko-2"}, id="a Korean compound"),
        pytest.param("문검", {"ko-2"}, id="in the middle of a word"),
        pytest.param(
            "\u1100\u1165\u11b7\u1109\u1162\u11a8", {"ko-1", "ko-2", "ko-3"}, id="decomposed syllables"
        ),
        pytest.param("검", {"ko-1", "ko-2", "ko-3"}, id="one syllable at the start"),
        pytest.param("색", {"ko-1", "ko-2", "ko-3"}, id="one syllable at the end, too"),
        pytest.param("값", {"ko-2"}, id="one syllable before a particle"),
        pytest.param("'시간 초과'", {"ko-2"}, id="a Korean phrase"),
        pytest.param("'초과 시간'", set(), id="a Korean phrase the other way round"),
        pytest.param("+검색 +색인", {"ko-2"}, id="two required Korean words"),
        pytest.param("+검색 -전문검색", {"ko-1", "ko-3"}, id="an excluded Korean word"),
        pytest.param("Tibero에서", {"ko-3"}, id="two scripts in one word"),
        pytest.param("tibero", {"ko-3"}, id="a word with a Korean particle"),
        pytest.param("検索", {"ja-1"}, id="a Japanese word within a compound"),
        pytest.param("全文検索機能", {"ja-1"}, id="a Japanese compound"),
        pytest.param("京", {"ja-1", "ja-2"}, id="one Chinese character"),
        pytest.param("都", {"ja-1", "ja-2"}, id="one Chinese character at the end of a word"),
        pytest.param("書き込み", {"ja-1"}, id="two scripts in a Japanese word"),
        pytest.param("き込", {"ja-1"}, id="across a change of script"),
        pytest.param("込みエラー", {"ja-1"}, id="across two changes of script"),
        pytest.param("タイムアウト", {"ja-2"}, id="katakana after characters"),
        pytest.param("接続タイムアウト", {"ja-2"}, id="characters and katakana"),
        pytest.param("アオゾラ", {"ja-2"}, id="half-width katakana in the text"),
        pytest.param("ﾀｲﾑｱｳﾄ", {"ja-2"}, id="half-width katakana in the question"),
        pytest.param("'全文検索 機能'", set(), id="a Japanese phrase that is parted differently"),
        pytest.param("连接", {"zh-1"}, id="a Chinese word"),
        pytest.param("'检查网络'", {"zh-1"}, id="a Chinese phrase"),
        pytest.param("网络然后", set(), id="not across a comma of a run"),
        pytest.param("crash", {"en-1", "en-2", "en-3"}, id="forms of an English word"),
        pytest.param("crashing", {"en-1", "en-2", "en-3"}, id="a form that nobody wrote"),
        pytest.param("'crashed'", {"en-1"}, id="a quoted word as written"),
        pytest.param("connections", {"en-1", "en-2", "id-3"}, id="a plural"),
        pytest.param("'not found'", {"en-1"}, id="a phrase with a stop word"),
        pytest.param("+not +the", {"en-1"}, id="required stop words"),
        pytest.param("'was found'", set(), id="a stop word is a word in a phrase"),
        pytest.param("don't", {"en-1"}, id="an apostrophe"),
        pytest.param("user", {"en-2", "id-3"}, id="before an apostrophe, within underscores"),
        pytest.param("CAFÉ", {"en-3"}, id="accents, whatever the case"),
        pytest.param("привет", {"en-3"}, id="Cyrillic"),
        pytest.param("ORA-01555", {"id-1"}, id="an error code"),
        pytest.param("ora-01555", {"id-1"}, id="an error code, whatever the case"),
        pytest.param("01555", {"id-1"}, id="the number of an error code"),
        pytest.param("1555", {"id-1"}, id="the number without its zeros"),
        pytest.param("ORA-1234", {"ja-2"}, id="full-width letters in the text"),
        pytest.param("ＯＲＡ－０１５５５", {"id-1"}, id="full-width letters in the question"),
        pytest.param("5213", {"id-2"}, id="a negative code without its sign"),
        pytest.param("-5213", {"id-2"}, id="a negative code is nothing excluded"),
        pytest.param("0x80070005", {"id-2"}, id="a hexadecimal code"),
        pytest.param("80070005", {"id-2"}, id="its digits"),
        pytest.param("7.2.1", {"id-2"}, id="a version"),
        pytest.param("6.0.3", {"id-2"}, id="a version after its letter"),
        pytest.param("2.7.1", set(), id="not its numbers in another order"),
        pytest.param("/var/log/app/x.log", {"id-1"}, id="a path"),
        pytest.param("x.log", {"id-1"}, id="a file of a path"),
        pytest.param("outofmemoryerror", {"id-1"}, id="a name in another case"),
        pytest.param("OutOfMemoryError", {"id-1"}, id="a name as written"),
        pytest.param("memory", {"id-1", "id-2"}, id="a part of a name"),
        pytest.param("'memory'", {"id-2"}, id="a quoted word is no part of a name"),
        pytest.param("errors", {"id-1", "id-2"}, id="a form of a part of a name"),
        pytest.param("header", {"id-3"}, id="a part after an abbreviation"),
        pytest.param("svc", {"id-1"}, id="letters before digits"),
        pytest.param("tbl_user_id", {"id-3"}, id="underscores"),
        pytest.param("'connection timeout'", {"id-3"}, id="what looks like a tag is text"),
        pytest.param("b.example", {"id-3"}, id="a part of an address"),
    ],
)
def test_it_finds(library: psycopg.Connection, query: str, ids: set[str]) -> None:
    assert set(found(library, query)) == ids


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        pytest.param("京都", "ja-1", "ja-2", id="a whole word before a part of one"),
        pytest.param("검색", "ko-1", "ko-2", id="a whole Korean word before a part of one"),
        pytest.param("memory", "id-2", "id-1", id="a word before a part of a name"),
        pytest.param("crash", "en-1", "en-2", id="the title before the description"),
        pytest.param("connection", "en-1", "id-3", id="the description before comments"),
        pytest.param("connection crash open", "en-2", "en-1", id="all terms before some"),
    ],
)
def test_the_better_comes_first(library: psycopg.Connection, query: str, better: str, worse: str) -> None:
    ids = found(library, query)
    assert ids.index(better) < ids.index(worse)


def test_of_equals_the_youngest_comes_first(database: Database) -> None:
    with database.app() as connection:
        connection.execute("SELECT ims.set_current_user(%s)", (ALICE,))
        for issue_id in ("1", "2", "3"):
            store(connection, issue_id, "같은 제목", "the same text")
        connection.execute("UPDATE ims.issues SET modified_date = '2025-01-01' WHERE issue_id = '2'")
        assert found(connection, "제목")[0] == "2"
        assert found(connection, "same")[0] == "2"


def test_attachments_count_least(database: Database) -> None:
    with database.app() as connection:
        connection.execute("SELECT ims.set_current_user(%s)", (ALICE,))
        store(connection, "1", "no", "no", "zebra")
        store(connection, "2", "no")
        connection.execute(
            "INSERT INTO ims.attachments (issue_pk, extracted_text) "
            "SELECT issue_pk, 'zebra zebra zebra' FROM ims.issues WHERE issue_id = '2'"
        )
        assert found(connection, "zebra") == ["1", "2"]


def test_no_phrase_reaches_from_one_field_into_the_next(database: Database) -> None:
    with database.app() as connection:
        connection.execute("SELECT ims.set_current_user(%s)", (ALICE,))
        store(connection, "1", "the last", "word of", "all")
        assert found(connection, "'last word'") == []
        assert found(connection, "'of all'") == []
        assert found(connection, "'the last'") == ["1"]


@pytest.mark.parametrize(
    ("query", "issue_id", "shown"),
    [
        ("검색", "ko-1", "<mark>검색</mark> 기능이 느립니다"),
        ("검색", "ko-3", "Tibero에서 <mark>검색</mark>어를 지움"),
        ("検索", "ja-1", "全文<mark>検索</mark>機能について"),
        ("接続 発生", "ja-2", "<mark>接続</mark>タイムアウトが<mark>発生</mark>"),
        ("ora-1234", "ja-2", "ｱｵｿﾞﾗの画面、<mark>ＯＲＡ－１２３４</mark>"),
        ("crash", "en-1", "it <mark>crashed</mark>, don't ask"),
        ("'not found'", "en-1", "The connection was <mark>not found</mark>"),
        ("1555", "id-1", "ORA-<mark>01555</mark> in /var/log/app/x.log"),
        ("x.log", "id-1", "ORA-01555 in /var/log/app/<mark>x.log</mark>"),
        ("timeout", "id-3", "<connection <mark>timeout</mark>> &amp; a@b.example"),
        ("*", "zh-1", "请检查网络，然后重试。"),
    ],
)
def test_the_snippet_shows_the_text_as_it_is_with_marks(
    library: psycopg.Connection, query: str, issue_id: str, shown: str
) -> None:
    assert snippet(library, query, issue_id) == shown


def test_a_phrase_is_found_beyond_the_last_place_that_a_vector_knows(database: Database) -> None:
    with database.app() as connection:
        connection.execute("SELECT ims.set_current_user(%s)", (ALICE,))
        store(connection, "1", "long", "가나다라마바사 " * 4000 + "전문검색이 안 됩니다, out of memory")
        for query in ("전문검색", "'out of memory'", "+전문검색 +memory"):
            assert found(connection, query) == ["1"], query


def test_a_word_counts_once_however_often_it_is_asked_for(library: psycopg.Connection) -> None:
    assert found(library, "crash crash crash") == found(library, "crash")


def test_what_says_nothing_finds_nothing(library: psycopg.Connection) -> None:
    assert found(library, "???") == []
    assert len(found(library, "*")) == len(TEXTS)
    assert len(found(library, " = * ")) == len(TEXTS)


ANY = st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
    | st.sampled_from("+-'\"#0가京ア aA9.\n\u0301\u1100")
    | st.sampled_from("ǁǀ\x01\\:*&|!<>()_~@/$%`")  # the index's own marks, and what a tsquery is written with
)


@pytest.fixture(scope="module")
def engine(server: Server, template: str) -> Iterator[psycopg.Connection]:
    """A connection in autocommit, for functions that read no table."""
    with fresh_database(server, template) as database, database.superuser() as connection:
        yield connection


@on_every_server
@pytest.mark.parametrize(
    "query", ["ǁǁ", "ǁ", "ǀǁǀ", "+ǁǁ -ǀǀ 'ǁ ǀ'", "ǁǁ가", "\x01:A", "'ǁǁ\x01'", "\\'", "a\x01b"]
)
def test_a_question_of_the_indexs_own_marks_never_raises(library: psycopg.Connection, query: str) -> None:
    found(library, query)


@on_every_server
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=ANY)
def test_any_question_finds_or_does_not_find(library: psycopg.Connection, query: str) -> None:
    found(library, query)


def test_a_list_of_words_is_asked_for_as_far_as_a_question_goes(library: psycopg.Connection) -> None:
    words = " ".join(f"word{number}connecting" for number in range(5000))
    began = monotonic()
    assert "en-1" in found(library, f"crashes {words}")
    assert found(library, f"{words} crashes") == []
    found(library, " ".join("abcdefghij"[n % 10] * (n % 7 + 1) + "nection" for n in range(600)))
    for filler in ("abcdefghij", "가나다라마바사아자차", "a.b-c_d e"):
        long = " ".join("'" + (str(number) + filler * 200)[:990] + "'" for number in range(99))
        assert "en-1" in found(library, f"crashes {long}")
    found(library, "x" * 1_000_000)
    found(library, "-" * 100_000 + "'" * 100_000)
    assert monotonic() - began < 5


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=ANY, body=ANY, query=ANY)
def test_any_text_has_a_vector_and_any_question_an_answer(
    engine: psycopg.Connection, title: str, body: str, query: str
) -> None:
    row = engine.execute(
        "SELECT ims.document_vector(1, %(title)s, %(body)s, %(query)s, NULL) @@ "
        "coalesce(asked, '!a'), (ims.hit_pattern(terms, phrases)).whole "
        "FROM ims.read_question(%(query)s, '')",
        {"title": title, "body": body, "query": query},
    ).fetchone()
    assert row is not None
    engine.execute("SELECT regexp_instr(%s, coalesce(%s, 'a'), 1, 1, 0, 'i')", (body, row[1]))


WORDS = st.lists(
    st.text(st.sampled_from("abcxyzABCXYZ0189"), min_size=1, max_size=8)
    | st.text(st.sampled_from("가나다검색값을"), min_size=1, max_size=6)
    | st.text(st.sampled_from("京都検索機能東"), min_size=1, max_size=6)
    | st.text(st.sampled_from("京都きのみサーバ"), min_size=1, max_size=6),
    min_size=1,
    max_size=8,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS, glue=st.sampled_from([" ", "-", ".", "_", "", "/", "、"]), data=st.data())
def test_a_texts_own_words_always_find_it(
    engine: psycopg.Connection, words: list[str], glue: str, data: st.DataObject
) -> None:
    text = glue.join(words)
    start = data.draw(st.integers(0, len(words) - 1))
    asked = words[start : data.draw(st.integers(start + 1, len(words)))]
    phrase = glue.join(asked)
    queries = [f"'{phrase}'"] + [f"+{word}" for word in asked if glue]
    if glue == "" and not all(_unspaced(word) for word in words):
        queries = [f"'{text}'"]  # a part of a word of letters is no word
    for query in queries:
        row = engine.execute(
            "SELECT ims.document_vector(1, %s, NULL, NULL, NULL) @@ ims.search_query(%s)", (text, query)
        ).fetchone()
        assert row == (True,), (text, query)


def _unspaced(word: str) -> bool:
    return all(letter >= "\u3005" for letter in word)
