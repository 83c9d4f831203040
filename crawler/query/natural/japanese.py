"""Japanese without a dictionary: scripts show the nouns, lists tell what the hiragana between them do."""

from __future__ import annotations

import re
from functools import cache

from crawler.query.direct import bare
from crawler.query.natural.english import is_identifier
from crawler.query.natural.lexicon import lexicon
from crawler.query.natural.terms import Item, Kind, left_out, term
from crawler.query.script import HAN, HANGUL, HIRAGANA, KATAKANA, fold

_HAN_RUN = re.compile(f"[{HAN}]+")
_KATAKANA_RUN = re.compile(f"[{KATAKANA}{HANGUL}]+")
_HIRAGANA_RUN = re.compile(f"[{HIRAGANA}]+")
_OTHER_RUN = re.compile(f"[^{HAN}{KATAKANA}{HANGUL}{HIRAGANA}]+")
_INNER = "みきりちしびぎけれえせめべげ"  # between two parts of a compound: 書き込み, 割り当て
_AFTER_NOUN = "がはをにで"  # particles, unless a verb is written with them: 上がる
_LONGEST = 16


@cache
def _entries() -> dict[str, Item]:
    """Every word that is not looked for, with what it does."""
    known = lexicon("ja")
    found = {word: left_out(word) for name in ("stop", "endings", "particles") for word in known.lists[name]}
    found |= {
        stem + tail: left_out(stem + tail) for stem in known.lists["stems"] for tail in known.lists["tails"]
    }
    return found | {
        word: item
        for name in ("and", "or", "not_prev")
        for word in known.lists[name]
        if (item := known.joint(word))
    }


def read_chunk(chunk: str) -> list[Item]:
    """Read one chunk of text without spaces."""
    return _Reader(bare(chunk)).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.word = ""
        self.items: list[Item] = []

    def read(self) -> list[Item]:
        while self.at < len(self.text):
            if entry := self._entry_with_han():
                self._emit(entry)
            elif run := _HAN_RUN.match(self.text, self.at):
                self._take(self._cut(run.group()))
            elif run := _HIRAGANA_RUN.match(self.text, self.at):
                self._hiragana(self._cut(run.group()))
            elif run := _KATAKANA_RUN.match(self.text, self.at):
                self._katakana(run.group())
            elif run := _OTHER_RUN.match(self.text, self.at):
                self._other(run.group())
        self._close()
        return self.items

    def _take(self, run: str) -> None:
        self.word += run
        self.at += len(run)

    def _emit(self, entry: str) -> None:
        self._close()
        item = _entries()[entry]
        if item.kind is Kind.AND and not (self.items and self.items[-1].kind is Kind.TERM) and self.at > 0:
            item = left_out(entry)
        self.items.append(item)
        self.at += len(entry)

    def _close(self) -> None:
        if self.word:
            self.items.append(term(self.word))
        self.word = ""

    def _entry_with_han(self, at: int | None = None) -> str | None:
        """Find the longest known word here that has a Chinese character and is not part of a longer noun."""
        at = self.at if at is None else at
        for length in range(min(_LONGEST, len(self.text) - at), 0, -1):
            entry = self.text[at : at + length]
            if entry in _entries() and _HAN_RUN.search(entry) and self._parted(entry, at):
                return entry
        return None

    def _parted(self, entry: str, at: int) -> bool:
        before, after = self.text[at - 1 : at], self.text[at + len(entry) : at + len(entry) + 1]
        suffix = _entries()[entry].kind is Kind.NOT_PREV
        left = suffix or not (_HAN_RUN.match(entry) and _HAN_RUN.match(before))
        right = suffix or not (
            _HAN_RUN.match(entry[-1]) and (_HAN_RUN.match(after) or _KATAKANA_RUN.match(after))
        )
        return left and right

    def _cut(self, run: str) -> str:
        """Shorten a run to where a known word with a Chinese character starts."""
        for length in range(1, len(run)):
            if self._entry_with_han(self.at + length):
                return run[:length]
        return run

    def _katakana(self, run: str) -> None:
        whole = fold(run)
        if not self.word and whole in _entries():
            self._emit(run if run in _entries() else whole)
        else:
            self._take(run)

    def _other(self, run: str) -> None:
        """Read Latin letters and digits: joined to their neighbours, unless they are an identifier."""
        if not is_identifier(run):
            self._take(run)
            return
        self._close()
        if name := bare(run):
            self.items.append(term(name))
        self.at += len(run)

    def _hiragana(self, run: str) -> None:
        stem = bool(self.word) and bool(_HAN_RUN.match(self.word[-1]))
        alone = stem and not _HAN_RUN.match(self.word[-2:-1])
        parts = _segments(run)
        if parts and not (alone and parts[0][0] == "し"):
            for part in parts:
                self._emit(part)
            return
        if stem and (alone or run[0] not in _AFTER_NOUN):
            self._inflected(run)
            return
        if self.word or self.items or self.at:
            first = next((run[:size] for size in range(len(run), 0, -1) if run[:size] in _particles()), "")
            if first:
                self._emit(first)
                run = run[len(first) :]
        self._inflected(run)

    def _inflected(self, run: str) -> None:
        """Read an ending that belongs to the word, and the particles after it."""
        if len(run) == 1 and run in _INNER and self._goes_on(self.at + 1):
            self._take(run)
            return
        for size in range(1, len(run)):
            parts = _segments(run[size:])
            if parts and (parts[0] in _particles() or (size == 1 and run[0] in _INNER)):
                self._take(run[:size])
                for number, part in enumerate(parts):
                    self._verb_emit(part) if number == 0 and run[0] not in _INNER else self._emit(part)
                return
        self._take(run)
        self._close()

    def _verb_emit(self, part: str) -> None:
        """After a verb, と is "when" and not "and"."""
        self._emit(part)
        if part == "と":
            self.items[-1] = left_out(part)

    def _goes_on(self, at: int) -> bool:
        return bool(_HAN_RUN.match(self.text, at) or _KATAKANA_RUN.match(self.text, at))


def _particles() -> frozenset[str]:
    return lexicon("ja").lists["particles"] | lexicon("ja").lists["not_prev"] | lexicon("ja").lists["and"]


def _segments(run: str) -> list[str]:
    """Part a run into known words, the fewest there are; nothing where a rest stays."""
    best: list[list[str] | None] = [[]] + [None] * len(run)
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - _LONGEST), end):
            before = best[start]
            if before is not None and run[start:end] in _entries():
                now = best[end]
                if now is None or len(before) + 1 < len(now):
                    best[end] = [*before, run[start:end]]
    return best[-1] or []
