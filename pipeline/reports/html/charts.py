"""Charts as inline SVG: shapes differ by fill and by pattern of line, so that a print in grey can be read."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.reports.html.escaping import escaped

WIDTH, HEIGHT = 720, 240
LEFT, BOTTOM, TOP = 48, 28, 12
ROW = 26


def flow_chart(
    labels: Sequence[str],
    created: Sequence[int],
    closed: Sequence[int],
    still_open: Sequence[int],
    name: str,
) -> str:
    """Bars of created and closed, and a line of what is open, whose scale is the one at the right.

    Args:
        labels: of the buckets, as long as the numbers.
        created: a number a bucket; likewise the next two.
        closed: as above.
        still_open: as above.
        name: of the chart, for who does not see it.
    """
    most, most_open = max([*created, *closed, 1]), max([*still_open, 1])
    inner, tall = WIDTH - 2 * LEFT, HEIGHT - BOTTOM - TOP
    step = inner / max(len(labels), 1)
    parts = [_axis(most, most_open)]
    for place, (new, done) in enumerate(zip(created, closed, strict=True)):
        x = LEFT + place * step
        for number, offset, kind in ((new, 0.12, "created"), (done, 0.5, "closed")):
            high = tall * number / most
            parts.append(
                f'<rect class="{kind}" x="{x + step * offset:.1f}" y="{TOP + tall - high:.1f}" '
                f'width="{step * 0.36:.1f}" height="{high:.1f}"/>'
            )
    points = " ".join(
        f"{LEFT + (place + 0.5) * step:.1f},{TOP + tall - tall * number / most_open:.1f}"
        for place, number in enumerate(still_open)
    )
    parts.append(f'<polyline class="open" points="{points}"/>')
    every = max(1, -(-len(labels) // 8))
    parts += [
        f'<text x="{LEFT + (place + 0.5) * step:.1f}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"{escaped(label)}</text>"
        for place, label in enumerate(labels)
        if place % every == 0
    ]
    return _framed("".join(parts), HEIGHT, name)


def bar_chart(rows: Sequence[tuple[str, float, str]], name: str) -> str:
    """Lying bars, one a row: label, length, what is written beside it."""
    most = max([length for _, length, _ in rows], default=0) or 1
    room = WIDTH - 400
    parts = []
    for place, (label, length, beside) in enumerate(rows):
        y = place * ROW
        wide = room * length / most
        parts.append(
            f'<text x="250" y="{y + 17}" text-anchor="end">{escaped(label, most=34)}</text>'
            f'<rect class="created" x="260" y="{y + 4}" width="{wide:.1f}" height="{ROW - 8}"/>'
            f'<text x="{266 + wide:.1f}" y="{y + 17}">{escaped(beside)}</text>'
        )
    return _framed("".join(parts), ROW * len(rows) + 4, name)


def _axis(most: int, most_open: int) -> str:
    floor = HEIGHT - BOTTOM
    return (
        f'<line x1="{LEFT}" y1="{floor}" x2="{WIDTH - LEFT}" y2="{floor}"/>'
        f'<line class="grid" x1="{LEFT}" y1="{TOP}" x2="{WIDTH - LEFT}" y2="{TOP}"/>'
        f'<text x="{LEFT - 6}" y="{TOP + 5}" text-anchor="end">{most:,}</text>'
        f'<text x="{LEFT - 6}" y="{floor}" text-anchor="end">0</text>'
        f'<text class="right" x="{WIDTH - LEFT + 6}" y="{TOP + 5}">{most_open:,}</text>'
        f'<text class="right" x="{WIDTH - LEFT + 6}" y="{floor}">0</text>'
    )


def _framed(drawing: str, height: int, name: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escaped(name)}">'
        f"<title>{escaped(name)}</title>{drawing}</svg>"
    )
