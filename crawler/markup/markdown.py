"""Plain text of Markdown as GitHub and GitLab write it, by the same way that an HTML tracker's text is read.

Both show little HTML besides; a tag that HTML does not know, such as the one in ``List<String>``, is kept as
it is written, because a search would miss it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from markdown_it import MarkdownIt

from crawler.errors import PageRejected
from crawler.html import LexborDocument

LONGEST: Final = 200_000  # characters; a longer text is left as it is written
_NESTED: Final = 20  # quotations, lists and links within each other
_MARKS: Final = re.compile(r"[*_`~\[\]<>#|\\&]")
# At the beginning of a line. A line feed is looked for much faster than a place behind one.
_LINE: Final = re.compile(
    r"\n(?:[ ]*(?:(?:[-+]|[0-9]{1,9}[.)])[ ]|(?:-{2,}|={2,})[ ]*$)|[ ]{4}|\t)", re.MULTILINE
)
# Each of them may make the parser look at the rest of the paragraph again.
_OPENERS: Final = re.compile(r"[\[\]<*_`~&]")
_MOST_OPENERS: Final = 4_000  # in one paragraph
_BLANK: Final = re.compile(r"\n[ \t]*\n")
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,100})")
_KNOWN: Final = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdo",
        "blockquote",
        "br",
        "caption",
        "center",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "font",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "input",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "picture",
        "pre",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "script",
        "small",
        "source",
        "span",
        "strike",
        "strong",
        "style",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "video",
    ]
)


def plain(text: str) -> str:
    """What a reader sees of a text in Markdown; lines end with a line feed.

    Links keep their addresses as ``words <address>``, pictures become ``[name]``, numbered items keep their
    numbers, quotations their ``>``, and code stays as it is.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    if not (_MARKS.search(text) or _LINE.search(f"\n{text}")) or _is_costly(text):
        return text
    try:
        main = LexborDocument(f"<main>{_parser().render(text)}</main>").select_one("main")
    except PageRejected:  # nested too deeply by its HTML
        return text
    shown = "" if main is None else main.prose()
    return shown if shown.strip() else text  # nothing but a comment: what is written says more


def _is_costly(text: str) -> bool:
    if len(text) > LONGEST:
        return True
    return any(len(_OPENERS.findall(part)) > _MOST_OPENERS for part in _BLANK.split(text))


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": _NESTED, "breaks": True})
    parser.enable(["table", "strikethrough"])
    parser.add_render_rule("blockquote_open", lambda *_: '<blockquote class="citation">\n')
    parser.add_render_rule("html_inline", _html)
    parser.add_render_rule("html_block", _html)
    return parser


def _html(renderer: object, tokens: object, index: int, options: object, env: object) -> str:
    return _TAG.sub(_tag, str(tokens[index].content))  # type: ignore[index]


def _tag(tag: re.Match[str]) -> str:
    return tag[0] if tag[2].lower() in _KNOWN else f"&lt;{tag[1]}{tag[2]}"
