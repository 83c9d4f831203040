"""A whole query applied to the texts of one issue, in plain Python."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from crawler.query.script import CJK, clean, fold, is_spaced_letter
from crawler.query.tree import Clause, Occur, Tree
from crawler.query.variants import (
    closed,
    in_kana,
    is_compound,
    is_kana,
    loanwords,
    variant_key,
    without_blanks,
)

_RUN = re.compile(rf"[^\W_{CJK}]+")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


# English endings, what may stand in their place, and how many letters must be left of the word.
_ENDINGS = (
    ("ies", ("y",), 3),
    ("ied", ("y",), 3),
    ("es", ("",), 3),
    ("s", ("",), 3),
    ("ed", ("", "e"), 3),
    ("ing", ("", "e"), 4),
)


class Texts:
    """The texts of one issue, ready to be asked."""

    def __init__(self, texts: Sequence[str], issue_id: str) -> None:
        self._texts = [clean(text) for text in texts]
        self._issue_id = issue_id

    def match(self, tree: Tree) -> bool:
        """Tell whether the issue is an answer to the query."""
        by_occur: dict[Occur, list[Clause]] = {occur: [] for occur in Occur}
        for clause in tree.clauses:
            by_occur[clause.occur].append(clause)
        if any(map(self._has, by_occur[Occur.MUST_NOT])):
            return False
        if by_occur[Occur.MUST]:
            return all(map(self._has, by_occur[Occur.MUST]))
        return not by_occur[Occur.SHOULD] or any(map(self._has, by_occur[Occur.SHOULD]))

    def _has(self, clause: Clause) -> bool:
        if clause.number:
            return _number_of(self._issue_id) == (clause.text.lstrip("0") or "0")
        wanted = " ".join(fold(clause.text).split())
        if not clause.phrase and _RUN.fullmatch(wanted) and not self._bases.isdisjoint(bases(wanted)):
            return True
        if any(_occurs(wanted, text) for text in self._folded):
            return True
        if any(_occurs(closed(wanted), text) for text in self._closed):
            return True
        return not clause.phrase and self._has_variant(wanted)

    def _has_variant(self, wanted: str) -> bool:
        """Find a Korean or Japanese word as others write it."""
        if is_compound(wanted):
            return any(wanted in without_blanks(text) for text in self._folded)
        if is_kana(wanted):
            key = variant_key(wanted)
            if key in self._loanwords or (
                len(key) > 2 and any(word.startswith(key) for word in self._loanwords)
            ):
                return True
        return any(_occurs(other, text) for other in in_kana(wanted) for text in self._folded)

    @cached_property
    def _folded(self) -> list[str]:
        return [" ".join(fold(text).split()) for text in self._texts]

    @cached_property
    def _closed(self) -> list[str]:
        return [closed(text) for text in self._folded]

    @cached_property
    def _loanwords(self) -> frozenset[str]:
        return frozenset(word for text in self._folded for word in loanwords(text))

    @cached_property
    def _words(self) -> frozenset[str]:
        """Every word, and the parts of names that are written in one (``OutOfMemoryError``)."""
        whole = {word for text in self._folded for word in _RUN.findall(text)}
        parts = {
            part.lower() for text in self._texts for run in _RUN.findall(text) for part in _HUMP.findall(run)
        }
        return frozenset(whole | parts)

    @cached_property
    def _bases(self) -> frozenset[str]:
        return frozenset(base for word in self._words for base in bases(word))


def _number_of(issue_id: str) -> str | None:
    """The number at the end of an issue's key, ``17`` of ``ABC-0017``."""
    key = issue_id.strip()
    digits = key[max(key.rfind("-"), key.rfind("#")) + 1 :]
    return digits.lstrip("0") or "0" if digits.isascii() and digits.isdigit() else None


def bases(word: str) -> frozenset[str]:
    """Return the English words that this may be a form of, itself included: ``crashes`` of ``crash``."""
    found = {word}
    if word.isascii() and word.isalpha():
        for ending, instead, least in _ENDINGS:
            base = word.removesuffix(ending)
            if base != word and len(base) + len(instead[0]) >= least:
                found.update(base + letter for letter in instead)
                if base[-1] == base[-2]:
                    found.add(base[:-1])  # stopped, planning
    return frozenset(found)


def stems(word: str) -> list[str]:
    """Beginnings of which every form of a word has one: ``quer`` of queries, ``creat`` of creating."""
    shortened = {base[:-1] if base.endswith(("e", "y")) else base for base in bases(word)}
    kept: list[str] = []
    for stem in sorted(shortened, key=len):
        if not stem.startswith(tuple(kept)):
            kept.append(stem)
    return kept


def _occurs(wanted: str, text: str) -> bool:
    """Find a text that neither starts nor ends within a word, where its script parts words by spaces."""
    at = text.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        if not (_joins(text, at) or _joins(text, end)):
            return True
        at = text.find(wanted, at + 1)
    return False


def _joins(text: str, at: int) -> bool:
    """Tell whether a word goes on here; letters and digits side by side are two, as in v7.2 and SVC99."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    return is_spaced_letter(before) and is_spaced_letter(after) and before.isdecimal() == after.isdecimal()
