"""What is written otherwise than it is asked for is found, after what is written as asked."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.query import matches, parse_direct
from crawler.query.variants import variant_key
from tests.database.search.test_languages import found, store
from tests.fixtures.database import Server, on_every_server
from tests.fixtures.schema import ALICE, fresh_database

pytestmark = pytest.mark.xdist_group("search")

CASES = {
    f"{kind}: {question}": (kind, question, *texts)
    for kind, questions in tomllib.loads(
        (Path(__file__).parent / "relevance" / "variants.toml").read_text("utf-8")
    ).items()
    for question, texts in questions.items()
}
_RANDOM = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def shelf(server: Server, template: str) -> Iterator[psycopg.Connection]:
    """All cases' texts; what is written otherwise is the younger one, which a tie would put first."""
    with fresh_database(server, template) as database, database.app() as connection:
        connection.execute("SELECT ims.set_current_user(%s)", (ALICE,))
        for name, (_, _, exact, variant) in CASES.items():
            store(connection, f"{name}/exact", "", exact)
            store(connection, f"{name}/variant", "", variant)
        yield connection


@on_every_server
@pytest.mark.parametrize("name", CASES)
def test_a_variant_is_found_after_the_exact_form(shelf: psycopg.Connection, name: str) -> None:
    ids = found(shelf, CASES[name][1])
    assert ids[:2] == [f"{name}/exact", f"{name}/variant"]
    assert all(one.startswith(name) for one in ids), "somebody else's"


@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if case[0] not in ("hashes", "fronts")]
)
def test_what_is_matched_here_is_what_is_found_there(name: str) -> None:
    _, question, exact, variant = CASES[name]
    tree = parse_direct(question)
    assert matches(tree, [exact], "1")
    assert matches(tree, [variant], "1")


# Vowels within a loanword, letters that are two elsewhere, and a hash of which the beginning is written.
UNMARKED = (
    "インタフェース",
    "フェイルオーバー",
    "ウィンドウ",
    "ヴァリデーション",
    "Strasse",
    "9be01ca47f33d2815e6a90c4b7d1f28833aa5577",
)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[1] not in UNMARKED])
def test_each_snippet_has_a_mark(shelf: psycopg.Connection, name: str) -> None:
    rows = shelf.execute("SELECT issue_id, snippet FROM ims.search_issues(%s)", (CASES[name][1],)).fetchall()
    assert all("<mark>" in one for _, one in rows)


@on_every_server
@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("엔진고장", "엔진. 부품 고장"),
        ("ORA-0155", "ORA-00155"),
        ("エラー", "エラスティック"),
        ("'전문검색'", "전문 검색"),
        ("サーバー", "さばを読む"),
        ("timeout", "time out"),
        ("a7f3c2d", "a7f3c2e0000000000000000000000000000000"),
        ("JEUS-12", "JEUS-21"),
    ],
)
def test_what_is_another_word_is_not_found(engine: psycopg.Connection, question: str, text: str) -> None:
    assert not is_found(engine, question, text)


@pytest.fixture(scope="module")
def engine(server: Server, template: str) -> Iterator[psycopg.Connection]:
    """A connection in autocommit, for functions that read no table."""
    with fresh_database(server, template) as database, database.superuser() as connection:
        yield connection


def is_found(engine: psycopg.Connection, question: str, text: str) -> bool:
    row = engine.execute(
        "SELECT ims.document_vector(1, %s, NULL, NULL, NULL) @@ ims.search_query(%s)", (text, question)
    ).fetchone()
    assert row is not None
    return bool(row[0])


ANY = st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs", "Cn"])
    | st.characters(min_codepoint=0xC0, max_codepoint=0x52F, exclude_categories=["Cn"])
    | st.characters(min_codepoint=0x3041, max_codepoint=0x30FF, exclude_categories=["Cn"])
    | st.sampled_from(
        "aAé\u0301\u0308가각\u1100\u1161\u11a8サーバーﾊﾞｰえヴァ\u200b\u00ad\u3164ßđøłħıŧæœёй 12-_京ǂǁ"
    ),
    max_size=60,
)


@on_every_server
@_RANDOM
@given(text=ANY)
def test_both_sides_have_one_rule_for_any_unicode(engine: psycopg.Connection, text: str) -> None:
    row = engine.execute("SELECT ims.variant_key(%s)", (text,)).fetchone()
    assert row == (variant_key(text),)


