"""What a tracker says is printed as text: it steers nothing, whatever it holds."""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from cli.csv_cells import Sheet, csv_cell
from cli.output import cell, marked, one_line, print_json, print_table, safe
from cli.table import layout


def test_escape_sequences_and_bidi_controls_are_taken_out() -> None:
    assert safe("a\x1b]0;owned\x07b\u202etxt\u2066c\x9b31m") == "a]0;ownedbtxtc31m"


def test_line_breaks_and_tabs_stay_in_a_page_and_leave_a_line() -> None:
    assert safe("a\n\tb") == "a\n\tb"
    assert one_line("a\n\tb\r\nc") == "a b c"


@given(st.text())
def test_any_text_can_be_printed(text: str) -> None:
    printable = safe(text)
    printable.encode("utf-8")
    assert not any(character < " " and character not in "\n\t" for character in printable)


def test_lone_surrogates_do_not_break_the_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"title": "\ud800 한국어", "at": datetime(2026, 1, 5, tzinfo=UTC), "id": UUID(int=1)})
    document = json.loads(capsys.readouterr().out)
    assert document["at"] == "2026-01-05T00:00:00+00:00"
    assert document["title"].endswith("한국어")


def test_a_snippets_hits_are_bold_and_its_own_markup_is_text() -> None:
    text = marked("a <mark>hit</mark> [red]b[/red] <b>c</b>")
    assert text.plain == "a hit [red]b[/red] <b>c</b>"
    assert [text.plain[span.start : span.end] for span in text.spans] == ["hit"]


def screen(columns: Sequence[str], rows: Sequence[Sequence[object]], width: int) -> list[str]:
    """The lines of a terminal of that width."""
    sheet = io.StringIO()
    Console(file=sheet, width=width, highlight=False).print(layout(columns, rows, width))
    return sheet.getvalue().splitlines()


def test_wide_titles_keep_their_columns() -> None:
    rows = [("한국어 제목", 1), ("日本語", 22), ("[bold]x[/bold]", 333)]
    lines = screen(("title", "n>"), rows, 60)
    assert len({cell_len(line.rstrip()) for line in lines}) == 1
    assert "[bold]x[/bold]" in lines[3]


# What people write, and what no terminal breaks well: long words, wide and combining characters.
_LETTERS = st.one_of(
    st.sampled_from("ab 가나다 접속오류 エラー 漢字 -5213 e\u0301"),
    st.characters(blacklist_categories=["Cs", "Cc"]),
)
TEXTS = st.text(_LETTERS, max_size=70) | st.text(st.sampled_from("가エa"), min_size=20, max_size=120)


@pytest.mark.parametrize("width", [60, 100])
@given(
    columns=st.lists(st.sampled_from(("session", "title", "n>", "what>")), min_size=1, max_size=9),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_every_character_of_every_cell_is_on_the_screen(
    width: int, columns: list[str], data: st.DataObject
) -> None:
    number, text = st.one_of(st.none(), st.integers(0, 10**9)), st.one_of(st.none(), TEXTS)
    cells = st.tuples(*(number if name.endswith(">") else text for name in columns))
    rows = data.draw(st.lists(cells, min_size=1, max_size=4))
    lines = screen(columns, rows, width)
    shown = Counter("".join("".join(lines).split()))
    wanted = Counter("".join("".join(cell(value).plain for row in rows for value in row).split()))
    assert wanted <= shown
    assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("width", [60, 100])
def test_korean_and_japanese_hits_lose_nothing_in_the_middle(width: int) -> None:
    title = "접속 오류 -5213 반복 발생: 接続タイムアウトが頻発する 운영서버재기동후에도동일현상발생"
    lines = screen(
        ("#>", "issue", "status", "product", "title"),
        [(1, "340101", "접수완료", "OpenFrame Batch", title)],
        width,
    )
    assert "".join("".join(line[-width:] for line in lines).split()).count("…") == 0
    assert Counter(title.replace(" ", "")) <= Counter("".join(lines))


def test_where_columns_do_not_fit_each_field_has_a_line() -> None:
    names = tuple(f"column{number}" for number in range(9))
    lines = screen(names, [tuple("some text" for _ in names)] * 2, 60)
    assert [line.split(maxsplit=1)[0] for line in lines if line.strip()] == [*names, *names]


def test_elsewhere_a_row_is_a_line_of_whole_cells_between_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    session, long = UUID("a3352aac-286b-49ec-b197-015aa3529217"), "a question " * 40
    print_table(("session", "query", "n>"), [(session, long + "\tand\nmore", None)], empty="none")
    assert capsys.readouterr().out == f"{session}\t{long}and more\t\n"


def test_ids_are_shortened_as_far_as_they_differ() -> None:
    one, other = UUID("a3352aac-286b-49ec-b197-015aa3529217"), UUID("a3352aac-2999-49ec-b197-015aa3529217")
    assert screen(("id",), [(one,)], 60)[1].strip() == "a3352aac"
    assert [line.strip() for line in screen(("id",), [(one,), (other,)], 60)[1:]] == [
        "a3352aac-28",
        "a3352aac-29",
    ]


def test_an_empty_table_says_so_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("a",), [], empty="There is nothing.")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "There is nothing.\n"


@pytest.mark.parametrize(
    "unseen",
    ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u180e", "\u061c", "\u202e", "\u2066", "\U000e0041",
     "\u115f", "\u1160", "\u3164", "\uffa0", "\x7f", "\x9b", "\x1b", "\u206f", "\ufffa"],
)  # fmt: skip
def test_what_is_not_seen_is_not_printed_and_is_an_escape_in_json(
    unseen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert safe(f"a{unseen}b") == one_line(f"a{unseen}b") == "ab"
    print_json({"title": f"a{unseen}b"})
    printed = capsys.readouterr().out
    assert unseen not in printed
    assert json.loads(printed)["title"] == f"a{unseen}b"


def test_what_is_seen_stays() -> None:
    for text in ("葛\U000e0100城", "☺\ufe0f", "한국어 e\u0301 ก็ हिन्दी ١٢٣ \u0601"):
        assert safe(text) == text
    assert safe("x" + "\ufe0f\U000e0101" * 40) == "x\ufe0f"


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@a",
        "\t=1",
        " =1",
        "\u200b=1",
        "\u00ad=1",
        "\u2060=1",
        "﹦1",
        "＝1",
        "﹢1",
        "＠a",
        "⁺1",
    ],
)
def test_no_cell_is_taken_for_a_formula(text: str) -> None:
    assert csv_cell(text).startswith("'")
    assert not csv_cell(text, raw=True).startswith("'")


@pytest.mark.parametrize("text", ["x;=1+1", "x\t=1+1", 'x";=1', "x\n=1", "x; ＝1", "x;-1", "x,=1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_part_of_a_cell_is_a_formula_where_others_part_them(text: str, delimiter: str) -> None:
    written = io.StringIO()
    Sheet(written).add(["id", text, None, 7])
    assert written.getvalue().startswith('"id","x')
    for line in csv.reader(io.StringIO(written.getvalue(), newline=""), delimiter=delimiter):
        assert not any(cell.lstrip().startswith(("=", "＝", "-")) for cell in line)
    raw = io.StringIO()
    Sheet(raw, raw=True).add(["id", text, None, 7])
    assert next(csv.reader(io.StringIO(raw.getvalue(), newline=""))) == ["id", text, "", "7"]


def test_what_is_no_formula_stays_as_it_is() -> None:
    for text in ("a = b; c", "x\n- an item\n+1\n@kim", "5-3", "한국어; 日本語"):
        assert csv_cell(text) == text
