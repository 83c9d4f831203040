"""Plain text of Textile as Redmine writes it: code, links, lists and tables kept readable, marks gone.

Redmine's Textile knows no HTML but ``<pre>``, ``<code>`` and ``<kbd>``; whatever else looks like a tag is
shown as it is written, so it is kept here too. Every pattern reads a line once, or no further than its limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_PRE = re.compile(r"<pre\b[^>\n]{0,200}>(.*?)(?:</pre>|\Z)", re.DOTALL | re.IGNORECASE)
_CODE_TAG = re.compile(r"</?(?:code|kbd|notextile)(?:\s[^>\n]{0,200})?>", re.IGNORECASE)
_ATTRIBUTES = r"(?:\([^)\n]{0,200}\)|\{[^}\n]{0,200}\}|\[[^\]\n]{0,50}\]|[<>=]){0,8}"
_BLOCK = re.compile(rf"(?:h[1-6]|p|bq|bc|fn[0-9]{{1,3}}|notextile){_ATTRIBUTES}\.\.?[ ]")
_QUOTE = re.compile(rf"bq{_ATTRIBUTES}\.")
_ITEM = re.compile(r"([*#]{1,20})[ ]+(?=\S)")
_CELL = re.compile(r"(?:[_^~<>=-]|\\[0-9]{1,3}|/[0-9]{1,3}|\([^)|]{0,200}\)|\{[^}|]{0,200}\}){1,8}\.[ ]?")
_NUMBER = re.compile("\x00([0-9]{1,9})\x00")
_TOC = re.compile(r"\{\{[<>]?(?:toc|child_pages|macro_list)(?:\([^)\n]{0,200}\))?\}\}")
_COLLAPSE = re.compile(r"\{\{collapse(?:\(([^)\n]{0,500})\))?")
# What is inside of these is not looked at again.
_KEPT: Final = re.compile(
    r"(?<![^\W_])@(?P<code>[^@\n\s](?:[^@\n]{0,1000}[^@\n\s])?)@(?![^\W_])"
    r"|(?<![^\W_])\"(?P<words>[^\"\n]{1,1000})\":(?P<address>(?:https?://|ftps?://|mailto:|/|#)[^\s\"<>]{1,2000})"
    r"|(?P<plain>(?:https?|ftps?|file)://[^\s\"<>]{1,2000})"
    r"|(?<![^\W_])!(?P<picture>[<>=]{0,2}(?:\{[^}\n]{0,200}\})?[^\s!()]{1,500}\.[^\s!()]{1,10})"
    r"(?:\((?P<alt>[^)\n]{0,500})\))?!(?::(?P<target>https?://[^\s\"<>]{1,2000}))?"
    r"|\[\[(?P<page>[^\]\[|\n]{1,300})(?:\|(?P<title>[^\]\[\n]{1,300}))?\]\]"
    r"|\{\{thumbnail\((?P<thumbnail>[^),\n]{1,300})[^)\n]{0,300}\)\}\}"
)
_KEPT_HAS: Final = ("@", '":', "://", "!", "[[", "{{")  # one of these, else it does not match
_TITLE = re.compile(r"\([^()]{1,300}\)\Z")  # of a link: shown when somebody points at it
_TRAILING = ".,;:!?)"
_MARKS = ("**", "__", "??", "*", "_", "-", "+", "^", "~")


def _around(mark: str) -> re.Pattern[str]:
    """What finds words between two marks that neither stand within a word nor beside a space."""
    escaped, inner = re.escape(mark), re.escape(mark[0])
    return re.compile(
        rf"(?<![^\W_])(?<!{inner}){escaped}(?![\s{inner}])([^{inner}\n]{{1,1000}})(?<!\s){escaped}"
        rf"(?![^\W_])(?!{inner})"
    )


_EMPHASIS = tuple((mark, _around(mark)) for mark in _MARKS)
_STYLED = re.compile(r"%(?:\{[^}\n]{0,200}\}|\([^)\n]{0,200}\))([^%\n]{1,1000})%")


def plain(text: str) -> str:
    """What a reader sees of a text in Textile; lines end with a line feed.

    Links become ``words (address)``, pictures ``[name]``, the cells of a row are parted by a tab, numbered
    items get their numbers, and text in ``<pre>`` stays as it is.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    parts: list[str] = []
    place = 0
    for block in _PRE.finditer(text):
        parts.append("\n".join(_lines(text[place : block.start()])))
        parts.append(_CODE_TAG.sub("", block[1]).strip("\n"))
        place = block.end()
    parts.append("\n".join(_lines(text[place:])))
    return "".join(parts).strip("\n")


def _lines(text: str) -> Iterator[str]:
    numbers: list[int] = []  # of the numbered lists around this line, the outermost first
    for line in text.split("\n"):
        item = _ITEM.match(line)
        if item is None:
            numbers = []
            yield _line(line)
            continue
        depth = len(item[1])
        numbers = [*numbers[:depth], *[0] * (depth - len(numbers))]
        numbers[-1] += 1
        mark = f"{numbers[-1]}." if item[1].endswith("#") else "*"
        yield f"{'  ' * (depth - 1)}{mark} {_inline(line[item.end() :])}"


def _line(line: str) -> str:
    if line.startswith("|") and line.rstrip().endswith("|") and len(line.rstrip()) > 1:
        return "\t".join(
            _inline(_CELL.sub("", cell.strip(), count=1)) for cell in line.strip()[1:-1].split("|")
        )
    if (block := _BLOCK.match(line)) is not None:
        quoted = "> " if _QUOTE.match(line) else ""
        return quoted + _inline(line[block.end() :])
    return _inline(line)


def _inline(text: str) -> str:
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(_shown(found))
        return f"\x00{len(kept) - 1}\x00"

    # Most lines have few marks or none: to look for these first takes a tenth of the time.
    if "<" in text:
        text = _CODE_TAG.sub("", text)
    if "{{" in text:
        text = _TOC.sub("", text)
    if any(mark in text for mark in _KEPT_HAS):
        text = _KEPT.sub(keep, text)
    if "{{" in text:
        text = _COLLAPSE.sub(lambda found: found[1] or "", text)
    if text.strip() == "}}":  # the end of a block that could be folded
        text = ""
    if "%" in text:
        text = _STYLED.sub(r"\1", text)
    for mark, pattern in _EMPHASIS:
        if mark in text:
            text = pattern.sub(r"\1", text)
    return _NUMBER.sub(lambda found: kept[int(found[1])], text) if kept else text


def _shown(found: re.Match[str]) -> str:
    if found["code"] is not None:
        return found["code"]
    if found["words"] is not None:
        address = found["address"].rstrip(_TRAILING)
        words = _TITLE.sub("", found["words"]).strip() or found["words"]
        rest = found["address"][len(address) :]
        return (address if words == address else f"{words} ({address})") + rest
    if found["picture"] is not None:
        name = found["picture"].lstrip("<>=")
        shown = f"[{found['alt']} {name}]" if found["alt"] else f"[{name}]"
        return f"{shown} ({found['target']})" if found["target"] else shown
    if found["page"] is not None:
        return found["title"] or found["page"]
    if found["thumbnail"] is not None:
        return f"[{found['thumbnail'].strip()}]"
    return found[0]
