"""The page's texts and words, without a page."""

from __future__ import annotations

import html
import re
import tomllib
from email.message import EmailMessage
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.pages.attached import disposition
from web.pages.entrance import _PATH
from web.shown import clean, link, linked, marked, moment, size
from web.site.index import chunk_of, terms
from web.site.paths import Paths
from web.words import LANGUAGES, wanted_language, words_of

ANY = st.text(st.characters(), max_size=80) | st.text("<>&\"'/:.ht pmark=javscrip", max_size=80)
TEMPLATES = Path(str(files("web"))) / "templates"


def unmarked(text: str) -> str:
    return html.unescape(re.sub(r"</?mark>", "", text))


@given(text=ANY)
def test_a_snippet_has_marks_and_nothing_else(text: str) -> None:
    shown = str(marked(f"{text}<mark>{text}</mark>{text}"))
    assert re.sub(r"</?mark>", "", shown).count("<") == 0
    assert shown.count("<mark>") == shown.count("</mark>") >= 1


@given(before=ANY, address=st.sampled_from(["https://a.example/b?c=1&d", "http://x.example"]), after=ANY)
def test_a_text_has_links_to_the_web_and_nothing_else(before: str, address: str, after: str) -> None:
    text = f"{before} {address} {after}"
    shown = str(linked(text))
    assert html.unescape(re.sub(r"<a [^>]*>|</a>", "", shown)) == clean(text)
    targets = re.findall(r'<a href="([^"]*)" rel="noreferrer noopener nofollow">', shown)
    assert shown.count("<") == 2 * len(targets)
    assert address in [html.unescape(target) for target in targets]
    assert all(target.startswith(("http://", "https://")) for target in targets)


@given(name=ANY)
def test_a_files_name_stays_within_its_header(name: str) -> None:
    header = disposition(name)
    assert re.fullmatch(
        r"attachment; filename=\"[A-Za-z0-9._ -]*\"; filename\*=UTF-8''[A-Za-z0-9._~%-]*", header
    )
    message = EmailMessage()
    message["Content-Disposition"] = header
    assert message.get_content_disposition() == "attachment"


@given(values=st.dictionaries(st.sampled_from(["id", "q", "tracker"]), ANY))
def test_an_address_of_ours_says_what_it_was_made_of(values: dict[str, str]) -> None:
    told = parse_qs(urlsplit(link("/issue", values)).query, keep_blank_values=True)
    wanted = {name: [value.encode("utf-8", "replace").decode()] for name, value in values.items() if value}
    assert told == wanted


@given(target=st.text(st.characters(max_codepoint=0x2FF), max_size=20).map(lambda text: "/" + text))
def test_a_way_back_stays_on_this_host(target: str) -> None:
    if _PATH.fullmatch(target):
        for odd in ("//", "/\\"):
            assert not target.startswith(odd)
        assert urlsplit(target).netloc == ""
        assert target.isascii()


@given(
    accepted=st.text(st.characters(codec="ascii"), max_size=60) | st.from_regex(r"([a-z]{2}(;q=0\.\d)?,?){4}")
)
def test_whatever_a_browser_accepts_there_is_a_language(accepted: str) -> None:
    assert wanted_language(None, None, accepted) in LANGUAGES
    assert wanted_language("ko", "ja", accepted) == "ko"
    assert wanted_language("xx", "ja", accepted) == "ja"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ko", "ko"),
        ("de-DE,de;q=0.9", "en"),
        ("en;q=0.5, ja;q=0.8", "ja"),
        ("JA-jp", "ja"),
        ("ko;q=0, ja;q=0.1", "ja"),
        ("fr, ko-KR;q=0.7, en;q=0.7", "ko"),
    ],
)
def test_the_first_of_our_languages_wins(accepted: str, language: str) -> None:
    assert wanted_language(None, None, accepted) == language


def test_every_word_is_there_in_every_language_with_the_same_gaps() -> None:
    words = tomllib.loads((TEMPLATES.parent / "words.toml").read_text("utf-8"))
    assert set(words) == set(LANGUAGES)
    for name, english in words["en"].items():
        for language in LANGUAGES:
            told = words[language][name]
            assert told.strip(), (language, name)
            assert sorted(re.findall(r"{\w+}", told)) == sorted(re.findall(r"{\w+}", english)), (
                language,
                name,
            )


def test_every_word_is_used_and_every_used_word_is_there() -> None:
    used = "".join(path.read_text("utf-8") for path in sorted(TEMPLATES.glob("*.html")))
    asked = set(re.findall(r"words\.(\w+)", used)) - {"get"}
    assert asked <= set(words_of("en"))


def test_templates_make_nothing_safe_by_hand_and_have_nothing_inline() -> None:
    for path in TEMPLATES.glob("*.html"):
        text = path.read_text("utf-8")
        assert re.search(r"\|\s*safe|autoescape|<style|style=|\son\w+=|<script(?! src=)", text) is None, (
            path.name
        )
        assert all(
            'name="form_key"' in form for form in re.findall(r'<form[^>]*"post".*?</form>', text, re.S)
        )


@pytest.mark.parametrize(("value", "told"), [(None, ""), (0, "0 B"), (999, "999 B"), (1500, "1.5 KB")])
def test_sizes_are_read_at_a_glance(value: int | None, told: str) -> None:
    assert size(value) == told
    assert moment(None) == ""


@given(text=ANY, more=ANY)
def test_words_are_found_in_whatever_they_stand(text: str, more: str) -> None:
    assert set(terms(text)) <= set(terms(f"{text} {more}"))
    for term in terms(text):
        assert re.fullmatch(r"[^/\\:*?\"<>|.\x00-\x1f]+", chunk_of(term))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ORA-01555: Snapshot", ["ora", "01555", "snapshot"]),
        ("접속 오류가", ["접속", "오류", "류가"]),
        ("接続エラー", ["接続", "続エ", "エラ", "ラー"]),
        ("ＴＭＡＸ社", ["tmax", "社"]),
    ],
)
def test_words_of_an_archive(text: str, words: list[str]) -> None:
    assert list(terms(text)) == words


@given(
    issues=st.lists(
        st.tuples(
            st.none() | ANY | ANY.map(lambda path: f"https://t.example/{path}".replace(" ", "%20")),
            st.none() | ANY,
            st.text(min_size=1, max_size=300),
        ),
        max_size=12,
    )
)
def test_every_page_has_a_place_of_its_own_within_the_archive(
    issues: list[tuple[str | None, str | None, str]],
) -> None:
    paths = Paths()
    places = [paths.place(url, tracker, number) for url, tracker, number in issues]
    assert len({place.casefold() for place in places}) == len(places)
    for place in places:
        parts = place.split("/")
        assert place.endswith(".html")
        assert all(part and part not in (".", "..") and len(part.encode()) <= 255 for part in parts)
        assert not any(part.endswith(".html") for part in parts[:-1])
