"""Whether a question is about open or about closed issues."""

from __future__ import annotations

import re
from functools import cache

from crawler.query.natural.lexicon import lexicon
from crawler.query.script import fold

_EN_OPEN = r"open|unresolved|unsolved|outstanding|unfixed"
_EN_CLOSED = r"closed|resolved|solved|fixed|finished"
_EN_ISSUE = r"(?=\s+(?:\S+\s+){0,2}?(?:issues?|tickets?|bugs?|cases|problems?|defects?)\b)"
_KO_ISSUE = r"(?=\s*(?:이슈|건|티켓|문제|케이스|버그|결함|것))"
_JA_ISSUE = r"(?=課題|チケット|イシュー|件|問題|バグ|もの)"


@cache
def pattern() -> re.Pattern[str]:
    """Compile the one pattern for all ways to name a state."""
    states = (
        rf"(?P<adjective>\b(?:(?P<open0>still\s+open|{_EN_OPEN})|(?P<closed0>{_EN_CLOSED})))\b{_EN_ISSUE}",
        rf"\b(?:that|which)\s+(?:are|is)\s+(?:still\s+|currently\s+|now\s+)?"
        rf"(?:(?P<open1>{_EN_OPEN})|(?P<closed1>{_EN_CLOSED}))\b",
        rf"\b(?:that|which)\s+(?:are|is)\s+not\s+(?:yet\s+)?(?P<open2>{_EN_CLOSED})\b",
        r"\b(?P<open3>still\s+open|not\s+yet\s+(?:closed|resolved|fixed|solved))\b",
        rf"\bstatus\s*(?:is|=|:)?\s*(?:(?P<open4>{_EN_OPEN})|(?P<closed4>{_EN_CLOSED}))\b",
        r"(?P<open5>미해결(?:된|인|의|\s*상태의?)?|미처리(?:된|인|의)?)(?![가-힣])",
        r"(?P<open6>(?:아직\s*)?(?:해결|처리|종료|완료)(?:되지|하지)\s*(?:않은|못한)|(?:해결|처리|종료|완료)\s*안\s*된)",
        rf"(?P<open7>열려\s*있는|열린|오픈된|오픈\s*상태의?|진행\s*중인?|open\s*(?:된|상태의?)){_KO_ISSUE}",
        rf"(?P<closed5>(?:종료|완료|해결|처리|마감|클로즈|닫)(?:된|힌)|종료|closed\s*(?:된|상태의?)){_KO_ISSUE}",
        r"(?P<open8>未解決の?|未完了の?|未対応の?|未クローズの?)",
        rf"(?P<open9>オープン(?:中の|状態の|な|の)|対応中の?){_JA_ISSUE}",
        rf"(?P<closed6>(?:クローズ|解決|完了|対応)(?:済みの?|済の?)|(?:クローズ|解決|完了)(?:した|された){_JA_ISSUE})",
    )
    return re.compile("|".join(states), re.IGNORECASE)


def read_state(found: re.Match[str]) -> str | None:
    """Return ``open`` or ``closed``; None where "open" or "closed" says something of another thing."""
    if found.group("adjective"):
        # "open issues" is a state, "cannot open file issues" is not: only words of asking may come before.
        words, english = fold(found.string[: found.start()]).split(), lexicon("en")
        before = words[-1] if words else "all"
        refusing = {"cannot", "can't", "not", "to", "couldn't", "don't", "i", "we", "won't"}
        if before in refusing or not (english.has("stop", before) or english.has("asking", before)):
            return None
    name = next(name for name, text in found.groupdict().items() if text and name != "adjective")
    return name.rstrip("0123456789")
