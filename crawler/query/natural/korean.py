"""Korean words: particles and endings come off, what they join or exclude is kept."""

from __future__ import annotations

import re

from crawler.query.direct import bare
from crawler.query.natural.english import is_identifier
from crawler.query.natural.lexicon import lexicon, nouns
from crawler.query.natural.terms import Item, Kind, left_out, term
from crawler.query.script import fold

_HEAD_TAIL = re.compile(r"(.*[^가-힣])([가-힣]+)$", re.DOTALL)
_AFTER_WITH = (
    "관련",
    "연관",
    "같은",
    "비슷",
    "유사",
    "동일",
    "다른",
)  # after these 와/과 means "to", not "and"
_RIEUL = 8  # the place of ㄹ among the last consonants
_OR_ENDINGS = ("거나",)


def read_words(words: list[str]) -> list[Item]:
    """Read words that contain Korean, as typed."""
    items: list[Item] = []
    for word in words:
        pause = word.endswith((",", ";"))
        if items and items[-1].kind is Kind.AND and word.startswith(_AFTER_WITH):
            items[-1] = left_out(items[-1].text)
        if items and items[-1].text == "수" and word.startswith(("없", "있")):
            items.append(left_out(bare(word)))  # "로그인할 수 없는": what one cannot do, and no "without"
            continue
        items += _read(bare(word))
        if pause:
            items.append(Item(Kind.COMMA, ","))
    return items


def _read(word: str) -> list[Item]:
    known = lexicon("ko")
    if not word:
        return []
    if item := known.joint(fold(word)):
        return [item]
    if known.has("asking", fold(word)):
        return [Item(Kind.TERM, word, dropped=True)]  # left out later, unless something follows
    divided = _HEAD_TAIL.match(word)
    if divided:
        return _read_divided(word, divided[1], divided[2])
    stem, joint = split_particle(word)
    return [known.joint(fold(stem)) or term(stem), *joint]


def _read_divided(word: str, head: str, tail: str) -> list[Item]:
    """Read a word whose first part is not Korean: "ORA-01555가", "SVC99에러"."""
    known = lexicon("ko")
    if known.has("particles", tail) or known.has("endings", tail):
        return [term(bare(head)), _particle(tail)]
    if is_identifier(head) and not head.isdigit():
        return [term(bare(head)), *_read(tail)]
    stem, joint = split_particle(word)
    return [term(stem), *joint]


def split_particle(word: str) -> tuple[str, list[Item]]:
    """Part a word from its particle or ending; what the particle does, if there is one."""
    known = lexicon("ko")
    if word.endswith(known.ordered("whole")) or word in nouns("ko"):
        return word, []
    for end in (*known.ordered("endings"), *known.ordered("particles")):
        stem = word.removesuffix(end)
        if stem == word or not _can_stand(stem) or not _sounds_right(stem, end):
            continue
        return stem, [_particle(end)]
    return word, []


def _particle(end: str) -> Item:
    known = lexicon("ko")
    if end.endswith(_OR_ENDINGS) or known.has("or", end):
        return Item(Kind.OR, end)
    if known.has("and", end):
        return Item(Kind.AND, end)
    return left_out(end)


def _can_stand(stem: str) -> bool:
    return len(stem) > 1 or lexicon("ko").has("short", stem)


def _sounds_right(stem: str, end: str) -> bool:
    """Tell whether the particle has the form that Korean wants after the stem's last sound."""
    known = lexicon("ko")
    last = ord(stem[-1]) - 0xAC00
    if not 0 <= last < 11172:
        return True
    consonant = last % 28
    if known.has("after_consonant", end):
        return consonant != 0 and not (end.startswith("으로") and consonant == _RIEUL)
    if known.has("after_vowel", end):
        return consonant == 0 or (end.startswith("로") and consonant == _RIEUL)
    return True
