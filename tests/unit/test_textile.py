"""Textile becomes what a reader of the tracker's page sees."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.markup.textile import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("h2. Steps\r\n\r\nplain", "Steps\n\nplain"),
        ("h3(note#id). Steps", "Steps"),
        ("p{color:red}=. centred", "centred"),
        ("bq. said", "> said"),
        ("a *bold*, _slanted_, +new+, -old-, ^up^ ~down~ ??cited?? and *_both_*.", None),
        ("%{color:red}red% and 5% of 6%", "red and 5% of 6%"),
        ("run @ls *_a_*@ now", "run ls *_a_* now"),
        ("* one\n** two\n* three", "* one\n  * two\n* three"),
        ("# one\n# two\n## inner\n# three\n\n# again", "1. one\n2. two\n  1. inner\n3. three\n\n1. again"),
        ("|_. A |_. B |\n|\\2. both |\n| *x* | y |", "A\tB\nboth\nx\ty"),
        ('see "the *page*":http://a.example/x_y_z, or', "see the *page* (http://a.example/x_y_z), or"),
        ('"t(title)":/issues/1 "http://a/b":http://a/b', "t (/issues/1) http://a/b"),
        ("http://a.example/_b_/*c*", "http://a.example/_b_/*c*"),
        (
            "!>shot.png(what it shows)! !a.jpg!:http://b.example/c",
            "[what it shows shot.png] [a.jpg] (http://b.example/c)",
        ),
        ("[[Start|the start]] and [[Other page]]", "the start and Other page"),
        ("{{toc}}\ntext\n{{thumbnail(a.png, size=300)}}", "text\n[a.png]"),
        ("{{collapse(More)\ninside\n}}", "More\ninside\n"),
        ("<pre>\n h1. *kept* \n</pre>\nafter", " h1. *kept* \nafter"),
        ('<pre><code class="sql">\nSELECT * FROM t_a_b;\n</code></pre>', "SELECT * FROM t_a_b;"),
        ("<pre>\nno end", "no end"),
        # What only looks like marks stays.
        ("snake_case_name 2*3*4 a - b - c -5213 ORA-01555 x^2 C++ and C++", None),
        ("kim@example.com lee@example.com", None),
        ('<b>not HTML</b> 1 < 2 && "quoted" !important! #12', None),
        ("* \n*\n**", None),
    ],
)
def test_a_text_reads_as_on_the_page(text: str, shown: str | None) -> None:
    if shown is None and "bold" in text:
        shown = "a bold, slanted, new, old, up down cited and both."
    assert plain(text) == (text if shown is None else shown).strip("\n")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='ab *_-+@"!:|#<>[]{}()%^~.hp/2\n\r\x00코', max_size=200))
def test_any_text_gives_a_text(text: str) -> None:
    shown = plain(text)
    assert "\x00" not in shown
    assert "\r" not in shown
    assert shown.count("코") <= text.count("코")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="a *_-+@^~?|#.:/2\n\r\x00코", max_size=200))
def test_marks_without_words_of_their_own_take_no_letter_with_them(text: str) -> None:
    shown = plain(text)
    assert [shown.count(letter) for letter in "a코"] == [text.count(letter) for letter in "a코"]


@pytest.mark.parametrize(
    "piece",
    [
        "*",
        '"',
        "<pre>",
        "_a ",
        "|",
        "@",
        "@a",
        "!a.",
        "*a",
        "{{collapse(",
        "h1(",
        "[[",
        "%{",
        '"a":',
        "http://",
        "(" * 9,
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    begun = time.process_time()
    plain(text)
    assert time.process_time() - begun < 2
