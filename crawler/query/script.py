"""Which script a character belongs to, and text cleaned of what no query can mean."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

HANGUL = "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"
HIRAGANA = "\u3041-\u309f"
KATAKANA = "\u30a0-\u30ff\u31f0-\u31ff\uff66-\uff9f"
HAN = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
CJK = HANGUL + HIRAGANA + KATAKANA + HAN
_UNSPACED = CJK + "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"

# NUL cannot be stored and a lone surrogate cannot be encoded; both only ever come from a broken paste.
_UNSAYABLE = "\x00-\x1f\x7f-\x9f\ud800-\udfff"
# Invisible, and some of them turn the reading direction of whatever shows the query.
_INVISIBLE = "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
# What no font shows (Default_Ignorable_Code_Point): of no account when texts are compared.
_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_MOST_MARKS = 30  # as in Unicode's stream-safe text; normalizing longer runs takes quadratic time


@cache  # compiling one of these takes milliseconds, and a query in English needs none
def _any_of(characters: str) -> re.Pattern[str]:
    return re.compile(f"[{characters}]")


def clean(text: str) -> str:
    """Return the text composed (NFC), without control characters, lone surrogates and bidi controls."""
    if text.isascii() and text.isprintable():
        return text
    text = _any_of(_INVISIBLE).sub("", _any_of(_UNSAYABLE).sub(" ", text))
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _with_few_marks(text))


def fold(text: str) -> str:
    """Return the text as it is compared: without compatibility forms, capitals and what nobody sees."""
    if text.isascii():
        return text.casefold()
    text = unicodedata.normalize("NFKC", _with_few_marks(_any_of(_IGNORABLE).sub("", text))).casefold()
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def is_unspaced(char: str) -> bool:
    """Tell whether the character belongs to a script whose words are not, or not only, parted by spaces."""
    return not char.isascii() and bool(_any_of(_UNSPACED).match(char))


def is_spaced_letter(char: str) -> bool:
    """Tell whether the character is a letter or digit of a script that parts words by spaces."""
    return char.isalnum() and not is_unspaced(char)


def language_of(text: str) -> str:
    """Return ``ko``, ``ja`` or ``en``, by the script that most of the text is in."""
    if text.isascii():
        return "en"
    kana, hangul = len(_any_of(HIRAGANA + KATAKANA).findall(text)), len(_any_of(HANGUL).findall(text))
    if hangul and hangul >= kana:
        return "ko"
    return "ja" if kana or _any_of(HAN).search(text) else "en"


def language_of_word(word: str, *, japanese_text: bool) -> str:
    """Return the same of a word; one in Chinese characters is Japanese in a Japanese text."""
    if word.isascii():
        return "en"
    has_kana = _any_of(HIRAGANA + KATAKANA).search(word) is not None
    if _any_of(HANGUL).search(word) and not has_kana:
        return "ko"
    return "ja" if has_kana or (japanese_text and _any_of(HAN).search(word)) else "en"


def says_something(text: str) -> bool:
    """Tell whether there is a letter, a digit or a picture in the text, not just punctuation."""
    return any(char.isalnum() or unicodedata.category(char) == "So" for char in text)


def _with_few_marks(text: str) -> str:
    kept: list[str] = []
    run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)
