"""Markdown as plain text: what a reader sees, nothing lost, in bounded time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.markup.markdown import LONGEST, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("only words\r\non two lines", "only words\non two lines"),
        ("a **bold** and *thin* `x < y` ~~gone~~", "a bold and thin x < y gone"),
        ("one\n*two*", "one\ntwo"),
        ("# Head\n\ntext", "Head\ntext"),
        ("[words](https://a.example/x)", "words <https://a.example/x>"),
        ("<https://a.example/x> ends", "https://a.example/x ends"),
        ("![shot](https://a.example/s.png)", "[shot https://a.example/s.png]"),
        ('<img width="9" alt="shot" src="https://a.example/s.png">', "[shot https://a.example/s.png]"),
        ("1. one\n2. two", "1. one\n2. two"),
        ("> said *so*\n\nanswer", "> said so\nanswer"),
        ("```c\nif (a < b) {\n    *p = 0;\n}\n```", "if (a < b) {\n    *p = 0;\n}"),
        ("| a | b |\n|---|---|\n| 1 | *2* |", "a\tb\n1\t2"),
        ("a List<String> of *T*", "a List<String> of T"),
        ("<Foo>\nbar", "<Foo> bar"),
        ("a<br>b <!-- hidden -->", "a\nb"),
        ("<!-- nothing else -->", "<!-- nothing else -->"),
        ("&lt;b&gt; &amp; *x*", "<b> & x"),
        ("snake_case_name of `__init__.py`", "snake_case_name of __init__.py"),
        (r"\*as it is\*", "*as it is*"),
        ("<script>alert(1)</script>\n\n*words*", "words"),
    ],
)
def test_what_a_reader_sees_is_kept(text: str, shown: str) -> None:
    assert plain(text) == shown


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="a *_-+#>`~|1.\n\r코", max_size=150))
def test_marks_take_no_letter_with_them(text: str) -> None:
    shown = plain(text)
    # The word behind the fence of a block of code names its language and is not shown.
    if "```" not in text and "~~~" not in text:
        assert [shown.count(letter) for letter in "a코"] == [text.count(letter) for letter in "a코"]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_gives_a_text_and_none_becomes_empty(text: str) -> None:
    shown = plain(text)
    assert "\r" not in shown
    assert bool(shown.strip()) or not text.replace("\x00", "").strip()


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "![",
        "[a](",
        "*a ",
        "**a",
        "`a",
        "<",
        "<!--",
        "<a ",
        ">",
        "> ",
        "|",
        "&",
        "_a",
        "~~a ",
        "]",
        "\\",
        "[a]: /x\n",
        "- ",
        "1. ",
        "# a\n",
        "<div>\n",
        "\t",
        "*a[`<_~&",
        "|a|b\n|-|-\n|\n",
        "[[[[[[[[[[[[[[[[\n",
        "[[[[[[[[[[[[\n\n",
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    text = piece * (65_536 // len(piece))
    begun = time.process_time()
    plain(text)
    assert time.process_time() - begun < 3


def test_a_text_that_is_too_long_is_left_as_it_is() -> None:
    text = "*a* " * (LONGEST // 3)
    assert plain(text) == text