@on_every_server
def test_both_sides_have_one_rule_for_each_letter(engine: psycopg.Connection) -> None:
    letters = [*range(0xC0, 0x530), *range(0x1E00, 0x2000), *range(0x3041, 0x3100)]
    known = [f"え{chr(one)}い" for one in letters if unicodedata.category(chr(one)) != "Cn"]
    rows = engine.execute("SELECT ims.variant_key(word) FROM unnest(%s::text[]) AS word", (known,))
    assert [row[0] for row in rows] == list(map(variant_key, known))


@on_every_server
@_RANDOM
@given(text=ANY)
def test_the_forms_of_unicode_are_one_text(engine: psycopg.Connection, text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    vectors = {
        engine.execute("SELECT ims.document_vector(1, %s, NULL, NULL, NULL)::text", (one,)).fetchone()
        for one in (text, *forms)
    }
    assert len(vectors) == 1


WORD = st.text(st.sampled_from("abcdez"), min_size=3, max_size=8)
DIGITS = st.text(st.sampled_from("0123456789"), min_size=1, max_size=6)
HANGUL = st.text(st.sampled_from("전문검색오류값"), min_size=3, max_size=8)
KATAKANA = st.text(st.sampled_from("アサバタルンドフエ"), min_size=3, max_size=6)
INVISIBLE = st.sampled_from("\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u2060\ufe0f\ufeff")
PAIRS = st.one_of(  # how it is asked for, how it is written
    st.builds(lambda a, b, i: (a + b, a + i + b), WORD, WORD, INVISIBLE),
    st.builds(lambda a, b, i: (a + i + b, a + b), WORD, WORD, INVISIBLE),
    st.builds(lambda a, b, i: (a + b, a + i + b), HANGUL, HANGUL, INVISIBLE),
    st.builds(lambda a, b, i: (a + b, a + i + b), KATAKANA, KATAKANA, INVISIBLE),
    st.builds(
        lambda a, b, one, two: (a + one + b, a + two + b),
        WORD,
        DIGITS,
        *[st.sampled_from(["", "-", " "])] * 2,
    ),
    st.builds(lambda a, b: (a + b, f"{a}-{b}"), WORD, WORD),
    st.builds(lambda a, b: (f"{a}-{b}", a + b), WORD, WORD),
    st.builds(lambda a, b: (a + b, f"{a} {b}"), HANGUL, HANGUL),
    st.builds(lambda a: (a + "ー", a), KATAKANA),
    st.builds(lambda a: (a, a + "ー"), KATAKANA),
    st.builds(lambda a: ("".join(chr(ord(one) - 96) for one in a), a), KATAKANA),
    st.builds(lambda a: (a, "".join(chr(ord(one) - 96) for one in a)), KATAKANA),
    st.builds(lambda a: (a, unicodedata.normalize("NFKD", a)), KATAKANA),
    st.builds(lambda a: (a.replace("e", "é"), a), WORD),
    st.builds(lambda a: (a, a.replace("e", "é").replace("c", "ç")), WORD),
)


@on_every_server
@_RANDOM
@given(pair=PAIRS, before=ANY, after=ANY)
def test_a_text_is_found_by_itself_and_by_each_variant_on_both_sides(
    engine: psycopg.Connection, pair: tuple[str, str], before: str, after: str
) -> None:
    question, written = pair
    text = f"{before} {written} {after}"
    for asked in (question, written):
        assert is_found(engine, asked, text), (asked, text)
        assert matches(parse_direct(asked), [text], "x"), (asked, text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a\u200b" * 120_000, id="something invisible after each letter"),
        pytest.param("\u200b" * 250_000, id="nothing but invisible"),
        pytest.param("가\u00ad" * 120_000, id="in a Korean word"),
        pytest.param("e\u0301" * 120_000, id="accents"),
        pytest.param("e" + "\u0301\u0316" * 120_000, id="a heap of marks"),
        pytest.param("a-" * 120_000, id="hyphens"),
        pytest.param("ab1" * 80_000, id="letters and digits"),
        pytest.param("サー" * 120_000, id="long vowels"),
        pytest.param("é " * 120_000, id="many accented words"),
        pytest.param("\u1100\u1161\u11a8" * 80_000, id="decomposed syllables"),
    ],
)
def test_a_hostile_text_costs_little(engine: psycopg.Connection, text: str) -> None:
    began = monotonic()
    engine.execute("SELECT ims.document_vector(1, NULL, %s, NULL, NULL)", (text,))
    for asked in (text, text[:900]):
        engine.execute("SELECT ims.hit_pattern(terms, phrases) FROM ims.read_question(%s, '')", (asked,))
    assert monotonic() - began < 10
