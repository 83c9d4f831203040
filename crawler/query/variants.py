"""Words as others write them: the rule of ``sql/search/variant_key.sql`` in plain Python."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_ACCENTED = re.compile("[\u00c0-\u024f\u0386-\u03ce\u0400-\u045f\u1e00-\u1fff]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", **dict(zip("đøłħıŧ", "dolhit", strict=True))})
_KATAKANA = "".join(map(chr, range(0x30A1, 0x30F7)))
_HIRAGANA = "".join(map(chr, range(0x3041, 0x3097)))
_TO_HIRAGANA = str.maketrans(_KATAKANA, _HIRAGANA)
_TO_KATAKANA = str.maketrans(_HIRAGANA, _KATAKANA)
_KANA = re.compile("[ぁ-ゖァ-ヺー]")
_KANA_ALONE = re.compile("[ぁ-ゖァ-ヺー]{2,}")
_V = re.compile("ヴ([ァィェォ])")
_B = dict(zip("ァィェォ", "バビベボ", strict=True))
# Without small letters, and long vowels at all; ぢ and づ sound like じ and ず.
_LARGE = str.maketrans("ァィゥェォャュョッヮ", "アイウエオヤユヨツワ")
_PLAIN_KANA = str.maketrans("ぁぃぅぇぉゃゅょっゎゕゖぢづゔ", "あいうえおやゆよつわかけじずぶ", "ー")
_LONG_E = re.compile("(?<=[えけせてねへめれげぜでべぺ])い")
_LOANWORD = re.compile("[ァ-ヺー]{2,}")
_LONG_END = re.compile("(?<=[ァ-ヺー][ァ-ヺー])ー(?![ァ-ヺー])")
_SHORT_END = re.compile("(?<=[ァ-ヺー][ァ-ヺ])(?![ァ-ヺー])")
_BORDER = re.compile(
    r"(?<=[a-z\u3005-\ud7a3])[-‐–−_ ]?(?=[0-9])|(?<=[0-9])[-‐–−_ ]?(?=[a-z\u3005-\ud7a3])"
    r"|(?<=[a-z])[-‐–−](?=[a-z])"
)
_COMPOUND = re.compile("[가-힣]{3,20}")
_KOREAN_BLANK = re.compile("(?<=[가-힣]) (?=[가-힣])")


def variant_key(word: str) -> str:
    """A lower-case word without accents; kana as hiragana, without long vowels and small letters."""
    if _ACCENTED.search(word):
        kept = unicodedata.normalize("NFD", word.translate(_LETTERS).replace("й", "\x01"))
        word = unicodedata.normalize("NFC", _ACCENTS.sub("", kept)).replace("\x01", "й")
    if _KANA.search(word):
        word = _V.sub(lambda found: _B[found.group(1)], word).translate(_TO_HIRAGANA)
        word = _LONG_E.sub("", word.translate(_PLAIN_KANA))
    return word


def closed(text: str) -> str:
    """A folded text without accents and what parts letters from digits: ``ora01555``, ``timeout``."""
    text = _ACCENTS.sub("", text)
    if _ACCENTED.search(text):
        text = "".join(
            variant_key(part) if _ACCENTED.search(part) else part for part in re.split(r"(\s)", text)
        )
    return _BORDER.sub("", text)


def without_blanks(text: str) -> str:
    """A text whose Korean words stand together."""
    return _KOREAN_BLANK.sub("", text)


def is_compound(word: str) -> bool:
    """Tell whether a blank may stand within a Korean word."""
    return bool(_COMPOUND.fullmatch(word))


def loanwords(text: str) -> Iterator[str]:
    """The keys of a text's words in katakana."""
    return map(variant_key, _LOANWORD.findall(text))


def in_kana(word: str) -> set[str]:
    """A word that has kana, in the other kana, with long and short ends, and without small letters."""
    if not _KANA.search(word):
        return set()
    return {
        word.translate(_TO_HIRAGANA),
        word.translate(_TO_KATAKANA),
        _LONG_END.sub("", word),
        _V.sub(lambda found: _B[found.group(1)], word).translate(_LARGE),
        _SHORT_END.sub("ー", word),
    }


def is_kana(word: str) -> bool:
    """Tell whether a word is kana alone."""
    return bool(_KANA_ALONE.fullmatch(word))
