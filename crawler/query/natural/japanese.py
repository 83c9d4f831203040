"""Japanese without a dictionary: scripts show the nouns, lists tell what the hiragana between them do."""

from __future__ import annotations

import re
from functools import cache

from crawler.query.direct import bare
from crawler.query.natural.english import is_identifier
from crawler.query.natural.lexicon import lexicon, nouns
from crawler.query.natural.terms import Item, Kind, left_out, term
from crawler.query.script import HAN, HANGUL, HIRAGANA, KATAKANA, fold, says_something

_HAN_RUN = re.compile(f"[{HAN}]+")
_KATAKANA_RUN = re.compile(f"[{KATAKANA}{HANGUL}]+")
_HIRAGANA_RUN = re.compile(f"[{HIRAGANA}]+")
_OTHER_RUN = re.compile(f"[^{HAN}{KATAKANA}{HANGUL}{HIRAGANA}]+")
_INNER = "みきりちしびぎけれえせめべげ"  # between two parts of a compound: 書き込み, 割り当て
_AFTER_NOUN = "がはをにで"  # particles, unless a verb is written with them: 上がる
_LONGEST = 16
_OPERATORS = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT_ONE}
_SHORT = 5
_NOTHING = left_out("")
_WITHOUT = ("なし",)
_LACKS = ("がない", "が無い", *_WITHOUT)
_HONORIFIC = ("お", "ご")  # before a noun: お知らせ


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


def read_chunk(chunk: str, *, begun: bool) -> list[Item]:
    """Read one chunk of text without spaces.

    Args:
        chunk: as typed.
        begun: something to be looked for came before, that a joint at its beginning may join.
    """
    return _Reader(bare(chunk), begun=begun).read()


class _Reader:
    def __init__(self, text: str, *, begun: bool) -> None:
        self.text = text
        self.begun = begun
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
        return self._with_lack(self.items)

    @staticmethod
    def _with_lack(items: list[Item]) -> list[Item]:
        """What lacks at a question's end is looked for: "応答がない" is no wish for what has no answer."""
        told = [at for at, item in enumerate(items) if item.kind is not Kind.BREAK]
        if len(told) < 2 or items[told[-1]].text not in _LACKS or items[told[-2]].kind is not Kind.TERM:
            return items
        if items[told[-1]].text in _WITHOUT and len(told) > 2:
            return items
        lack = term(items[told[-2]].text + items[told[-1]].text, phrase=True)
        return [*items[: told[-2]], lack, *items[told[-1] + 1 :]]

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
        if not says_something(run):  # brackets
            self._close()
            self.items.append(Item(Kind.COMMA, run))
            self.at += len(run)
            return
        if run in _OPERATORS and (self.word or self.items) and self.at + len(run) < len(self.text):
            self._close()
            self.items.append(Item(_OPERATORS[run], run))
            self.at += len(run)
            return
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
        if not self.word and ((run in _HONORIFIC and self._goes_on(self.at + 1)) or run in nouns("ja")):
            self._take(run)  # お知らせ, かな漢字
            return
        if (
            not (self.begun or self.at)
            and len(run) < len(self.text)
            and _entries().get(run, _NOTHING).kind in (Kind.AND, Kind.OR)
        ):
            self._take(run)  # nothing stands before it to be joined: かつ丼
            return
        if (
            run == self.text
            and len(run) <= _SHORT
            and run[-1] in "とかやも"
            and not _with_nouns(run, begins=True, alone=True)
        ):
            self._take(run)  # no list of words, and a word that no dictionary of ours has: とまと
            return
        if named := _with_nouns(run, begins=not self.word, alone=run == self.text):
            for part in named:
                self._noun(part) if part in nouns("ja") else self._emit(part)
            return
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

    def _noun(self, noun: str) -> None:
        self._close()
        self._take(noun)
        self._close()

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


def _with_nouns(run: str, *, begins: bool, alone: bool) -> list[str]:
    """Part a run into nouns and what joins them, the fewest parts there are; nothing where a rest stays.

    Args:
        run: hiragana.
        begins: nothing that belongs to the first noun stands before it.
        alone: the whole question, in which nouns of two letters are not the ends of verbs.
    """
    known, joints = nouns("ja"), _joints()
    lists = lexicon("ja").lists["and"] | lexicon("ja").lists["or"]
    best: list[list[str] | None] = [[]] + [None] * len(run)
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - _LONGEST), end):
            before, part = best[start], run[start:end]
            if before is None:
                continue
            is_noun = part in known and part not in joints
            if is_noun and (before[-1] in known if before else not begins):
                continue  # two nouns side by side, or one within a word
            if is_noun and len(part) < 3 and not (alone and (not before or before[-1] in lists)):
                continue  # more often the end of a verb
            if is_noun or (part in joints and (before or not begins)):
                now = best[end]
                if now is None or len(before) + 1 < len(now):
                    best[end] = [*before, part]
    parts = [] if run in _entries() else best[-1] or []
    if alone and parts and parts[-1] in lists:
        return []  # nothing comes after it to be joined
    return parts if any(part in known for part in parts) else []


@cache
def _joints() -> frozenset[str]:
    known = lexicon("ja")
    return _particles() | known.lists["or"] | known.lists["stop"]


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
