"""``stats``: what was crawled and asked, in figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from cli.arguments import Everybody
from cli.output import cell, console, print_json

_ISSUES = ("total", "open", "closed", "unplaced", "new", "changed")
_BARS = "▁▂▃▄▅▆▇█"


def stats(
    days: Annotated[int, typer.Option(min=1, max=36500, help="how many days to look back")] = 30,
    everybody: Everybody = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """Show figures: sessions, issues, products, queries, and issues created and closed."""
    from pipeline.bootstrap import start
    from pipeline.reports.stats import figures

    program = start(asks_only=True)
    counted = figures(program.user_id, days, everybody=everybody)
    if as_json:
        print_json(counted)
    else:
        _show(counted, days)


def _show(counted: dict[str, Any], days: int) -> None:
    from rich.columns import Columns

    sessions, issues, flow = counted["sessions"], counted["issues"], counted["flow"]
    rate = sessions["success_rate"]
    panes = [
        _pane(
            f"Sessions of {days} days",
            [
                ("all", sessions["total"]),
                ("completed", sessions["completed"]),
                ("failed", sessions["failed"]),
                ("success", "" if rate is None else f"{rate:.0%}"),
                ("average", _seconds(sessions["avg_duration_seconds"])),
                ("p95", _seconds(sessions["p95_duration_seconds"])),
                ("issues crawled", f"{sessions['issues_crawled']:,}"),
            ],
        ),
        _pane(
            "Issues", [(name, f"{issues[name]:,}") for name in _ISSUES if name != "unplaced" or issues[name]]
        ),
        _pane(
            "Products, open of all",
            [
                (row["product"] or "none", f"{row['open']:,} / {row['issues']:,}")
                for row in counted["products"]
            ],
        ),
        _pane("Queries", [(row["query"], row["count"]) for row in counted["top_queries"]]),
        _pane(
            f"Flow from {flow[0]['bucket_start']:%Y-%m-%d}",
            [
                (name.replace("_", " "), _spark([row[name] for row in flow]))
                for name in ("created", "closed", "open_at_end")
            ],
        ),
    ]
    console().print(Columns(panes, padding=(1, 4)))


def _pane(title: str, rows: Sequence[tuple[str, object]]) -> Any:
    from rich.table import Table

    table = Table(
        box=None, pad_edge=False, title=title, title_justify="left", show_header=False, min_width=len(title)
    )
    table.title_style = "bold"
    table.add_column(max_width=40, overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for name, value in rows or [("none", "")]:
        table.add_row(cell(name), cell(value))
    return table


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f} s"


def _spark(numbers: Sequence[int]) -> str:
    """A line of bars, the last 40 of them, with the last number."""
    shown = numbers[-40:]
    most = max(shown) or 1
    bars = "".join(_BARS[round(number / most * (len(_BARS) - 1))] for number in shown)
    return f"{bars} {numbers[-1]:,}"
