"""Whether a question is about open or about closed issues."""

from __future__ import annotations

import re
from functools import cache

from crawler.query.natural.lexicon import lexicon
from crawler.query.script import fold

_EN_OPEN = r"open|unresolved|unsolved|outstanding|unfixed|pending|unfinished|in[- ]progress|ongoing"
_EN_CLOSED = r"closed|resolved|solved|fixed|finished|completed"
_EN_NOUN = r"(?:issues?|tickets?|bugs?|cases|problems?|defects?|ones|reports|tasks|items|incidents)"
_EN_ISSUE = rf"(?=\s+(?:\S+\s+){{0,2}}?{_EN_NOUN}\b)"
# What follows "bugs open": something about them, and not what was opened.
_EN_AFTER = (
    r"(?=\s*(?:$|[,;?.!])|\s+(?:in|on|about|for|since|with|without|by|last|this|that|and|before|after|from|of|until"
    r"|regarding|related|concerning|today|yesterday|during|between|assigned|reported|mentioning|containing)\b)"
)
_EN_BE = r"(?:are|is|were|was|remain|remains|stay|been|being|got|get)"
_EN_STILL = r"(?:still|currently|now|already|yet|always)"
_EN_NOT = r"(?:not|never|haven't|hasn't|aren't|isn't|weren't|wasn't|yet\s+to\s+be)"
# "Unresolved external symbol" is no state of an issue.
_EN_LINKED = (
    r"(?!\s+(?:external|symbols?|references?|dependenc|imports?|hosts?|hostnames?|names?|method|link))"
)
_KO_NOUN = r"(?:이슈|건|티켓|문제|케이스|버그|결함|것|사례)"
_KO_ISSUE = rf"(?=\s*(?:[가-힣A-Za-z]+\s+)??{_KO_NOUN})"
_KO_DONE = r"(?:해결|처리|종료|완료|조치|수정|마감)"
_JA_ISSUE = r"(?=課題|チケット|イシュー|件|問題|バグ|もの|不具合|障害|案件|タスク|作業)"


_SUBJECT = re.compile(r"(?:(?<![가-힣A-Za-z0-9])[가-힣A-Za-z0-9]+(?:이|가|을|를)\s+|[がを])$")


