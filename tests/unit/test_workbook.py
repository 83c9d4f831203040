"""A workbook holds what it was given, as Excel would read it."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reports import workbook
from pipeline.reports.workbook import LONGEST, fitting, write_workbook


def read(columns: list[str], rows: list[list[Any]]) -> list[list[list[Any]]]:
    """Each sheet's rows, headers included."""
    target = io.BytesIO()
    assert write_workbook("issues", columns, [rows], target) == len(rows)
    book = openpyxl.load_workbook(io.BytesIO(target.getvalue()))
    assert all(cell.data_type != "f" for sheet in book for row in sheet for cell in row)
    return [[[cell.value for cell in row] for row in sheet] for sheet in book]


@pytest.mark.parametrize("text", ["1E5", "007", "=1+1", "+1", "@x", "2026-01-05", "https://h/", "-", "TRUE"])
def test_texts_stay_texts(text: str) -> None:
    assert read(["issue_id"], [[text]]) == [[["issue_id"], [text]]]


def test_dates_are_dates_in_utc_and_numbers_numbers() -> None:
    korean = datetime(2026, 1, 5, 9, 30, tzinfo=timezone(timedelta(hours=9)))
    ancient = datetime(1850, 1, 1, tzinfo=UTC)
    rows = [[korean, 12, True, None, 2**60, 1.5], [ancient, -1, False, {"a": "서울"}, 0, None]]
    ((headers, first, second),) = read(["registered_date", "n", "b", "x", "big", "f"], rows)
    assert headers[0] == "registered_date (UTC)"
    assert first == [datetime(2026, 1, 5, 0, 30), 12, True, None, str(2**60), 1.5]
    assert second == ["1850-01-01T00:00:00+00:00", -1, False, '{"a": "서울"}', 0, None]


@given(st.text(max_size=60))
def test_any_text_is_read_back(text: str) -> None:
    (sheet,) = read(["title"], [[text]])
    (value,) = sheet[1]
    assert plain(value or "") == plain(fitting(text))


def plain(text: str) -> str:
    """Line ends as XML reads them; the reader leaves some characters as they are written in the file."""
    escaped = (f"_x{code:04X}_" for code in range(32))
    for code, word in enumerate(escaped):
        text = text.replace(word, chr(code))
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(st.text(alphabet="a한😀", min_size=0, max_size=40), st.integers(0, 3000))
def test_a_text_that_is_too_long_is_cut_and_says_so(text: str, times: int) -> None:
    long = text * times
    cut = fitting(long)
    units = len(cut.encode("utf-16-le")) // 2
    assert units <= LONGEST
    if len(long.encode("utf-16-le")) // 2 <= LONGEST:
        assert cut == long
    else:
        assert f"{len(long):,} characters]" in cut
        assert units > LONGEST - 3
        assert long.startswith(cut[: cut.index(" … [cut")])


def test_rows_beyond_a_sheet_go_on_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    assert read(["n"], [[n] for n in range(5)]) == [
        [["n"], [0], [1]],
        [["n"], [2], [3]],
        [["n"], [4]],
    ]
    assert read(["n"], []) == [[["n"]]]
