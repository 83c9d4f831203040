"""The values of cells as a person sees them: of a form's controls their value, of hidden things nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from crawler.html import Document, Node

# No usual page has one of these, so that its cells need no second look.
_ODD: Final = (
    "td select, td input:not([type=hidden i]), td button, td [hidden], td [style*=none i], "
    "td [style*=hidden i], tr > [hidden], tr > [style*=none i]"
)
_CONTROLS: Final = "select, input, button, [hidden], [style]"
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_WITHOUT_VALUE: Final = frozenset({"hidden", "button", "submit", "reset", "image", "file", "password"})
_MARKS: Final = {True: "☑", False: "☐"}


class Shown:
    """Reads the cells of one page.

    Args:
        document: the page.
    """

    def __init__(self, document: Document) -> None:
        self._is_odd = document.select_one(_ODD) is not None

    def texts(self, cells: Sequence[Node]) -> list[str]:
        """What a person sees in each cell; a hidden one is left out."""
        if not self._is_odd:
            return [cell.text() for cell in cells]
        return [_shown(cell) for cell in cells if not _is_hidden(cell)]


def _shown(cell: Node) -> str:
    # From the inside to the outside: what was replaced is not touched again.
    for node in reversed(cell.select(_CONTROLS)):
        value = _value(node)
        if value is not None:
            node.replace(value)
    return cell.text()


def _value(node: Node) -> str | None:
    """What stands in the place of an element; None: the element itself."""
    if _is_hidden(node):
        return ""
    if node.name == "select":
        return _chosen(node)
    if node.name == "button":
        return ""
    if node.name != "input":
        return None
    kind = (node.attribute("type") or "text").lower()
    if kind in ("checkbox", "radio"):
        return _MARKS[node.attribute("checked") is not None]
    return "" if kind in _WITHOUT_VALUE else (node.attribute("value") or "")


def _chosen(select: Node) -> str:
    options = select.select("option")
    chosen = [option for option in options if option.attribute("selected") is not None]
    if not chosen and select.attribute("multiple") is None:
        chosen = list(options[:1])  # as a browser shows it
    if select.attribute("multiple") is None:
        chosen = chosen[-1:]
    return ", ".join(option.line() for option in chosen)


def _is_hidden(node: Node) -> bool:
    style = node.attribute("style")
    return (style is not None and _HIDDEN.search(style) is not None) or node.attribute("hidden") is not None
