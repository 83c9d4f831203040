"""The page's words in three languages, and which of them somebody reads."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

LANGUAGES = {"en": "English", "ko": "한국어", "ja": "日本語"}
_WISH = re.compile(r"\s*([a-zA-Z]{1,8})(?:-[a-zA-Z0-9-]{0,30})?\s*(?:;\s*q\s*=\s*([0-9.]{1,6})\s*)?")


@cache
def words_of(language: str) -> Mapping[str, str]:
    """The words of a language of LANGUAGES."""
    words: dict[str, dict[str, str]] = tomllib.loads((files(__package__) / "words.toml").read_text("utf-8"))
    return words[language]


def wanted_language(asked: str | None, remembered: str | None, accepted: str) -> str:
    """Which language to answer in.

    Args:
        asked: in the address.
        remembered: in a cookie.
        accepted: a browser's Accept-Language.
    """
    for told in (asked, remembered):
        if told in LANGUAGES:
            return told
    wishes = []
    for place, part in enumerate(accepted[:1000].split(",")):
        if (wish := _WISH.fullmatch(part)) is not None and wish[1].lower() in LANGUAGES:
            try:
                weight = float(wish[2] or 1)
            except ValueError:
                continue
            if weight > 0:
                wishes.append((-weight, place, wish[1].lower()))
    return min(wishes)[2] if wishes else "en"
