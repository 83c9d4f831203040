"""Whom a question names: who reported an issue, and who is to deal with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from crawler.query.natural.lexicon import lexicon, product_names
from crawler.query.natural.terms import Item, Kind, Piece, few_blanks
from crawler.query.script import fold

_JOINED_AFTER: Final = re.compile(r"\s+(?:or|and|OR|AND|&)\s+[A-Z][a-z]")
_JOINED_BEFORE: Final = re.compile(
    r"(?:[가-힣]\s*(?:또는|혹은|이나|나|와|과|하고|및)|[\u3400-\u9fff]\s*(?:または|や|か|と|、))\s*$"
)
_CODE: Final = re.compile(r"[A-Z]+-?[0-9]+")

# Names: one to three with a capital, a login name or mail address, or one word in whatever case.
_CAPITALS = r"(?-i:[A-Z][\w.'’-]{0,60}(?:\s+[A-Z][\w.'’-]{0,60}){0,2})"
_LOGIN = r"[^\W_]{1,60}(?:[.@_+-]{1,3}[^\W_]{1,60}){1,9}"
_WORD = r"[A-Za-z][\w'’-]{0,60}"
_ENGLISH = rf"(?:{_CAPITALS}|{_LOGIN}|[가-힣]{{2,4}}|[\u3400-\u9fff\u30a0-\u30ff々]{{1,8}}|{_WORD})"
_KOREAN = r"(?:[가-힣]{2,4}?|[A-Za-z][A-Za-z0-9._@-]{0,60})"
_JAPANESE = r"(?:[\u3400-\u9fff々]{1,6}?|[\u30a1-\u30ffー・]{2,12}|[A-Za-z][A-Za-z0-9._@-]{0,60})"
_SAN = r"(?:さん|氏|様|さま|君|くん)"
_NIM = r"(?:\s*(?:님|씨))?"

_HOLE = "\ue000"  # stands for a part of the question that is understood already
_BY = rf"\s+(?:{_HOLE}\s*)?by(?:\s*:\s*|\s+)"
_DID = r"reported|filed|submitted"  # said of issues only
_MADE = r"opened|created|raised|registered|logged|written|posted"  # said of sessions and errors too
_KO_DID = r"(?:등록|보고|작성|신고|제보|접수|생성|문의|요청|제출|기재)(?:한|했던|하신)|올린|올리신|남긴|쓴"
_KO_REPORTER = r"보고자|등록자|작성자|신고자|제보자|요청자|문의자|리포터"
_JA_DID = r"(?:報告|登録|起票|作成|提出|申告|投稿|記入)(?:した|された|している|してくれた)|上げた|書いた"
_JA_REPORTER = r"(?:報告|登録|起票|作成|申告|投稿)者"
_GIVEN = (
    r"(?:割り?当て|割当て?|アサイン)(?:られた|られている|られてる|た|済みの|された|されている|されて|中の|の)"
)
_KO_END, _JA_END = r"(?![가-힣])", r"(?![\u3400-\u9fff])"
_ISSUES = r"(?:issues?|tickets?|bugs?|cases|problems?|defects?|reports?|tasks?|items)"
_LOOSE: Final = ("reporter1", "owner0", "owner1")  # may speak of something else than an issue


@cache
def pattern() -> re.Pattern[str]:
    """Compile the one pattern for all ways to name somebody; the group that matched says in which role."""
    ways = (
        rf"\b(?:{_DID}){_BY}(?P<reporter0>{_ENGLISH})",
        rf"\b(?:{_MADE}){_BY}(?P<reporter1>{_ENGLISH})",
        rf"\b(?:the\s+)?(?:reporter|author|submitter|creator)\s*(?:is|=|:)\s*(?P<reporter2>{_ENGLISH})",
        rf"(?P<reporter9>(?-i:[A-Z][\w.'’-]{{0,60}}))\s+(?:{_HOLE}\s*)?(?:{_DID})\b",
        rf"\b(?:did|has|have)\s+(?P<reporter7>{_CAPITALS})\s+(?:report|file|submit|raise|open|log|create)(?:ed|d)?\b",
        rf"\b(?:assigned|allocated)\s+to(?:\s*:\s*|\s+)(?P<owner0>{_ENGLISH})",
        rf"\b(?:owned|handled|worked\s+on){_BY}(?P<owner1>{_ENGLISH})",
        rf"\b(?:the\s+)?(?:owner|assignee)\s*(?:is|=|:)\s*(?P<owner2>{_ENGLISH})",
        rf"(?P<owner12>{_CAPITALS})['’]s(?=\s+(?:\w+\s+)?{_ISSUES}\b)",
        rf"(?P<reporter3>{_KOREAN}){_NIM}(?:이|가|께서)\s*(?:{_HOLE}\s*)?(?:{_KO_DID}){_KO_END}",
        rf"(?:{_KO_REPORTER})(?:가|는|이)?\s*[:=：]?\s*(?P<reporter4>{_KOREAN}){_NIM}(?:인|이|의|가)?{_KO_END}",
        rf"(?P<owner3>{_KOREAN}){_NIM}\s*(?:에게|한테|께|앞으로)\s*(?:{_HOLE}\s*)?"
        rf"(?:할당|배정|지정|배당)(?:된|한|되어\s*있는|돼\s*있는){_KO_END}",
        rf"(?P<owner4>{_KOREAN}){_NIM}(?:이|가)\s*"
        rf"(?:담당(?:하는|하고\s*있는|중인|한|인)|맡은|맡고\s*있는|처리하는){_KO_END}",
        rf"담당자?(?:가|는)?\s*[:=：]\s*(?P<owner5>{_KOREAN}){_NIM}(?:인|의)?{_KO_END}",
        rf"담당자(?:가|는)?\s+(?P<owner6>{_KOREAN}){_NIM}(?:인|의|이|가)?{_KO_END}",
        rf"(?P<owner7>{_KOREAN}){_NIM}\s*담당(?:\s*(?:중인|인|의))?{_KO_END}",
        rf"(?P<reporter5>{_JAPANESE}){_SAN}?(?:が|から|により|による)\s*(?:{_HOLE}\s*)?(?:{_JA_DID})",
        rf"(?P<reporter8>{_JAPANESE}){_SAN}?(?:による|からの)(?:報告|起票|登録|申告|問い合わせ){_JA_END}",
        rf"{_JA_REPORTER}(?:が|は)?\s*[:=：]?\s*(?P<reporter6>{_JAPANESE}){_SAN}?(?:の|である)?{_JA_END}",
        rf"(?P<owner8>{_JAPANESE}){_SAN}?に\s*(?:{_HOLE}\s*)?{_GIVEN}",
        rf"(?P<owner9>{_JAPANESE}){_SAN}?(?:が|の)?担当(?:している|してる|する|した|中の|の|です)?(?!者){_JA_END}",
        rf"担当者?(?:が|は)\s*(?P<owner10>{_JAPANESE}){_SAN}?(?:の|である)?{_JA_END}",
        rf"担当者?\s*[:=：\s]\s*(?P<owner11>{_JAPANESE}){_SAN}?(?:の)?{_JA_END}",
    )
    return re.compile(few_blanks("|".join(ways)), re.IGNORECASE)


_CUES: Final = re.compile(
    r"\bby\b|\bto\b|reported|filed|submitted|\bdid\b|\bha(?:s|ve)\b|reporter|author|submitter|creator|owner|assignee|['’]s\b"
    r"|담당|맡|할당|배정|지정|배당|자|한|[올남쓴]|[報登起作提申投記上書担割当問]|アサイン",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(
    rf"\b(?:(?P<reporter>(?:{_DID}|{_MADE})\s+by|(?:reporter|author|submitter|creator)\s*(?:is|=|:))"
    r"|(?P<owner>(?:assigned|allocated)\s+to|(?:owned|handled)\s+by|(?:owner|assignee)\s*(?:is|=|:)))\s*$",
    re.IGNORECASE,
)


def may_name(text: str) -> bool:
    """Tell whether somebody may be named. ``pattern`` knows; it takes far longer to compile."""
    return _CUES.search(text) is not None


def read_person(found: re.Match[str]) -> tuple[str, str] | None:
    """Return the role and the name; None where it names nobody, such as "reported by a customer"."""
    group, name = next((group, name) for group, name in found.groupdict().items() if name)
    role, name = group.rstrip("0123456789"), name.strip(" .,'’")
    if any(_is_nobody(fold(word)) for word in name.split()) or _CODE.match(name):
        return None
    if fold(name) in map(fold, product_names()) or _is_one_of_several(found):
        return None
    if group == "reporter9" and not _is_of_issues(found, begins=False):
        return None
    # "Value assigned to x", "created by trigger": of a name in small letters issues must be said.
    certain = group not in _LOOSE or (group == "owner0" and _is_name(name))
    if not certain and not _is_of_issues(found, begins=_is_name(name) or group == "owner0"):
        return None
    written = group in ("owner6", "owner7", "reporter4") and not re.search("[:=：]", found.group())
    if written and re.fullmatch(r"[가-힣]+", name) and name[0] not in _surnames():
        return None
    return role, name


def _is_one_of_several(found: re.Match[str]) -> bool:
    """Tell whether another name is joined to it: a filter takes one."""
    text = found.string
    return bool(_JOINED_AFTER.match(text, found.end()) or _JOINED_BEFORE.search(text[: found.start()]))


def quoted_person(text: str, following: Item) -> tuple[str, str] | None:
    """Return where the words begin that make a name of the quoted phrase after them, and the role."""
    found = _QUOTED.search(text) if following.phrase and following.kind is Kind.TERM else None
    return (text[: found.start()], str(found.lastgroup)) if found else None


def with_quoted(pieces: list[Piece], take: dict[str, str]) -> list[Piece]:
    """Make filters of quoted names."""
    kept: list[Piece] = []
    for piece in pieces:
        before = kept[-1] if kept else ""
        if isinstance(piece, Item) and isinstance(before, str) and (named := quoted_person(before, piece)):
            text, role = named
            if role not in take:
                take[role] = piece.text
                kept[-1] = text
                kept.append(Item(Kind.FILTER, piece.text))
                continue
        kept.append(piece)
    return kept


def split(pieces: list[Piece], read: Callable[[re.Match[str]], Item | None]) -> list[Piece]:
    """Read whoever is named; what is understood already may stand within the words that name them."""
    texts = [_HOLE if isinstance(piece, Item) else piece.replace(_HOLE, " ") for piece in pieces]
    items = iter([piece for piece in pieces if isinstance(piece, Item)])
    text, at = "".join(texts), 0
    parts: list[Piece] = []
    for found in pattern().finditer(text):
        person = read(found)
        if person is not None:
            parts += [*_filled(text[at : found.start()], items), person]
            parts += [piece for piece in _filled(found.group(), items) if isinstance(piece, Item)]
            at = found.end()
    return [*parts, *_filled(text[at:], items)]


def _filled(text: str, items: Iterator[Item]) -> list[Piece]:
    first, *rest = text.split(_HOLE)
    return [first, *(piece for part in rest for piece in (next(items), part))]


def _is_of_issues(found: re.Match[str], *, begins: bool) -> bool:
    """Tell whether issues stand before it, or, where that will do, nothing."""
    known = lexicon("en")
    for word in reversed(found.string[: found.start()].replace(_HOLE, " ").split()):
        plain = fold(word).strip(".,;:?!")
        if re.fullmatch(_ISSUES, plain):
            return True
        if not (known.has("stop", plain) or known.has("asking", plain) or known.has("status", plain)):
            return False
    return begins


def _is_name(name: str) -> bool:
    return not name.isascii() or name[0].isupper() or bool(re.fullmatch(_LOGIN, name))


def _is_nobody(word: str) -> bool:
    return lexicon("en").joint(word) is not None or any(
        lexicon(language).has("nobody", word) for language in ("en", "ko", "ja")
    )


@cache
def _surnames() -> frozenset[str]:
    return lexicon("ko").lists["surnames"]
