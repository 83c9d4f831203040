"""A report as one HTML page: no script, no request, and a policy that would refuse both."""

from __future__ import annotations

import hashlib
import tomllib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from crawler.http.web_address import is_web_address
from pipeline.reports.html.charts import bar_chart, flow_chart
from pipeline.reports.html.escaping import escaped
from pipeline.reports.html.gather import Figures, Rows

LANGUAGES = ("en", "ko", "ja")
_STYLE = """
body { font: 15px/1.5 "Noto Sans", "Noto Sans CJK KR", "Malgun Gothic", "Yu Gothic", sans-serif;
       color: #111; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; background: #fff; }
h1 { margin-bottom: 0; } h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; }
svg { width: 100%; height: auto; font-size: 12px; }
svg line { stroke: #444; } svg .grid { stroke: #bbb; stroke-dasharray: 2 4; }
.created { fill: #1b5e9e; } .closed { fill: #b8cfe5; stroke: #1b5e9e; stroke-width: .6; }
.open { fill: none; stroke: #b3261e; stroke-width: 2; stroke-dasharray: 6 3; } .right { fill: #b3261e; }
.legend span { margin-right: 1.2rem; } .legend i { font-style: normal; color: #1b5e9e; }
.legend i.late { color: #b3261e; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .2rem .6rem .2rem 0;
        border-bottom: 1px solid #ddd; vertical-align: top; overflow-wrap: anywhere; min-width: 3.5rem; }
td.number, th.number { text-align: right; white-space: nowrap; } td.plain { white-space: nowrap; }
section { break-inside: avoid; }
@media print { body { margin: 0; max-width: none; font-size: 11px; }
               a { color: inherit; text-decoration: none; }
               rect, polyline { print-color-adjust: exact; } }
"""
Words = Mapping[str, str]


@cache
def words_of(language: str) -> Words:
    """The page's words in a language of LANGUAGES."""
    words: dict[str, Words] = tomllib.loads((files(__package__) / "words.toml").read_text("utf-8"))
    return words[language]


def render(figures: Figures, language: str = "en") -> str:
    """Return the page.

    Args:
        figures: what it tells.
        language: one of LANGUAGES.
    """
    words = words_of(language)
    title = words["title"] if figures.product is None else f"{words['title']}: {figures.product}"
    digest = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    period = words["period"].format(since=_day(figures.since), until=_day(figures.until))
    body = "".join(
        f"<section><h2>{escaped(heading)}</h2>{part or escaped(words['none'])}</section>"
        for heading, part in sections(figures, words, _link)
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src '
        f"'sha256-{digest}'; "
        f"base-uri 'none'; form-action 'none'\">"
        '<meta name="referrer" content="no-referrer"><meta name="viewport" content="width=device-width">'
        f"<title>{escaped(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escaped(title)}</h1><p>{escaped(period)}</p>{body}</body></html>\n"
    )


def sections(
    figures: Figures, words: Words, link: Callable[[Mapping[str, Any]], str]
) -> Iterator[tuple[str, str]]:
    """The parts of a report, each with its heading; the latter is a text, what is below it is HTML.

    One after the other, in the order in which they are counted: what is still on its way is waited for here.

    Args:
        figures: what they tell.
        words: of :func:`words_of`.
        link: makes HTML of an issue's number.
    """
    rows = figures.rows
    flow = words["flow"].format(bucket=words[figures.bucket])
    yield flow, _flow(rows["flow"], flow, words) + _unplaced(rows["unplaced"], words)
    yield words["backlog"], _ages(rows["backlog"], words)
    yield words["statuses"], _statuses(rows["statuses"], words)
    yield words["speed"], _speed({name: rows[name] for name in ("closing", "response")}, words)
    for name in ("products", "modules"):
        yield words[name], _bars(rows[name], words[name], words)
    if figures.product is None:
        yield words["words"], _trends(rows["words"], words)
    for name in ("kinds", "codes"):
        yield words[name], _bars(rows[name], words[name], words)
    for name in ("newest", "oldest"):
        yield words[name], _issues(rows[name], words, link)


