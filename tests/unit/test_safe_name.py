"""Real names of files, made safe for a folder on any system."""

from __future__ import annotations

import os
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.attachments.safe_name import MOST_BYTES, cut, free_name, safe_name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("server.log", "server.log"),
        ("снимок1.png", "снимок1.png"),
        ("스크린샷 (1).png", "스크린샷 (1).png"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\Windows\\a.ini", "C__Windows_a.ini"),
        ("..", "?"),
        (".", "?"),
        ("", "?"),
        ("/", "?"),
        ("\0", "?"),
        (".bashrc", "bashrc"),
        ("a\0b\x1b[31m.txt", "ab[31m.txt"),
        ("ref\u202egpj.exe", "refgpj.exe"),
        ("\u200b\u2066a\u2069.txt", "a.txt"),
        ("tab\tname\r\n.txt", "tab name .txt"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("COM¹.log", "_COM¹.log"),
        ("nul .tar.gz", "_nul .tar.gz"),
        ("console.log", "console.log"),
        ("-rf", "_-rf"),
        ("a. . .", "a"),
        ('what?*<>|".txt', "what______.txt"),
        ("\ud800.txt", "\ufffd.txt"),
        ("e\u0301.txt", "é.txt"),
        ("＿．．／a", "＿．．／a"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name, "?") == safe


@pytest.mark.parametrize("letter", ["a", "é", "가", "😀", "e\u0301\u0302"])
@pytest.mark.parametrize("ending", ["", ".tar.gz", ".log", "." + "x" * 60])
def test_long_names_are_cut_at_characters_before_their_ending(letter: str, ending: str) -> None:
    name = safe_name(letter * 300 + ending, "?")
    assert len(name.encode()) <= MOST_BYTES
    assert len(name.encode()) > MOST_BYTES - 12
    if len(ending) < 20:
        composed = unicodedata.normalize("NFC", letter)
        assert name == composed * ((len(name) - len(ending)) // len(composed)) + ending


def test_a_name_that_is_taken_gets_a_number() -> None:
    taken = {"a.tar.gz", "a (2).tar.gz", "b"}
    assert free_name("a.tar.gz", taken.__contains__) == "a (3).tar.gz"
    assert free_name("b", taken.__contains__) == "b (2)"
    assert free_name("c", taken.__contains__) == "c"
    long = safe_name("가" * 200 + ".log", "?")
    other = free_name(long, {long}.__contains__)
    assert other.endswith(" (2).log")
    assert len(other.encode()) <= MOST_BYTES


ODD = "./\\ -~aA\0\u202e\u0301é가😀CON1"
NAMES = st.text() | st.text(st.sampled_from(ODD)) | st.binary().map(os.fsdecode)


@given(NAMES)
def test_whatever_the_name_a_file_of_it_is_in_the_folder_and_seen(name: str) -> None:
    safe = safe_name(name, "attachment 1")
    assert safe == cut(safe)
    assert not safe.startswith((".", "-", " "))
    assert not safe.endswith((".", " "))
    assert safe.isprintable()
    assert safe_name(safe, "?") == safe
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, safe)
        path.write_bytes(b"")
        assert [each.name for each in Path(folder).iterdir()] == [safe]


@given(st.lists(NAMES, max_size=8))
def test_no_two_files_get_one_name(names: list[str]) -> None:
    taken: set[str] = set()
    for name in names:
        free = free_name(safe_name(name, "x"), lambda each: each.casefold() in taken)
        assert free.casefold() not in taken
        assert len(free.encode()) <= MOST_BYTES
        taken.add(free.casefold())
