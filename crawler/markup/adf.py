"""Atlassian Document Format, the JSON in which Jira Cloud keeps its texts, as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from crawler.records import Json

_DEEPEST = 40  # nodes within each other; what is deeper is read as a row of words
_BLOCKS = frozenset({"paragraph", "heading", "codeBlock", "rule", "mediaSingle", "mediaGroup", "blockCard"})
_WORDS = frozenset({"text", "hardBreak", "date"})
_CARDS = frozenset({"blockCard", "embedCard"})
_SHOWN = {
    "mention": ("text", "id"),
    "emoji": ("text", "shortName"),
    "inlineCard": ("url",),
    "blockCard": ("url",),
    "embedCard": ("url",),
    "media": ("alt", "id"),
    "mediaInline": ("alt", "id"),
    "status": ("text",),
    "placeholder": ("text",),
    "inlineExtension": ("text",),
}


def plain(document: Json) -> str:
    """The text as a person would read it.

    Args:
        document: any JSON; a text is taken as it is, and a node of an unknown type for what is within it.
    """
    if isinstance(document, str):
        return document.strip()
    return "\n".join(line.rstrip() for line in _block(document, 0)).strip("\n")


def _block(node: Json, depth: int) -> list[str]:
    """The lines of a node that stands on lines of its own."""
    if depth > _DEEPEST:
        return [" ".join(_words(node))]
    match _type(node):
        case "bulletList" | "taskList" | "decisionList":
            return _items(node, depth, numbered=False)
        case "orderedList":
            return _items(node, depth, numbered=True)
        case "table":
            return [_row(row, depth) for row in _content(node)]
        case "expand" | "nestedExpand":
            title = _attribute(node, "title")
            return ([title] if title else []) + _mixed(node, depth)
        case name if name in _BLOCKS or name in _SHOWN:
            return _inline([node], depth).split("\n")
    return _mixed(node, depth)


def _mixed(node: Json, depth: int) -> list[str]:
    """The lines of what is within a node: blocks as they are, words between them put together."""
    lines: list[str] = []
    row: list[Json] = []
    inside = node if isinstance(node, list) else _content(node)
    for each in inside:
        if _is_inline(each):
            row.append(each)
            continue
        lines += _flushed(row, depth) + _block(each, depth + 1)
        row = []
    return lines + _flushed(row, depth)


def _flushed(row: list[Json], depth: int) -> list[str]:
    return _inline(row, depth).split("\n") if row else []


def _is_inline(node: Json) -> bool:
    kind = _type(node)
    return kind in _WORDS or (kind in _SHOWN and kind not in _CARDS)


def _items(node: Json, depth: int, *, numbered: bool) -> list[str]:
    lines: list[str] = []
    first = _order(node)
    for number, item in enumerate(_content(node), first):
        is_nested = _type(item) in ("bulletList", "orderedList", "taskList", "decisionList")
        inside = _block(item, depth + 1) if is_nested else _mixed(item, depth + 1)
        sign = f"{number}. " if numbered else "- "
        if is_nested:
            lines += [f"  {line}" for line in inside]
            continue
        lines.append(sign + (inside[0] if inside else ""))
        lines += [f"  {line}" for line in inside[1:]]
    return lines


def _order(node: Json) -> int:
    attributes = node.get("attrs") if isinstance(node, dict) else None
    first = attributes.get("order") if isinstance(attributes, dict) else None
    return first if isinstance(first, int) and not isinstance(first, bool) and 0 <= first < 10**6 else 1


def _row(row: Json, depth: int) -> str:
    return "\t".join(" ".join(filter(None, _mixed(cell, depth + 1))) for cell in _content(row))


def _inline(nodes: list[Json], depth: int) -> str:
    return "".join(_span(node, depth) for node in nodes)


def _span(node: Json, depth: int) -> str:
    kind = _type(node)
    if kind == "hardBreak":
        return "\n"
    if kind == "text":
        return _linked(node)
    if kind == "date":
        return _day(_attribute(node, "timestamp"))
    if kind in _SHOWN:
        shown = next((words for name in _SHOWN[kind] if (words := _attribute(node, name))), "")
        if shown:
            return shown
    if depth > _DEEPEST:
        return " ".join(_words(node))
    return _inline(_content(node), depth + 1)


def _linked(node: Json) -> str:
    """Words, with the address that they lead to where they do not say it."""
    words = node.get("text") if isinstance(node, dict) else None
    if not isinstance(words, str):
        return ""
    marks = node.get("marks") if isinstance(node, dict) else None
    for mark in marks if isinstance(marks, list) else ():
        address = _attribute(mark, "href")
        if _type(mark) == "link" and address and address.removeprefix("mailto:") != words:
            return f"{words} ({address})"
    return words


def _day(stamp: str) -> str:
    """A date, which is kept as milliseconds since 1970."""
    try:
        return datetime.fromtimestamp(int(stamp) / 1000, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return stamp


def _words(node: Json) -> Iterator[str]:
    """Every text below a node, however deep."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(reversed(each))
        elif isinstance(each, dict):
            words = each.get("text")
            if isinstance(words, str):
                yield words
            waiting.append(each.get("content"))


def _type(node: Json) -> str:
    kind = node.get("type") if isinstance(node, dict) else None
    return kind if isinstance(kind, str) else ""


def _content(node: Json) -> list[Json]:
    content = node.get("content") if isinstance(node, dict) else None
    return content if isinstance(content, list) else []


def _attribute(node: Json, name: str) -> str:
    attributes = node.get("attrs") if isinstance(node, dict) else None
    value = attributes.get(name) if isinstance(attributes, dict) else None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
        return str(value)
    return value if isinstance(value, str) else ""
