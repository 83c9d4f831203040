"""Where an issue's page lies in an archive: the tracker's own path, as far as names of files allow."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from crawler.http.web_address import is_web_address
from pipeline.attachments.safe_name import cut, free_name, safe_name

_DEEPEST = 12


class Paths:
    """Gives out places, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def place(self, url: str | None, tracker: str | None, issue_id: str) -> str:
        """A path of the archive, with slashes: ``tracker.example.org/ticket/12.html``.

        Args:
            url: the issue's address at the tracker; what is no address of the web is passed over.
            tracker: its name.
            issue_id: its number or key.
        """
        parts = ["issues", tracker or "by hand", issue_id]
        if url is not None and is_web_address(url):
            told = urlsplit(url)
            named = [unquote(part) for part in told.path.split("/") if part]
            last = (named.pop() if named else issue_id) + (f",{unquote(told.query)}" if told.query else "")
            last += f",{unquote(told.fragment)}" if told.fragment else ""
            parts = [told.hostname or "", *named[:_DEEPEST], last]
        safe = [safe_name(part, "_") for part in parts]
        safe[-1] = cut(safe[-1].removesuffix(".html"), room=12) + ".html"
        # A folder and a page of one name would be in each other's way: only pages end in .html.
        safe[:-1] = [f"{part}_" if part.endswith(".html") else part for part in safe[:-1]]
        folder = "/".join(safe[:-1])
        name = free_name(safe[-1], lambda each: f"{folder}/{each}".casefold() in self._taken)
        self._taken.add(f"{folder}/{name}".casefold())
        return f"{folder}/{name}"