def _flow(rows: Rows, name: str, words: Words) -> str:
    shown = "%m-%d" if len({row["bucket_start"].year for row in rows}) == 1 else "%y-%m-%d"
    chart = flow_chart(
        [row["bucket_start"].strftime(shown) for row in rows],
        [row["created"] for row in rows],
        [row["closed"] for row in rows],
        [row["open_at_end"] for row in rows],
        name,
    )
    created, closed = (sum(row[column] for row in rows) for column in ("created", "closed"))
    left = rows[-1]["open_at_end"] if rows else 0
    legend = (
        f"<span><i>■</i> {escaped(words['created'])}: {created:,}</span><span><i>□</i> "
        f"{escaped(words['closed'])}: "
        f"{closed:,}</span>"
        f'<span><i class="late">╌</i> {escaped(words["open"])}: {left:,}</span>'
    )
    return f'{chart}<p class="legend">{legend}</p>'


def _unplaced(rows: Rows, words: Words) -> str:
    number = rows[0]["issues"]
    return f"<p>{escaped(words['unplaced'].format(number=f'{number:,}'))}</p>" if number else ""


def _ages(rows: Rows, words: Words) -> str:
    bars = [(row["age_bucket"], row["open_issues"], f"{row['open_issues']:,}") for row in rows]
    return bar_chart(bars, words["backlog"])


def _statuses(rows: Rows, words: Words) -> str:
    return _table(
        (words["status"], ">" + words["issues"], ">" + words["half"], ">" + words["nine"]),
        [
            (row["status"], f"{row['issues']:,}", _long(row["p50"], words), _long(row["p90"], words))
            for row in rows
        ],
    )


def _speed(rows: Mapping[str, Rows], words: Words) -> str:
    columns = ("", *(">" + words[name] for name in ("issues", "half", "nine", "most")))
    lines = [
        (words[name], f"{row['issues']:,}", *(_long(row[part], words) for part in ("p50", "p90", "p99")))
        for name, (row,) in rows.items()
    ]
    return _table(columns, lines)


def _bars(rows: Rows, name: str, words: Words) -> str:
    bars = [(row["name"] or words["none"], row["issues"], f"{row['issues']:,}") for row in rows]
    return bar_chart(bars, name) if bars else ""


def _trends(rows: Rows, words: Words) -> str:
    bars = [
        (row["name"], row["issues"], f"{row['issues']:,} ({words['before']} {row['issues_before']:,})")
        for row in rows
    ]
    return bar_chart(bars, words["words"]) if bars else ""


def _issues(rows: Rows, words: Words, link: Callable[[Mapping[str, Any]], str]) -> str:
    columns = [words[name] for name in ("issue", "heading", "product", "status", "owner", "registered")]
    head = "".join(f"<th>{escaped(name)}</th>" for name in columns)
    body = "".join(
        f'<tr><td class="plain">{link(row)}</td><td><bdi>{escaped(row["title"], most=300)}</bdi></td>'
        + "".join(f"<td>{escaped(row[name] or '', most=60)}</td>" for name in ("product", "status", "owner"))
        + f'<td class="plain">{_day(row["registered_date"])}</td></tr>'
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if rows else ""


def _link(row: Mapping[str, Any]) -> str:
    """The issue's number, as a link where its address is one of the web's: a tracker gave it."""
    number, url = escaped(row["issue_id"] or "", most=60), row["url"] or ""
    if not is_web_address(url):
        return number
    return f'<a href="{escaped(url)}" rel="noreferrer noopener">{number}</a>'


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    numeric = [name.startswith(">") for name in columns]

    def line(tag: str, cells: tuple[str, ...]) -> str:
        return "".join(
            f"<{tag}{' class=number' if number else ''}>{escaped(text.removeprefix('>'), most=80)}</{tag}>"
            for text, number in zip(cells, numeric, strict=True)
        )

    body = "".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{line('th', columns)}</tr></thead><tbody>{body}</tbody></table>"


def _long(time: timedelta | None, words: Words) -> str:
    if time is None:
        return "–"
    hours = time.total_seconds() / 3600
    return (
        words["days"].format(number=f"{hours / 24:,.1f}")
        if hours >= 48
        else words["hours"].format(number=f"{hours:.1f}")
    )


def _day(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%d")
