"""Texts of an issue in plain words, and what they were where that differs."""

from __future__ import annotations

import re
from typing import Final

from crawler.errors import UsageError
from crawler.markup import markdown, textile
from crawler.records import Json

FORMATS: Final = ("auto", "textile", "markdown", "none")
# What only one of the two writes; a list's star or a quotation's bracket says nothing.
# Each has a character to begin with, which is looked for much faster than a place that may be any.
_TEXTILE = (
    re.compile(r"\n(?:(?:h[1-6]|bq|bc|p)[.=({<>]|\|_\.|#{1,3} .*\n#{1,3} )"),
    re.compile(r"@(?<![^\W_]@)[^@\s][^@\n]{0,200}@(?![^\W_])"),
    re.compile(r"\":(?:https?:|/)"),
    re.compile(r"<pre\b"),
    re.compile(r"![^\s!]{1,300}\.(?:png|jpe?g|gif)!"),
    re.compile(r"\*(?<![\w*]\*)[^*\s][^*\n]{0,200}(?<!\s)\*(?![\w*])"),
)
_MARKDOWN = (
    re.compile(r"\n(?:```|~~~|#{2,6} |#{1} (?!.*\n# )|\|[ ]*:?-{3,})"),
    re.compile(r"\*\*[^*\s]"),
    re.compile(r"\]\((?:https?:|/)"),
    re.compile(r"`(?<!``)[^`\n]{1,200}`"),
)


class Texts:
    """Makes texts plain and remembers their sources.

    Redmine does not tell what its texts are written in, and no text says it of itself for sure.
    """

    def __init__(self, markup: str) -> None:
        if markup not in FORMATS:
            raise UsageError(
                f"The option markup of Redmine is {', '.join(FORMATS)}; it cannot be {markup!r}."
            )
        self._markup = markup
        self._description: str | None = None
        self._comments: dict[str, Json] = {}
        self._formats: set[str] = set()

    def description(self, text: str) -> str:
        """The description, plain."""
        shown, differs = self._plain(text)
        if differs:
            self._description = text
        return shown

    def comment(self, source_id: str, text: str) -> str:
        """A comment, plain."""
        shown, differs = self._plain(text)
        if differs:
            self._comments[source_id] = text
        return shown

    def sources(self) -> dict[str, Json] | None:
        """What was written, where that is not what is shown; None: nowhere."""
        if self._description is None and not self._comments:
            return None
        sources: dict[str, Json] = {"format": ", ".join(sorted(self._formats))}
        if self._description is not None:
            sources["description"] = self._description
        if self._comments:
            sources["comments"] = self._comments
        return sources

    def _plain(self, text: str) -> tuple[str, bool]:
        lines = text.replace("\r\n", "\n").replace("\r", "\n")
        markup = _markup_of(lines) if self._markup == "auto" else self._markup
        if markup == "none":
            return lines, False
        shown = (textile if markup == "textile" else markdown).plain(lines)
        if not shown.strip():  # nothing but a macro: what is written says more
            return lines, False
        differs = shown.strip() != lines.strip()
        if differs:
            self._formats.add(markup)
        return shown, differs


def _markup_of(text: str) -> str:
    text = f"\n{text}"  # so that each line has one before it
    if any(mark.search(text) for mark in _TEXTILE):
        return "textile"
    return "markdown" if any(mark.search(text) for mark in _MARKDOWN) else "textile"
