"""What issues are about more than before, in English, Korean and Japanese."""

from __future__ import annotations

import pytest

from tests.fixtures.analytics import Desk
from tests.fixtures.schema import ALICE, ANA, BOB

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
def test_title_terms(desk: Desk, title: str, terms: set[str]) -> None:
    ((found,),) = desk.ask("SELECT ims.title_terms(%s)", title)
    assert len(found) == len(set(found))
    assert set(found) == terms


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
