"""An index in chunks, which a browser reads from files: the word asked for is in one small chunk of many.

Words are split as ``static/site.js`` splits the question: runs of letters and digits in lower case; what is
written without spaces (Chinese, Japanese, Korean) as pairs of characters. What begins alike is in one chunk.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator

# Hangul, kana, ideographs: what the script calls the same.
_DENSE = "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_RUN = re.compile(rf"[{_DENSE}]+|[^\W_{_DENSE}]+")
_LONGEST = 40  # characters of a word that are looked at
_MOST = 15  # a weight


def terms(text: str) -> Iterator[str]:
    """The words of a text, as they are looked for."""
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).lower()):
        if run[0] >= "\u1100" and re.match(f"[{_DENSE}]", run[0]):
            yield from (run[place : place + 2] for place in range(max(len(run) - 1, 1)))
        else:
            yield run[:_LONGEST]


def chunk_of(term: str) -> str:
    """The name of the chunk that a word is in."""
    first = ord(term[0])
    if first < 128:
        return term[0] + (term[1:2] if term[1:2] < "\x80" else "_")
    return f"u{first >> 5:x}"


class Index:
    """Which documents have which words, and how much."""

    def __init__(self) -> None:
        self._postings: dict[str, array[int]] = {}

    def add(self, document: int, texts: Iterable[tuple[int, str]]) -> None:
        """Add a document.

        Args:
            document: its number, higher than that of the one before.
            texts: each with what a word in it is worth.
        """
        worth: dict[str, int] = {}
        for weight, text in texts:
            for term in terms(text):
                worth[term] = min(worth.get(term, 0) + weight, _MOST)
        for term, told in worth.items():
            self._postings.setdefault(term, array("L")).append(document * 16 + told)

    def chunks(self) -> Iterator[tuple[str, dict[str, list[int]]]]:
        """Each chunk with its words; of each, numbers that say how much further the next posting is."""
        named: dict[str, list[str]] = {}
        for term in sorted(self._postings):
            named.setdefault(chunk_of(term), []).append(term)
        for name, listed in named.items():
            yield name, {term: _steps(self._postings[term]) for term in listed}


def _steps(postings: array[int]) -> list[int]:
    return [here - before for before, here in zip([0, *postings], postings, strict=False)]
