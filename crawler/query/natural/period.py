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


_NUMBERS = {
    **dict.fromkeys(("", "a", "one", "일", "한", "一"), 1),
    **dict.fromkeys(("two", "두", "二"), 2),
    **dict.fromkeys(("three", "세", "석", "三", "数"), 3),
    **{"four": 4, "네": 4, "five": 5, "six": 6, "seven": 7, "ten": 10, "twelve": 12},
}
_MANY = r"([0-9]{1,4}|a|one|two|three|four|five|six|seven|ten|twelve|일|한|두|세|석|네|一|二|三|数)"

# How a period is written, and which days it is. The first forms say by themselves that they are a time, the
# second ones only beside a word such as "since".
PLAIN: tuple[tuple[str, Callable[[re.Match[str], date], Period]], ...] = (
    (rf"(?:last|past|previous)\s+{_MANY}\s+(hour|day|week|month|year)s?", _past),
    (r"past()\s+(hour|day|week|month|year)", _past),
    (r"(?:last|previous)\s+week", _week(1)),
    (r"this\s+week", _week(0)),
    (r"(?:last|previous)\s+month", _month_back(1)),
    (r"this\s+month", _month_back(0)),
    (r"(?:last|previous)\s+year", _year_back(1)),
    (r"this\s+year", _year_back(0)),
    (r"today", _days_ago(0, 0)),
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
    (rf"({_MONTH})", _month_alone),
    (r"([0-9]{1,2})\s*[월月]", _month_number),
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


def read_period(text: str, today: date) -> Period | None:
    """Read one written period; None where it is none, such as the 31st of February."""
    for form, period in PLAIN + CUED:
        found = re.fullmatch(form, text, re.IGNORECASE)
        if found:
            try:
                return period(found, today)
            except (ValueError, OverflowError):  # a day that the calendar does not have
                return None
    return None
