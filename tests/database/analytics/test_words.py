"""What issues are about more than before, in English, Korean and Japanese."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.analytics import Desk
from tests.fixtures.schema import ALICE, ANA, BOB

LATIN = "a-z0-9\u00c0-\u02af\u0370-\u0df7"
WORD = re.compile(rf"[{LATIN}]+(?:[-_.'][{LATIN}]+)*|[가-힣]+|[ァ-ヺー]+|[一-鿿㐀-䶿々]+")
TRENDS = "SELECT * FROM ims.keyword_trends('2026-01-08', '2026-01-15', %s)"


@pytest.mark.parametrize(
    ("title", "terms"),
    [
        ("The listener can't be started on AIX", {"listener", "started", "aix"}),
        (
            "ORA-00600, ORA-00600 and JDBC-12003 in out-of-memory",
            {"ora-00600", "jdbc-12003", "out-of-memory"},
        ),
        ("Version 6 of 12.5: a 100 % CPU", {"version", "cpu"}),
        ("리스너가 응답 없음", {"리스너가", "응답", "없음"}),
        ("データベースの接続タイムアウトが発生する", {"データベース", "接続", "タイムアウト", "発生"}),
        ("ＪＥＵＳ ｻｰﾊﾞｰ再起動", {"jeus", "サーバー", "再起動"}),
        ("Ошибка größer", {"ошибка", "größer"}),
        ("... 1 2 3 -- a", set()),
        ("", set()),
    ],
)
def test_title_words(desk: Desk, title: str, terms: set[str]) -> None:
    assert {word for (word,) in desk.ask("SELECT ims.title_words(%s)", title)} == terms


@given(
    title=st.lists(
        st.sampled_from(
            [*"aZ9é-_.' \t!ÀД오류ァーあ漢々𠮷", "ab", "-x", "가나", "ﾊﾞ", "Ｊ", " -", ", ", "\u3000"]
        ),
        max_size=12,
    ).map("".join)
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_words_of_a_title_are_those_of_their_pattern(desk: Desk, title: str) -> None:
    """What parts words and what they are made of are two descriptions of one thing."""
    plain = unicodedata.normalize("NFKC", title).lower()
    words = [word for word in WORD.findall(plain) if len(word) > 1 and word.strip("0123456789._-")]
    found = [word for (word,) in desk.ask("SELECT ims.title_words(%s)", title)]
    assert found == words


def test_keyword_trends(desk: Desk) -> None:
    for number, (day, title) in enumerate(
        [
            ("2025-12-31", "crash"),  # too early
            ("2026-01-01", "crash of the listener"),
            ("2026-01-07", "crash"),
            ("2026-01-08", "Crash, crash: CRASH"),  # once
            ("2026-01-09", "timeout of the listener"),
            ("2026-01-14", "timeout"),
            ("2026-01-15", "timeout"),  # too late
        ]
    ):
        desk.issue(str(number), title=title, registered_date=day)
    desk.issue("1", title="timeout", registered_date="2026-01-09", user_id=BOB)
    assert desk.ask(TRENDS, 20) == [("timeout", 2, 0, 2), ("listener", 1, 1, 0), ("crash", 1, 2, -1)]
    assert desk.ask(TRENDS, 1) == [("timeout", 2, 0, 2)]
    assert desk.ask(TRENDS, 0) == []
    assert desk.ask(TRENDS, 1, user_id=BOB) == [("timeout", 1, 0, 1)]
    assert desk.ask(TRENDS, 1, user_id=ANA) == [("timeout", 3, 0, 3)]


def test_words_of_korean_and_japanese_titles_come_without_particles(desk: Desk) -> None:
    titles = [
        "타임아웃이 발생",
        "타임아웃을 수정",
        "접속 타임아웃",
        "서버에서 로그를 출력",
        "수행결과 오류",  # no particle: nobody writes 수행결
        "データベースに接続できない",
        "データベースが停止",
    ]
    for number, title in enumerate(titles):
        desk.issue(str(number), title=title, registered_date="2026-01-10")
    terms = {row[0]: row[1] for row in desk.ask(TRENDS, 100)}
    assert terms == {
        **{
            "타임아웃": 3,
            "발생": 1,
            "수정": 1,
            "접속": 1,
            "서버": 1,
            "로그": 1,
            "출력": 1,
            "수행결과": 1,
            "오류": 1,
        },
        **{"データベース": 2, "接続": 1, "停止": 1},
    }


def test_without_particle(desk: Desk) -> None:
    words = {
        "서버에서": "서버",
        "로그를": "로그",
        "회의": "회의",
        "결과": "결과",
        "타임아웃이": "타임아웃",
        "log": "log",
    }
    rows = desk.ask("SELECT word, ims.without_particle(word) FROM unnest(%s::text[]) AS word", list(words))
    assert dict(rows) == words
    assert desk.ask("SELECT ims.without_particle(NULL)", user_id=ALICE) == [(None,)]


def file(
    desk: Desk, issue_pk: int, digest: str, *codes: str, kind: str = "log", user_id: int = ALICE
) -> None:
    """Attach a file that was read."""
    desk.write(
        "INSERT INTO ims.attachments (issue_pk, source_key, filename, sha256, downloaded) "
        "VALUES (%s, %s, %s, %s, true)",
        *(issue_pk, digest, f"{digest}.log", digest),
        user_id=user_id,
    )
    desk.write(
        "INSERT INTO ims.file_texts (sha256, kind, codes) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        *(digest, kind, list(codes)),
        user_id=user_id,
    )


def test_error_codes(desk: Desk) -> None:
    first = desk.issue("1", title="slow", product="Tibero 7", registered_date="2026-01-09 23:00Z")
    second = desk.issue("2", title="slower", product="JEUS", registered_date="2026-01-12 00:00Z")
    third = desk.issue("3", title="gone", registered_date="2026-01-12", removed_at="2026-01-13")
    theirs = desk.issue("9", title="bob's", registered_date="2026-01-12", user_id=BOB)
    file(desk, first, "aa", "ORA-01555", "JEUS-1234")
    file(desk, first, "bb", "ORA-01555")  # once an issue
    file(desk, second, "aa", "ORA-01555", "JEUS-1234")
    file(desk, third, "aa")
    file(desk, theirs, "aa", "ORA-99999", user_id=BOB)
    asked = "SELECT week::text, code, issues FROM ims.error_codes('2026-01-01Z', '2026-02-01Z'{})"
    weeks = [
        ("2026-01-12", "JEUS-1234", 1),
        ("2026-01-12", "ORA-01555", 1),
        ("2026-01-05", "JEUS-1234", 1),
        ("2026-01-05", "ORA-01555", 1),
    ]
    assert desk.ask(asked.format("")) == weeks
    assert desk.ask(asked.format(""), timezone="Asia/Seoul") == weeks
    assert desk.ask(asked.format(", product => 'tibero'")) == weeks[2:]
    assert desk.ask(asked.format(", top => 1")) == [weeks[0], weeks[2]]
    assert [row[1] for row in desk.ask(asked.format(""), user_id=BOB)] == ["ORA-99999"]


def test_keyword_trends_count_codes_in_files(desk: Desk) -> None:
    named = desk.issue("1", title="Slow since ORA-01555", registered_date="2026-01-10")
    silent = desk.issue("2", title="Slow", registered_date="2026-01-11")
    before = desk.issue("3", title="Slow", registered_date="2026-01-05")
    for issue in (named, silent, before):
        file(desk, issue, "aa", "ORA-01555")
    assert ("ora-01555", 2, 1, 1) in desk.ask(TRENDS, 100)


def test_v_issue_files(desk: Desk) -> None:
    issue = desk.issue("1", title="slow")
    file(desk, issue, "aa", "ORA-01555", kind="zip")
    desk.write(
        "INSERT INTO ims.attachments (issue_pk, filename, download_error) VALUES (%s, 'x.bin', 'too large')",
        issue,
    )
    asked = "SELECT filename, kind, codes, error FROM ims.v_issue_files ORDER BY filename"
    assert desk.ask(asked) == [("aa.log", "zip", ["ORA-01555"], None), ("x.bin", None, [], "too large")]
    assert desk.ask(asked, user_id=BOB) == []
    desk.write("UPDATE ims.attachments SET removed_at = now() WHERE filename = 'x.bin'")
    assert [row[0] for row in desk.ask(asked)] == ["aa.log"]
    desk.write("UPDATE ims.issues SET removed_at = now()")
    assert desk.ask(asked) == []
