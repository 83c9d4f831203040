"""Texts of an issue in plain words, and what they were where that differs."""

from __future__ import annotations

from crawler.markup import markdown
from crawler.records import Json


class SourceTexts:
    """Makes the texts of one issue plain and remembers their sources.

    Args:
        markup: what they are written in, as it is told with the sources.
    """

    def __init__(self, markup: str) -> None:
        self._markup = markup
        self._description: str | None = None
        self._comments: dict[str, Json] = {}

    def description(self, text: str) -> str:
        """The description, plain."""
        shown = markdown.plain(text)
        if _differs(shown, text):
            self._description = text
        return shown

    def comment(self, source_id: str, text: str) -> str:
        """A comment, plain."""
        shown = markdown.plain(text)
        if _differs(shown, text):
            self._comments[source_id] = text
        return shown

    def sources(self) -> dict[str, Json] | None:
        """What was written, where that is not what is shown; None: nowhere."""
        if self._description is None and not self._comments:
            return None
        sources: dict[str, Json] = {"format": self._markup}
        if self._description is not None:
            sources["description"] = self._description
        if self._comments:
            sources["comments"] = self._comments
        return sources


def _differs(shown: str, text: str) -> bool:
    return shown.strip() != text.replace("\r\n", "\n").replace("\r", "\n").strip()
