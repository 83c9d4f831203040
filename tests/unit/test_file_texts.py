"""Texts of files on their way into the database."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from db.crawl.file_texts import Part, split
from pipeline.attachments.texts import error_codes

LINES = st.lists(st.text(st.sampled_from("ab 가\t"), max_size=40), min_size=1, max_size=60)


@given(lines=LINES, longest=st.integers(1, 100), first=st.integers(1, 10**9), gaps=st.booleans())
def test_a_part_that_is_cut_loses_nothing_and_keeps_its_line_numbers(
    lines: list[str], longest: int, first: int, gaps: bool
) -> None:
    numbers = [first + 3 * place for place in range(len(lines))] if gaps else None
    whole = Part(member="a.log", first_line=first, line_numbers=numbers, content="\n".join(lines))
    pieces = split(whole, longest)
    assert all(piece.member == "a.log" and len(piece.content) <= longest for piece in pieces)
    told: dict[int, str] = {}
    for piece in pieces:
        of_piece = piece.content.split("\n")
        for place, line in enumerate(of_piece):
            number = piece.first_line + place if numbers is None else piece.line_numbers[place]  # type: ignore[index]
            told[number] = told.get(number, "") + line
    expected = numbers or range(first, first + len(lines))
    assert told == dict(zip(expected, lines, strict=True))


def test_what_fits_is_left_alone() -> None:
    part = Part(member="", first_line=7, line_numbers=None, content="one\ntwo")
    assert split(part, 100) == [part]


def test_codes_of_errors_are_those_that_people_ask_for() -> None:
    log = (
        "ORA-01555 again ORA-01555, JEUS-1234; rc=0x80070005\n"
        "Caused by: java.lang.NullPointerException at x\nValueError: no\nconnect: ECONNREFUSED\n"
        "UTF-8 SHA-256 ISO-8859 CVE-2024 2026-01-05 PreERROR"
    )
    assert error_codes([log]) == [
        "ORA-01555",
        "JEUS-1234",
        "0x80070005",
        "NullPointerException",
        "ValueError",
        "ECONNREFUSED",
    ]


@given(st.text(max_size=300))
def test_whatever_a_text_is_its_codes_are_few_and_stand_in_it(text: str) -> None:
    codes = error_codes([text])
    assert len(codes) <= 100
    assert all(code in text for code in codes)