@cache
def pattern() -> re.Pattern[str]:
    """Compile the one pattern for all ways to name a state."""
    states = (
        rf"\b{_EN_NOUN}\s+(?:(?:that|which)\s+)?(?:{_EN_BE}\s+|have\s+|has\s+)?(?:{_EN_NOT}\s+)(?:yet\s+)?(?:been\s+)?"
        rf"(?P<open9>{_EN_CLOSED})(?:\s+yet)?{_EN_AFTER}",
        rf"\b{_EN_NOUN}\s+(?:(?:that|which)\s+)?(?:{_EN_BE}\s+|have\s+been\s+|has\s+been\s+)?(?:{_EN_STILL}\s+)?"
        rf"(?:(?P<open10>{_EN_OPEN})|(?P<closed10>{_EN_CLOSED})){_EN_AFTER}",
        rf"(?P<adjective>\b(?:(?P<open0>still\s+open|{_EN_OPEN})|(?P<closed0>{_EN_CLOSED})))\b{_EN_ISSUE}",
        rf"(?P<alone>\b(?P<open11>unresolved|unsolved|unfixed))\b{_EN_LINKED}",
        r"\b(?:only\s+)?(?:(?P<open12>open)|(?P<closed12>closed))\s+only\b",
        rf"\b(?:that|which)\s+(?:are|is)\s+(?:still\s+|currently\s+|now\s+)?"
        rf"(?:(?P<open1>{_EN_OPEN})|(?P<closed1>{_EN_CLOSED}))\b",
        rf"\b(?:that|which)\s+(?:are|is)\s+not\s+(?:yet\s+)?(?P<open2>{_EN_CLOSED})\b",
        rf"\b(?:that|which)\s+(?:have|has)(?:\s+not|n't)\s+(?:yet\s+)?been\s+(?P<open13>{_EN_CLOSED})\b",
        r"\b(?P<open3>still\s+(?:open|unresolved|pending)|not\s+yet\s+(?:closed|resolved|fixed|solved)"
        r"|not\s+(?:closed|resolved|fixed|solved)\s+yet)\b",
        rf"\b(?:status|state|is)\s*[=:]\s*(?:(?P<open4>{_EN_OPEN})|(?P<closed4>{_EN_CLOSED}))\b",
        rf"\bstatus\s*(?:is\s+)?(?:(?P<open14>{_EN_OPEN})|(?P<closed14>{_EN_CLOSED}))\b",
        r"(?P<open5>미해결(?:된|인|의|\s*상태의?)?|미처리(?:된|인|의)?|미완료(?:된|인|의)?|미종결(?:된|인|의)?)(?![가-힣])",
        rf"(?P<open6>(?:아직\s*)?{_KO_DONE}(?:되지|하지)\s*(?:않은|못한)(?!\s*예외)"  # an unhandled exception
        rf"|(?:아직\s*)?{_KO_DONE}(?:이|가)?\s*안\s*(?:된|됨|끝난)"
        rf"|닫히지\s*않은{_KO_ISSUE}|아직\s*안\s*(?:닫힌|끝난|된){_KO_ISSUE})",
        rf"(?P<open7>열려\s*있는|열린|오픈된|오픈(?:\s*상태)?(?:의|인)?|(?:진행|처리|검토|작업)\s*중인?|open\s*(?:된|상태의?))"
        rf"{_KO_ISSUE}",
        rf"(?P<closed5>(?:(?:처리|조치|수정)\s*)?(?:종료|완료|해결|처리|조치|마감|종결|클로즈|닫)(?:된|힌)|종료|closed\s*(?:된|상태의?))"
        rf"(?=\s*{_KO_NOUN})",
        r"(?P<closed7>(?:해결|완료|종결|조치)된|닫힌)(?=\s+[가-힣A-Za-z0-9]+\s+(?:이슈|티켓|버그)(?![가-힣]{2}))",
        r"(?P<closed8>(?:解決|完了|クローズ)(?:した|された))(?=[^\s、。]{1,12}の(?:課題|チケット|イシュー|バグ))",
        r"(?P<open8>(?:まだ)?(?:未解決の?|未完了の?|未対応の?|未クローズの?|未処理の?))",
        rf"(?P<open15>まだ(?:解決|完了|対応|クローズ)(?:して|されて|できて)い?ない|(?:解決|完了|対応|クローズ)(?:して|されて)い?ない){_JA_ISSUE}",
        rf"(?P<open16>オープン(?:中の|状態の|のままの|な|の)|(?:まだ)?(?:開いている|残っている)|(?:対応|進行|処理|調査|作業)中の?){_JA_ISSUE}",
        rf"(?P<closed6>(?:クローズ|解決|完了|対応|処理)(?:済みの?|済の?)|(?:クローズ|解決|完了)(?:した|された){_JA_ISSUE}"
        rf"|(?:閉じた|閉じられた|終わった){_JA_ISSUE})",
    )
    return re.compile("|".join(states), re.IGNORECASE)


def read_state(found: re.Match[str]) -> str | None:
    """Return ``open`` or ``closed``; None where "open" or "closed" says something of another thing."""
    if found.group("adjective") or found.group("alone"):
        # "open issues" is a state, "cannot open file issues" is not: only words of asking may come before.
        words, english = fold(found.string[: found.start()]).split(), lexicon("en")
        before = words[-1] if words else "all"
        refusing = {"cannot", "can't", "not", "to", "couldn't", "don't", "i", "we", "won't"}
        counted = words[-2:] == ["how", "many"]
        if before in refusing or not (
            counted or english.has("stop", before) or english.has("asking", before)
        ):
            return None
    if _SUBJECT.search(found.string[: found.start()]) and not found.group().isascii():
        return None  # what was closed is no issue: "프로세스가 종료된 이슈"
    name = next(
        name for name, text in found.groupdict().items() if text and name not in ("adjective", "alone")
    )
    return name.rstrip("0123456789")
