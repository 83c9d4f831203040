"""What is kept of a text that may be any length: its beginning, its end, and between them the telling lines.

Memory does not grow with the text. Lines keep the numbers that they have in the file.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator

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
            *("오류", "에러", "예외", "실패", "エラー", "例外", "失敗", "异常", "異常", "错误", "錯誤"),
            *("失败", "шибка", "шибки", "ОШИБКА", "сключение"),
        ),
    )
)
_NUMBERS = re.compile(r"\d+|0x[0-9a-fA-F]+")


class Excerpt:
    """Takes a text piece by piece.

    Args:
        member: as TextPart has it.
        most: characters that may be kept, one half at the text's beginning and a quarter at its end.
    """

    def __init__(self, member: str, most: int) -> None:
        self._member = member
        self._head: list[str] = []
        self._head_left = most - 2 * (most // 4)
        self._line = 1  # number of the line that the next character stands in
        self._tail: deque[tuple[int, str]] = deque()
        self._tail_size = 0
        self._tail_room = most // 4
        self._telling: list[tuple[int, str]] = []
        self._told_to = 0  # the last line that was kept of the middle
        self._telling_room = self._telling_left = most // 4
        self._alike: Counter[int] = Counter()
        self._looked_at = 0
        self.capped = False  # whether something was left out

    @property
    def size(self) -> int:
        """Characters that are kept."""
        head = sum(map(len, self._head))
        return head + self._telling_room - self._telling_left + min(self._tail_size, self._tail_room)

    def refit(self, most: int) -> Excerpt:
        """The excerpt of the same text that there is less room for."""
        other = Excerpt(self._member, most)
        other.take("".join(self._head))
        if self.capped:
            for number, text in self._telling:
                other._take_from(number, text + "\n")
            first, tail = self._kept_tail()
            other._take_from(first, tail)
        else:
            other.take("".join(text for _, text in self._tail))
        other.capped |= self.capped
        return other

    def take(self, text: str) -> None:
        """Take the next characters: whole lines where they are not too long."""
        if self._head_left > 0:
            at = _cut(text, self._head_left)
            self._head.append(text[:at])
            self._line += text.count("\n", 0, at)
            self._head_left = self._head_left - at if at == len(text) else 0
            text = text[at:]
        if text:
            self._take_beyond(text)

    def parts(self) -> Iterator[TextPart]:
        """What is kept, in the order of its lines."""
        head = "".join(self._head)
        if not self.capped:
            tail = "".join(text for _, text in self._tail)
            yield from packed(self._member, _numbered(1, head + tail))
            return
        yield from packed(self._member, _numbered(1, head))
        first, tail = self._kept_tail()
        middle = (
            numbered
            for number, text in self._telling
            for numbered in _numbered(number, text)
            if numbered[0] < first
        )
        yield from packed(self._member, middle)
        yield from packed(self._member, _numbered(first, tail))

    def _kept_tail(self) -> tuple[int, str]:
        """The number of the first line of the end, and the end."""
        tail = "".join(text for _, text in self._tail)
        first = self._tail[0][0] if self._tail else self._line
        spare = len(tail) - self._tail_room
        if spare <= 0:
            return first, tail
        end = tail.find("\n", spare, spare + LONGEST_LINE)
        at = spare if end < 0 else end + 1
        return first + tail.count("\n", 0, at), tail[at:]

    def _take_from(self, number: int, text: str) -> None:
        """Take characters that are not the next ones: what came before is not the end."""
        self._tail.clear()
        self._tail_size = 0
        self._line = number
        self._head_left = 0
        self.capped = True
        self._take_beyond(text)

    def _take_beyond(self, text: str) -> None:
        self._look_for_telling(text)
        self._tail.append((self._line, text))
        self._tail_size += len(text)
        self._line += text.count("\n")
        while self._tail and self._tail_size - len(self._tail[0][1]) >= self._tail_room:
            self._tail_size -= len(self._tail.popleft()[1])
            self.capped = True
        if self._tail_size > self._tail_room:
            self.capped = True

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
        if self._telling_left > self._telling_room // 2:
            return True
        shape = hash(_NUMBERS.sub("0", line))
        if len(self._alike) < 100_000 or shape in self._alike:
            self._alike[shape] += 1
        return self._alike[shape] <= _ALIKE

    def _keep(self, text: str, start: int, end: int, number: int) -> None:
        if number <= self._told_to:
            return
        if self._telling_left > self._telling_room // 2:
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
        kept = text[start : min(end, start + self._telling_left - 1)]
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


class Listing:
    """Keeps numbered lines, the first ones where there is no room for all.

    Args:
        member: as TextPart has it.
        lines: with their numbers.
        most: characters that may be kept.
    """

    def __init__(self, member: str, lines: Iterable[tuple[int, str]], most: int) -> None:
        self._member = member
        self._lines: list[tuple[int, str]] = []
        self.size = 0
        self.capped = False
        for number, line in lines:
            for at in range(0, len(line) or 1, LONGEST_LINE):
                piece = line[at : at + LONGEST_LINE]
                if self.size + len(piece) + 1 > most:
                    self.capped = True
                    return
                self.size += len(piece) + 1
                self._lines.append((number, piece))

    def refit(self, most: int) -> Listing:
        """The same for less room."""
        other = Listing(self._member, self._lines, most)
        other.capped |= self.capped
        return other

    def parts(self) -> Iterator[TextPart]:
        """What is kept."""
        return packed(self._member, self._lines)


def fitted(kept: list[Excerpt | Listing], most: int) -> list[Excerpt | Listing]:
    """The same texts so that there is room for all: the small ones whole, the others of one size."""
    left, level = most, 0
    for at, size in enumerate(sorted(each.size for each in kept)):
        level = left // (len(kept) - at)
        if size > level:
            return [each.refit(level) if each.size > level else each for each in kept]
        left -= size
    return kept
