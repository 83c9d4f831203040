"""What is kept of a text: true lines under true numbers, however it came and was cut."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from crawler.files.excerpt import Excerpt, Listing, fitted
from crawler.files.file_text import LONGEST_PART, MOST_CHARACTERS
from tests.unit.files.reading import members, numbered, read, said
from tests.unit.files.test_archives import tarred, zipped

LINES = st.lists(
    st.sampled_from(["", "a", "an ERROR", "ORA-1 x", "예외", "long " * 40, "plain text of a line"])
    | st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=30),
    max_size=120,
)


def _lines(excerpt: Excerpt | Listing) -> list[tuple[int, str]]:
    found = []
    for part in excerpt.parts():
        lines = part.text.split("\n")
        numbers = part.line_numbers or range(part.first_line, part.first_line + len(lines))
        found += list(zip(numbers, lines, strict=True))
    return found


@given(
    LINES,
    st.lists(st.integers(1, 200), min_size=1, max_size=5),
    st.lists(st.integers(1, 3_000), min_size=1, max_size=4),
)
def test_lines_are_true_in_any_pieces_and_any_room(
    lines: list[str], pieces: list[int], rooms: list[int]
) -> None:
    text = "\n".join(lines)
    excerpt = Excerpt("", rooms[0])
    at = turn = 0
    while at < len(text):
        size = pieces[turn % len(pieces)]
        excerpt.take(text[at : at + size])
        at, turn = at + size, turn + 1
    for room in rooms:
        excerpt = excerpt.refit(room) if room < rooms[0] else excerpt
        kept = _lines(excerpt)
        assert all(line in lines[number - 1] for number, line in kept)
        assert [number for number, _ in kept] == sorted(number for number, _ in kept)
        assert sum(len(line) for _, line in kept) <= max(rooms)
        if not excerpt.capped:
            assert "\n".join(line for _, line in kept).rstrip("\n") == text.rstrip("\n")


@given(st.lists(st.integers(0, 400), min_size=1, max_size=30), st.integers(100, 3_000))
def test_all_texts_have_room_and_small_ones_are_whole(sizes: list[int], most: int) -> None:
    kept: list[Excerpt | Listing] = []
    for size in sizes:
        excerpt = Excerpt("", 1_000)
        excerpt.take("x" * size)
        kept.append(excerpt)
    fit = fitted(kept, most)
    assert sum(each.size for each in fit) <= most
    level = most // len(sizes)
    for before, after in zip(kept, fit, strict=True):
        assert after.size == before.size or after.size > level // 2 - 1
        if before.size <= level:
            assert after is before


def test_many_large_members_share_the_room_and_keep_their_errors() -> None:
    chance = random.Random(1)  # noqa: S311 - no secret
    files, wanted = {}, {}
    for at in range(60):
        lines = [f"INFO {at} usual work {number}" for number in range(chance.randint(10, 20_000))]
        place = len(lines) * 2 // 3
        lines[place] = f"ORA-0{1000 + at} at member {at}"
        files[f"{at}.log"] = "\n".join(lines).encode()
        wanted[f"{at}.log"] = (place + 1, lines[place])
    for content in (zipped(files), tarred(files)):
        text = read(content)
        assert text.characters <= MOST_CHARACTERS
        assert text.characters > MOST_CHARACTERS * 0.7
        assert members(text) == list(files)
        for name, line in wanted.items():
            lines = files[name].decode().split("\n")
            kept = numbered(text, name)
            assert line in kept
            assert all(lines[number - 1] == each for number, each in kept[:5] + kept[-5:])


def test_one_large_log_in_an_archive_has_all_the_room() -> None:
    content = b"".join(b"INFO usual work %d\n" % at for at in range(200_000))
    text = read(tarred({"server.log": content, "note.txt": b"see the log"}))
    assert len(said(text, "server.log")) > MOST_CHARACTERS * 0.7
    assert said(text, "note.txt") == "see the log"


def test_lines_that_are_cut_do_not_make_more_than_may_be_sent() -> None:
    content = b"x ERROR " * 500_000
    text = read(zipped({str(at): content for at in range(20)}))
    assert text.characters <= MOST_CHARACTERS
    assert all(len(part.text) <= LONGEST_PART for part in text.parts)
