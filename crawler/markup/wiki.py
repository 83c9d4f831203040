"""Jira's wiki markup as plain text.

Every pattern either stops at the next mark of its own sort or at the end of the line, so the time grows with
the length of the text only. What is no markup after all stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_VERBATIM = re.compile(r"\{(code|noformat)(?::[^{}\n]*+)?\}")
_BRACES = re.compile(
    r"\{(?:quote|color|panel|anchor|section|column|expand|toc|info|note|tip|warning|adf)(?::[^{}\n]*+)?\}"
)
# {*}bold{*}, as Jira writes it within a word.
_WITHIN = re.compile(r"\{([*_+^~-])\}([^{}\n]++)\{\1\}")
_BLOCK = re.compile(r"\s*+(?:h[1-6]|bq)\.[ \t]++")
_ITEM = re.compile(r"[ \t]*+([*#-]{1,20})[ \t]++(?=\S)")
_RULE = re.compile(r"\s*+-{4,5}\s*+")
_LINK = re.compile(r"(?<!\\)\[([^\[\]\n]++)\]")
_IMAGE = re.compile(r"(?<![\w\\!])!([^\s!|][^!|\n]*+)(?:\|[^!\n]*+)?!(?![\w!])")
_MONO = re.compile(r"(?<!\\)\{\{([^{}\n]++)\}\}")
_EMPHASIS = tuple(
    (
        mark[-1],
        re.compile(rf"(?<![\w\\{mark}]){mark}(?=[^\s{mark}])([^{mark}\n]++)(?<!\s){mark}(?![\w{mark}])"),
    )
    for mark in (r"\*", "_", r"\+", r"\^", "~", "-")
)
_CITATION = re.compile(r"(?<![\w?\\])\?\?(?=[^\s?])([^?\n]++)\?\?(?![\w?])")
_ESCAPE = re.compile(r"\\([\[\]{}*_+^~!|?#-])")
_BREAK = re.compile(r"\\\\(?=\s|$)")
_ADDRESS = re.compile(r"(?:https?|ftp|mailto|file):\S+", re.IGNORECASE)
_HELD = "\ue000"  # stands for a piece that is not looked at again; taken out of the text before


def plain(text: str) -> str:
    """The text as a person would read it, line breaks kept, without blank space at its ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace(_HELD, "")
    parts: list[str] = []
    for words, verbatim in _pieces(text):
        parts.append(_lines(words))
        parts.append(verbatim)
    return "".join(parts).strip()


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Prose, each with the verbatim block that follows it; one that is never closed is prose."""
    start = 0
    searched = 0
    unclosed: set[str] = set()
    while (opening := _VERBATIM.search(text, searched)) is not None:
        closing = f"{{{opening[1]}}}"
        end = -1 if closing in unclosed else text.find(closing, opening.end())
        if end < 0:
            unclosed.add(closing)
            searched = opening.end()
            continue
        inner = text[opening.end() : end]
        yield text[start : opening.start()], inner.strip("\n")
        start = searched = end + len(closing)
    yield text[start:], ""


def _lines(prose: str) -> str:
    counters: list[int] = []
    return "\n".join(_line(line, counters) for line in prose.split("\n"))


def _line(line: str, counters: list[int]) -> str:
    if not line.strip():
        return line
    if _RULE.fullmatch(line):
        counters.clear()
        return ""
    item = _ITEM.match(line)
    if item is not None:
        return _bullet(item[1], counters) + _spans(line[item.end() :])
    counters.clear()
    block = _BLOCK.match(line)
    if block is not None:
        return _spans(line[block.end() :])
    bare = line.strip()
    if bare.startswith("|") and len(bare) > 1:
        return _row(bare)
    return _spans(line)


def _bullet(marks: str, counters: list[int]) -> str:
    """The start of a list's line; numbers count on within their level."""
    depth = len(marks)
    del counters[depth:]
    counters.extend([0] * (depth - len(counters)))
    counters[-1] = counters[-1] + 1 if marks[-1] == "#" else 0
    sign = f"{counters[-1]}. " if marks[-1] == "#" else "- "
    return "  " * (depth - 1) + sign


def _row(line: str) -> str:
    """A line of a table, its cells parted by tabs; a link within a cell has a bar of its own."""
    held, line = _hold_links(line)
    cells = line.removesuffix("|").removesuffix("|").removeprefix("|").removeprefix("|")
    shown = [_spans(cell.strip()) for cell in re.split(r"\|\|?", cells)]
    return _put_back("\t".join(shown), held)


def _spans(text: str) -> str:
    """A line without the marks within it."""
    # Most lines have few marks or none: to look for these first takes a tenth of the time.
    if not any(mark in text for mark in _HOLDABLE_HAS):
        return _unmarked(text)
    held, text = _hold_links(text)
    return _put_back(_unmarked(text), held)


def _unmarked(text: str) -> str:
    if "{" in text:
        text = _BRACES.sub("", _WITHIN.sub(r"\2", text))
    if "!" in text:
        text = _IMAGE.sub(r"\1", text)
    for mark, pattern in _EMPHASIS:
        if mark in text:
            text = pattern.sub(r"\1", text)
    if "??" in text:
        text = _CITATION.sub(r"\1", text)
    if "\\" in text:
        text = _ESCAPE.sub(r"\1", _BREAK.sub("\n", text))
    return text


def _hold_links(text: str) -> tuple[list[str], str]:
    """Take out what no mark may be looked for in: links, addresses and code within a line."""
    held: list[str] = []

    def hold(words: str) -> str:
        held.append(words)
        return _HELD

    def replace(found: re.Match[str]) -> str:
        if found.lastindex is None:
            return hold(found[0])
        return hold(found[2] if found[2] is not None else _link(found[1]))

    return held, _HOLDABLE.sub(replace, text)


_HOLDABLE_HAS = ("[", "{{", ":")  # one of these, else it does not match
_HOLDABLE = re.compile(f"{_LINK.pattern}|{_MONO.pattern}|{_ADDRESS.pattern}|{_HELD}", re.IGNORECASE)


def _put_back(text: str, held: list[str]) -> str:
    pieces = text.split(_HELD)
    shown = [pieces[0]]
    for words, piece in zip(held, pieces[1:], strict=True):
        shown += (words, piece)
    return "".join(shown)


def _link(inside: str) -> str:
    words, bar, target = inside.partition("|")
    target = target.partition("|")[0].strip()
    if not bar or not target:
        return _target(inside.strip()) or f"[{inside}]"  # as in a[0]
    words = words.strip()
    shown = _target(target) or target
    return shown if words in ("", shown, target) else f"{words} ({shown})"


def _target(target: str) -> str:
    """What a link leads to; empty where it is none by its look."""
    if target.startswith("~"):
        return "@" + target[1:].removeprefix("accountid:")
    if target.startswith(("^", "#")):
        return target[1:]
    return target.removeprefix("mailto:") if _ADDRESS.match(target) else ""
