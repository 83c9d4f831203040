"""Jira's wiki markup, as a person reads it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.markup.wiki import plain


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("h1. Title", "Title"),
        ("bq. said", "said"),
        ("*bold* _it_ -gone- +new+ ^up^ ~down~ ??who?? {{code}}", "bold it gone new up down who code"),
        ("{*}part{*}ly and {color:#ff0000}red{color}", "partly and red"),
        ("a*b*c snake_case_name x - y - z 2 * 3 * 4", "a*b*c snake_case_name x - y - z 2 * 3 * 4"),
        ("[Here|https://x.example.com/_a_*b*]", "Here (https://x.example.com/_a_*b*)"),
        ("[https://x.example.com]", "https://x.example.com"),
        ("[mailto:kim@example.com] [~kim] [~accountid:5ecf]", "kim@example.com @kim @5ecf"),
        ("[^log.txt] [#top]", "log.txt top"),
        ("array[0] and [x]", "array[0] and [x]"),
        ("https://x.example.com/a_b_c*d*", "https://x.example.com/a_b_c*d*"),
        ("!shot.png|width=300! and wow! yes!", "shot.png and wow! yes!"),
        ("* one\n** two\n* three", "- one\n  - two\n- three"),
        ("# a\n# b\n## c\n# d\n\ntext\n# e", "1. a\n2. b\n  1. c\n3. d\n\ntext\n1. e"),
        ("||A||B||\n|1|[x|https://y.example.com]|", "A\tB\n1\tx (https://y.example.com)"),
        ("before\n{code:java|title=x}\nint *a*;\n{code}\nafter *b*", "before\nint *a*;\nafter b"),
        ("{noformat}*a*{noformat}", "*a*"),
        ("{code}never *closed*", "{code}never closed"),
        ("{quote}words{quote}\n{panel:title=T}in{panel}", "words\nin"),
        ("one\\\\ two \\*no\\* \\[x]", "one\n two *no* [x]"),
        ("above\n----\nbelow", "above\n\nbelow"),
        ("한국어 *굵게* 와 _기울임_", "한국어 굵게 와 기울임"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("", ""),
    ],
)
def test_markup_is_read(written: str, read: str) -> None:
    assert plain(written) == read


@given(st.text(alphabet="abc 가.,:;\n", max_size=200))
def test_words_without_marks_stay_as_they_are(text: str) -> None:
    assert plain(text) == text.strip()


MARKS = st.lists(
    st.sampled_from(
        [*"*_-+^~[]|!#\\\n\ue000\x00\ud800 Q", "??", "{{", "}}", "||", "h1. ", "bq. ", "{code}", "{noformat}"]
    )
    | st.sampled_from(["{quote}", "{color:red}", "https://x/", "----", "[~", "{*}"]),
    max_size=60,
).map("".join)


@given(MARKS)
def test_no_letter_is_lost_whatever_the_marks(text: str) -> None:
    read = plain(text)
    if "|" not in text:  # behind it, an image and a link have what nobody sees
        assert read.count("Q") == text.count("Q")
    assert len(read) <= 60 * len(text) + 10


@pytest.mark.parametrize(
    "piece",
    [
        "*a ",
        "[",
        "{code}",
        "_a*b+c-",
        "!a",
        "{{",
        "|[a|b",
        "??a",
        "{color",
        " ",
        "h1.",
        "*",
        "\\",
        "{*}a",
        "# ",
    ],
)
def test_the_time_grows_with_the_length(piece: str) -> None:
    def seconds(times: int) -> float:
        text = piece * times + "x"
        begun = time.process_time()
        plain(text)
        return time.process_time() - begun

    seconds(100)
    assert seconds(20_000) < 3
