"""What is kept of a text that may be any length: its beginning, its end, and between them the telling lines.

Memory does not grow with the text. Lines keep the numbers that they have in the file.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from crawler.files.file_text import LONGEST_PART, TextPart

LONGEST_LINE = 10_000  # characters; a longer line becomes several of the same number

_LONGEST_TELLING = 1_000  # characters of a line that are kept of the middle
_AROUND = 300  # characters in which a neighbour of a telling line must end to be kept with it
_NEIGHBOURS = 2  # lines on each side, while there is much room
_ALIKE = 5  # lines that differ in their numbers only, once half of the room is used
_LOOKED_AT = 500_000  # telling lines; a flood of them costs time and says nothing new

# Words that begin a search for somebody who has a case on the desk. One pattern each: one that begins with a
# literal is found at 2 GB/s, and all of them as one expression at 10 MB/s.
_TELLING = tuple(
    map(
        re.compile,
        (
            *(
                "ERROR",
                "Error",
                r"error(?:[:=\[]| code)",
                "EXCEPTION",
                r"xception\b",
                "FATAL",
                "Fatal",
                "fatal[ :]",
            ),
            *(
                "FAILED",
                "FAILURE",
                "SEVERE",
                "CRITICAL",
                "EMERG",
                "PANIC",
                "panic:",
                "Traceback ",
                "Caused by:",
            ),
            *("SQLSTATE", "OutOfMemory", "Segmentation fault", "core dumped", "ssertion failed", "errno"),
            *(r"ORA-\d", r"TNS-\d", r"0x[8cC][0-9A-Fa-f]{7}\b", r"SIG(?:SEGV|ABRT|KILL|BUS|ILL|FPE)\b"),
            r"E(?:PERM|NOENT|IO|BADF|AGAIN|NOMEM|ACCES|FAULT|BUSY|EXIST|NODEV|NOTDIR|ISDIR|INVAL|NFILE|MFILE|FBIG"
            r"|NOSPC|ROFS|MLINK|PIPE|DEADLK|NOTEMPTY|PROTO|OVERFLOW|ADDRINUSE|NETUNREACH|CONN[A-Z]+|TIMEDOUT"
            r"|HOSTUNREACH|DQUOT|NOTCONN|STALE)\b",
        ),
    )
)
_TELLING_ELSEWHERE = tuple(
    map(
        re.compile,
        (
            *(
                "오류",
                "에러",
                "예외",
                "실패",
                "エラー",
                "例外",
                "失敗",
                "异常",
                "異常",
                "错误",
                "錯誤",
                "失败",
            ),
            *("шибка", "шибки", "ОШИБКА", "сключение"),
        ),
    )
)
_NUMBERS = re.compile(r"\d+|0x[0-9a-fA-F]+")


@dataclass(frozen=True, slots=True)
class Room:
    """How many characters may be kept."""

    head: int
    telling: int
    tail: int


class Excerpt:
    """Takes a text piece by piece.

    Args:
        room: for what is kept.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._head: list[str] = []
        self._head_left = room.head
        self._line = 1  # number of the line that the next character stands in
        self._tail: deque[tuple[int, str]] = deque()
        self._tail_size = 0
        self._evicted = False
        self._telling: list[tuple[int, str]] = []
        self._told_to = 0  # the last line that was kept of the middle
        self._telling_left = room.telling
        self._alike: Counter[int] = Counter()
        self._looked_at = 0
        self.characters = 0  # that were taken

    @property
    def telling_used(self) -> int:
        """How much of the room for telling lines was used."""
        return self._room.telling - self._telling_left

    @property
    def capped(self) -> bool:
        """Whether something was left out."""
        return self._evicted

    def take(self, text: str) -> None:
        """Take the next characters: whole lines where they are not too long."""
        self.characters += len(text)
        if self._head_left > 0:
            at = _cut(text, self._head_left)
            self._head.append(text[:at])
            self._line += text.count("\n", 0, at)
            self._head_left = self._head_left - at if at == len(text) else 0
            text = text[at:]
        if text:
            self._take_beyond(text)

    def parts(self, member: str) -> Iterator[TextPart]:
        """What is kept, in the order of its lines."""
        head = "".join(self._head)
        tail = "".join(text for _, text in self._tail)
        if not self._evicted:
            yield from packed(member, _numbered(1, head + tail))
            return
        yield from packed(member, _numbered(1, head))
        first = self._tail[0][0] if self._tail else self._line
        spare = len(tail) - self._room.tail
        if spare > 0:
            end = tail.find("\n", spare, spare + LONGEST_LINE)
            at = spare if end < 0 else end + 1
            first += tail.count("\n", 0, at)
            tail = tail[at:]
        middle = (
            numbered
            for number, text in self._telling
            for numbered in _numbered(number, text)
            if numbered[0] < first
        )
        yield from packed(member, middle)
        yield from packed(member, _numbered(first, tail))

    def _take_beyond(self, text: str) -> None:
        self._look_for_telling(text)
        self._tail.append((self._line, text))
        self._tail_size += len(text)
        self._line += text.count("\n")
        while self._tail and self._tail_size - len(self._tail[0][1]) >= self._room.tail:
            self._tail_size -= len(self._tail.popleft()[1])
            self._evicted = True
        if self._tail_size > self._room.tail:
            self._evicted = True

    def _look_for_telling(self, text: str) -> None:
        number, counted, at = self._line, 0, -1
        for found in self._places(text):
            if self._telling_left <= 0:
                return
            if found < at:
                continue
            near = max(0, found - _LONGEST_TELLING // 2)
            start = text.rfind("\n", near, found) + 1 or near
            at = text.find("\n", found)  # what follows in the same line says no more
            at = len(text) if at < 0 else at
            end = min(at, start + _LONGEST_TELLING)
            number += text.count("\n", counted, start)
            counted = start
            if self._is_new(text[start:end]):
                self._keep(text, start, end, number)

    def _places(self, text: str) -> list[int]:
        """Where words stand that tell something, in order."""
        if self._telling_left <= 0 or self._looked_at >= _LOOKED_AT:
            return []
        patterns = _TELLING if text.isascii() else _TELLING + _TELLING_ELSEWHERE
        places = sorted(found.start() for pattern in patterns for found in pattern.finditer(text))
        self._looked_at += len(places)
        return places

    def _is_new(self, line: str) -> bool:
        if self._telling_left > self._room.telling // 2:
            return True
        shape = hash(_NUMBERS.sub("0", line))
        if len(self._alike) < 100_000 or shape in self._alike:
            self._alike[shape] += 1
        return self._alike[shape] <= _ALIKE

    def _keep(self, text: str, start: int, end: int, number: int) -> None:
        if number <= self._told_to:
            return
        if self._telling_left > self._room.telling // 2:
            for _ in range(_NEIGHBOURS):
                before = text.rfind("\n", max(0, start - 1 - _AROUND), max(0, start - 1)) + 1
                if start == 0 or before == 0 or number - 1 <= self._told_to:
                    break
                start, number = before, number - 1
            for _ in range(_NEIGHBOURS):
                after = text.find("\n", end + 1, end + 1 + _AROUND)
                if after < 0:
                    break
                end = after
        kept = text[start:end]
        self._telling.append((number, kept))
        self._told_to = number + kept.count("\n")
        self._telling_left -= len(kept) + 1


def packed(member: str, lines: Iterable[tuple[int, str]]) -> Iterator[TextPart]:
    """Numbered lines as parts of bounded length."""
    numbers: list[int] = []
    texts: list[str] = []
    size = 0
    for number, line in lines:
        if size + len(line) > LONGEST_PART:
            yield _part(member, numbers, texts)
            numbers, texts, size = [], [], 0
        numbers.append(number)
        texts.append(line)
        size += len(line) + 1
    if any(texts):
        yield _part(member, numbers, texts)


def _part(member: str, numbers: list[int], texts: list[str]) -> TextPart:
    first = numbers[0]
    contiguous = numbers == list(range(first, first + len(numbers)))
    return TextPart(
        member=member,
        first_line=first,
        line_numbers=None if contiguous else tuple(numbers),
        text="\n".join(texts),
    )


def _numbered(first: int, text: str) -> Iterator[tuple[int, str]]:
    """The lines of a text with their numbers; a text that ends in a line feed has no empty line after it."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, first):
        if len(line) <= LONGEST_LINE:
            yield number, line
        else:
            for at in range(0, len(line), LONGEST_LINE):
                yield number, line[at : at + LONGEST_LINE]


def _cut(text: str, size: int) -> int:
    """Where to cut off so many characters: behind a line where one ends nearby."""
    if len(text) <= size:
        return len(text)
    end = text.rfind("\n", max(0, size - LONGEST_LINE), size)
    return size if end < 0 else end + 1
