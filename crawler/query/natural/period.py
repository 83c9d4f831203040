"""A stretch of days, read from what people write for one in three languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import TypeAlias

Period: TypeAlias = tuple[date, date]  # the first and the last day, both included

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_YEAR = r"(?:19|20)[0-9]{2}"


def _iso(found: re.Match[str], today: date) -> Period:
    day = date(int(found[1]), int(found[2]), int(found[3]))
    return day, day


def _year(found: re.Match[str], today: date) -> Period:
    return date(int(found[1]), 1, 1), date(int(found[1]), 12, 31)


def _year_month(found: re.Match[str], today: date) -> Period:
    return month(int(found[1]), int(found[2]))


def _month_year(found: re.Match[str], today: date) -> Period:
    return month(int(found[2]), _MONTHS.index(found[1][:3].lower()) + 1)


def _month_alone(found: re.Match[str], today: date) -> Period:
    return _last_such_month(today, _MONTHS.index(found[1][:3].lower()) + 1)


def _month_number(found: re.Match[str], today: date) -> Period:
    return _last_such_month(today, int(found[1]))


def _month_day_year(found: re.Match[str], today: date) -> Period:
    day = date(int(found[3]), _MONTHS.index(found[1][:3].lower()) + 1, int(found[2]))
    return day, day


def _day_month_year(found: re.Match[str], today: date) -> Period:
    day = date(int(found[3]), _MONTHS.index(found[2][:3].lower()) + 1, int(found[1]))
    return day, day


def _last_such_month(today: date, number: int) -> Period:
    return month(today.year - (number > today.month), number)


def _days_ago(first: int, last: int) -> Callable[[re.Match[str], date], Period]:
    return lambda found, today: (today - timedelta(first), today - timedelta(last))


def _week(back: int) -> Callable[[re.Match[str], date], Period]:
    def period(found: re.Match[str], today: date) -> Period:
        monday = today - timedelta(today.weekday() + 7 * back)
        return monday, monday + timedelta(6)

    return period


def _month_back(back: int) -> Callable[[re.Match[str], date], Period]:
    def period(found: re.Match[str], today: date) -> Period:
        years, number = divmod(today.year * 12 + today.month - 1 - back, 12)
        return month(years, number + 1)

    return period


def _year_back(back: int) -> Callable[[re.Match[str], date], Period]:
    return lambda found, today: (date(today.year - back, 1, 1), date(today.year - back, 12, 31))


def _past(found: re.Match[str], today: date) -> Period:
    many, unit = found[1], found[2].lower()
    number = _NUMBERS.get(many.lower().strip(), 0) or int(many)
    if unit[0] in "h시時":
        return today - timedelta(-(-number // 24)), today
    if unit[0] in "w주週":
        return today - timedelta(7 * number), today
    if unit[0] in "m달개月か":
        return months_before(today, number), today
    if unit[0] in "y년年":
        return months_before(today, 12 * number), today
    return today - timedelta(number), today


def _ago(found: re.Match[str], today: date) -> Period:
    """The day so many days ago; the week, month or year so many of them ago."""
    many, unit = found[1], found[2].lower()
    number = _NUMBERS.get(many.lower().strip(), 0) or int(many)
    if unit[0] in "w주週" or unit == "일주일":
        return _week(number)(found, today)
    if unit[0] in "m달개月か":
        return _month_back(number)(found, today)
    if unit[0] in "y년年":
        return _year_back(number)(found, today)
    if unit[0] in "h시時":
        number = -(-number // 24)
    return _days_ago(number, number)(found, today)


def _weekday(back: int) -> Callable[[re.Match[str], date], Period]:
    """The last such day of the week, or that of the week so many weeks ago."""

    def period(found: re.Match[str], today: date) -> Period:
        number = _WEEKDAYS[found[1][:3].lower() if found[1].isascii() else found[1][0]]
        if back:
            day = today - timedelta(today.weekday() + 7 * back - number)
        else:
            day = today - timedelta((today.weekday() - number) % 7)
        return day, day

    return period


def _last_weekday(found: re.Match[str], today: date) -> Period:
    day, _ = _weekday(0)(found, today)
    return (day - timedelta(7), day - timedelta(7)) if day == today else (day, day)


def _weekend(found: re.Match[str], today: date) -> Period:
    saturday = today - timedelta((today.weekday() - 5) % 7)
    return saturday, saturday + timedelta(1)


def _part(year: str, number: int, parts: int, today: date) -> Period:
    """A quarter or half of a year: of this one where none is named, unless it lies ahead."""
    months = 12 // parts
    if year and not year.isdigit():
        which = today.year - (year in ("작년", "지난해", "昨年", "去年") or year.lower() == "last year")
    else:
        which = int(year) if year else today.year - (months * (number - 1) >= today.month)
    return month(which, months * (number - 1) + 1)[0], month(which, months * number)[1]


def _quarter(year: int, number: int) -> Callable[[re.Match[str], date], Period]:
    return lambda found, today: _part(found[year] or "", _ORDINALS[found[number].lower()], 4, today)


def _half(year: int, number: int) -> Callable[[re.Match[str], date], Period]:
    return lambda found, today: _part(found[year] or "", _ORDINALS[found[number].lower()], 2, today)


def _named_part(parts: int) -> Callable[[re.Match[str], date], Period]:
    return lambda found, today: _part(found[1] or found[2], _ORDINALS[found[3]], parts, today)


def _quarter_back(back: int) -> Callable[[re.Match[str], date], Period]:
    def period(found: re.Match[str], today: date) -> Period:
        years, number = divmod(today.year * 4 + (today.month - 1) // 3 - back, 4)
        return _part(str(years), number + 1, 4, today)

    return period


def _first_day(found: re.Match[str], today: date) -> Period:
    year = found[1] if found[1].isdigit() else str(today.year - found[1].lower().startswith("last"))
    return (date(int(year), 1, 1),) * 2


def _named_month(found: re.Match[str], today: date) -> Period:
    return month(today.year - (found[1] not in ("올해", "今年")), int(found[2]))


def _days_named(ends: int) -> Callable[[re.Match[str], date], Period]:
    """So many days ago, or from then until now."""

    def period(found: re.Match[str], today: date) -> Period:
        first = today - timedelta(_DAYS[found[1]])
        return first, first if ends else today

    return period


def _month_day(found: re.Match[str], today: date) -> Period:
    """A day without its year: the last one that there was."""
    day = date(today.year, int(found[1]), int(found[2]))
    if day > today:
        day = date(today.year - 1, int(found[1]), int(found[2]))
    return day, day


def _month_name_day(found: re.Match[str], today: date) -> Period:
    name, number = (found[1], found[2]) if found[1][0].isalpha() else (found[2], found[1])
    day = date(today.year, _MONTHS.index(name[:3].lower()) + 1, int(number))
    return (day, day) if day <= today else (day.replace(year=today.year - 1),) * 2


_DAYS = {"하루": 1, "이틀": 2, "사흘": 3, "나흘": 4, "열흘": 10, "보름": 15}
_WEEKDAYS = {
    **{name: at for at, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))},
    **{name: at for at, name in enumerate("월화수목금토일")},
    **{name: at for at, name in enumerate("月火水木金土日")},
}
_WHICH_YEAR = rf"({_YEAR}|this\s+year|last\s+year)"
_KO_YEAR = rf"(?:({_YEAR})\s*년\s*|(작년|올해|지난해)\s*)"
_JA_YEAR = rf"(?:({_YEAR})\s*年\s*の?|(昨年|去年|今年)の?)"
_DAY_NAME = r"(monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_ORDINALS = {
    **{"1": 1, "2": 2, "3": 3, "4": 4, "first": 1, "second": 2, "third": 3, "fourth": 4},
    **{
        "1st": 1,
        "2nd": 2,
        "3rd": 3,
        "4th": 4,
        "상": 1,
        "하": 2,
        "上": 1,
        "下": 2,
        "一": 1,
        "二": 2,
        "三": 3,
        "四": 4,
    },
}
_NUMBERS = {
    **dict.fromkeys(("", "a", "one", "일", "한", "一"), 1),
    **dict.fromkeys(("two", "두", "二"), 2),
    **dict.fromkeys(("couple of", "a couple of"), 2),
    **dict.fromkeys(("three", "few", "a few", "세", "석", "몇", "三", "数"), 3),
    **{"four": 4, "네": 4, "five": 5, "six": 6, "seven": 7, "ten": 10, "twelve": 12},
}
_MANY = (
    r"([0-9]{1,4}|a\s+couple\s+of|couple\s+of|a\s+few|few|a|one|two|three|four|five|six|seven|ten|twelve"
    r"|일|한|두|세|석|네|몇|一|二|三|数)"
)

# How a period is written, and which days it is. The first forms say by themselves that they are a time, the
# second ones only beside a word such as "since".
PLAIN: tuple[tuple[str, Callable[[re.Match[str], date], Period]], ...] = (
    (rf"(?:last|past|previous)\s+{_MANY}\s+(hour|day|week|month|year)s?", _past),
    (r"past()\s+(hour|day|week|month|year)", _past),
    (rf"{_MANY}\s+(hour|day|week|month|year)s?\s+ago", _ago),
    (rf"{_MANY}\s+min(?:ute)?s?\s+ago|{_MANY}\s*분\s*전|{_MANY}\s*分前", _days_ago(0, 0)),
    (r"(?:최근|지난)\s*며칠(?:간|\s*동안)?", _days_ago(3, 0)),
    (rf"(?:last|this\s+past|previous|past)\s+{_DAY_NAME}", _last_weekday),
    (r"(?:last\s+|this\s+|past\s+)?weekend", _weekend),
    (r"last\s+night|overnight", _days_ago(1, 0)),
    (r"this\s+(?:morning|afternoon|evening)|tonight", _days_ago(0, 0)),
    (rf"Q([1-4])[\s,/-]*({_YEAR})", _quarter(2, 1)),
    (rf"({_YEAR})[\s,/-]*Q([1-4])", _quarter(1, 2)),
    (rf"(first|second|third|fourth|1st|2nd|3rd|4th)\s+quarter\s+(?:of\s+)?{_WHICH_YEAR}", _quarter(2, 1)),
    (rf"(first|second|1st|2nd)\s+half\s+(?:of\s+)?{_WHICH_YEAR}", _half(2, 1)),
    (rf"H([12])\s*({_YEAR})", _half(2, 1)),
    (r"(?:last|previous)\s+quarter", _quarter_back(1)),
    (r"this\s+quarter", _quarter_back(0)),
    (rf"{_KO_YEAR}([1-4])\s*분기", _named_part(4)),
    (r"()([1-4])\s*분기", _quarter(1, 2)),
    (r"(?:지난|전)\s*분기", _quarter_back(1)),
    (r"이번\s*분기|금분기", _quarter_back(0)),
    (rf"{_KO_YEAR}(상|하)반기", _named_part(2)),
    (r"()(상|하)반기", _half(1, 2)),
    (rf"{_JA_YEAR}第?([1-4一二三四])\s*四半期", _named_part(4)),
    (r"()第?([1-4一二三四])\s*四半期", _quarter(1, 2)),
    (r"前四半期|前の四半期", _quarter_back(1)),
    (rf"{_JA_YEAR}(上|下)(?:半期|期)", _named_part(2)),
    (r"()(上|下)半期", _half(1, 2)),
    (r"지지난\s*주|저저번\s*주", _week(2)),
    (r"지지난\s*달", _month_back(2)),
    (r"재작년", _year_back(2)),
    (r"엊그제", _days_ago(2, 2)),
    (r"어젯밤|간밤", _days_ago(1, 0)),
    (r"오늘\s*(?:아침|오전|오후|저녁)", _days_ago(0, 0)),
    (r"(?:지난|이번|저번)?\s*주말", _weekend),
    (r"(?:지난|저번)\s*([월화수목금토일])요일", _last_weekday),
    (r"지난\s*주\s*([월화수목금토일])요일", _weekday(1)),
    (r"이번\s*주\s*([월화수목금토일])요일", _weekday(0)),
    (rf"{_MANY}\s*(시간|주일|주|개월|달|일|년)\s*전", _ago),
    (r"(하루|이틀|사흘|나흘|열흘|보름)\s*전", _days_named(1)),
    (r"(?:최근|지난)\s*(이틀|사흘|나흘|열흘|보름)(?:간|\s*동안)?", _days_named(0)),
    (r"(작년|올해|지난해|昨年|去年|今年)\s*(?:の\s*)?([0-9]{1,2})\s*[월月]", _named_month),
    (r"([0-9]{1,2})\s*[월月]\s*([0-9]{1,2})\s*[일日]", _month_day),
    (r"([0-9]{1,2})\s*[월月]", _month_number),
    (r"先々週|先先週", _week(2)),
    (r"先々月|先先月", _month_back(2)),
    (r"一昨年|おととし", _year_back(2)),
    (r"今朝|今晩|今夜", _days_ago(0, 0)),
    (r"昨夜|昨晩|ゆうべ", _days_ago(1, 0)),
    (r"(?:先週の?|この)?週末", _weekend),
    (r"先週の?([月火水木金土日])曜日?", _weekday(1)),
    (r"今週の?([月火水木金土日])曜日?", _weekday(0)),
    (rf"{_MANY}\s*(時間|週間|週|[かヶヵカケ箇]月|日|年)前", _ago),
    (r"(?:last|previous)\s+week", _week(1)),
    (r"this\s+week", _week(0)),
    (r"(?:last|previous)\s+month", _month_back(1)),
    (r"this\s+month", _month_back(0)),
    (r"(?:last|previous)\s+year", _year_back(1)),
    (r"this\s+year", _year_back(0)),
    (r"today", _days_ago(0, 0)),
    (r"(?:the\s+)?day\s+before\s+yesterday", _days_ago(2, 2)),
    (r"yesterday", _days_ago(1, 1)),
    (rf"({_MONTH})\s+([0-9]{{1,2}})(?:st|nd|rd|th)?,?\s+({_YEAR})", _month_day_year),
    (rf"([0-9]{{1,2}})(?:st|nd|rd|th)?\s+({_MONTH})\.?\s+({_YEAR})", _day_month_year),
    (rf"({_MONTH})\.?,?\s+({_YEAR})", _month_year),
    (rf"({_YEAR})\s*[년年]\s*([0-9]{{1,2}})\s*[월月]\s*([0-9]{{1,2}})\s*[일日]", _iso),
    (rf"({_YEAR})\s*[년年]\s*([0-9]{{1,2}})\s*[월月]", _year_month),
    (rf"({_YEAR})\s*(?:년도?|年度?)", _year),
    (r"(?:최근|지난)\s*하루(?:간|\s*동안)?", _days_ago(1, 0)),
    (rf"(?:최근|지난)\s*{_MANY}\s*(시간|주일|주|개월|달|일|년)(?:간|\s*동안|\s*이내|\s*내)?", _past),
    (r"(?:지난|저번)\s*주", _week(1)),
    (r"(?:이번|금)\s*주", _week(0)),
    (r"(?:지난|저번)\s*달|전월", _month_back(1)),
    (r"이번\s*달|금월|당월", _month_back(0)),
    (r"작년|지난\s*해|전년도?", _year_back(1)),
    (r"올해|금년", _year_back(0)),
    (r"오늘|금일|今日|本日", _days_ago(0, 0)),
    (r"어제|전일|昨日|きのう", _days_ago(1, 1)),
    (r"그저께|그제|一昨日|おととい", _days_ago(2, 2)),
    (rf"(?:過去|直近|最近|ここ)の?\s*{_MANY}\s*(時間|週間|週|[かヶヵカケ箇]月|日|年)(?:間|以内)?", _past),
    (r"先週", _week(1)),
    (r"今週", _week(0)),
    (r"先月|前月", _month_back(1)),
    (r"今月|当月", _month_back(0)),
    (r"昨年|去年", _year_back(1)),
    (r"今年|本年", _year_back(0)),
)  # fmt: skip
CUED: tuple[tuple[str, Callable[[re.Match[str], date], Period]], ...] = (
    (r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})", _iso),
    (rf"({_YEAR})[-/.](0?[1-9]|1[0-2])", _year_month),
    (rf"({_YEAR})", _year),
    (rf"({_MONTH})\s+([0-9]{{1,2}})(?:st|nd|rd|th)?", _month_name_day),
    (rf"([0-9]{{1,2}})(?:st|nd|rd|th)?\s+({_MONTH})", _month_name_day),
    (rf"(?:the\s+)?(?:beginning|start)\s+of\s+{_WHICH_YEAR}", _first_day),
    (rf"({_MONTH})", _month_alone),
    (r"[0-9]{1,2}(?::[0-9]{2})?\s*(?:am|pm|o'clock)", _days_ago(0, 0)),
    (r"(?:오전|오후|아침|새벽|저녁)(?:\s*[0-9]{1,2}시)?|[0-9]{1,2}시", _days_ago(0, 0)),
    (r"(?:午前|午後|朝|夕方)(?:[0-9]{1,2}時)?|[0-9]{1,2}時", _days_ago(0, 0)),
    (_DAY_NAME, _weekday(0)),
    (r"([월화수목금토일])요일", _weekday(0)),
    (r"([月火水木金土日])曜日?", _weekday(0)),
)


def month(year: int, number: int) -> Period:
    """Return the first and the last day of a month."""
    first = date(year, number, 1)
    following = date(year + number // 12, number % 12 + 1, 1)
    return first, following - timedelta(1)


def months_before(day: date, number: int) -> date:
    """Go back by months, to the month's last day where it has no such day."""
    years, rest = divmod(day.year * 12 + day.month - 1 - number, 12)
    return min(date(years, rest + 1, 1) + timedelta(day.day - 1), month(years, rest + 1)[1])


def read_period(text: str, today: date, *, exact: bool = False) -> Period | None:
    """Read one written period; None where it is none, such as the 31st of February.

    Args:
        text: as written.
        today: the day it is counted from.
        exact: "two weeks ago" is a day, as in "since two weeks ago", and not the whole week.
    """
    for form, period in PLAIN + CUED:
        found = re.fullmatch(form, text, re.IGNORECASE)
        if found:
            try:
                if exact and period is _ago:
                    return (_past(found, today)[0],) * 2
                return period(found, today)
            except (ValueError, OverflowError):  # a day that the calendar does not have
                return None
    return None
