"""Where a search in Trac stands between two pages."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from crawler.errors import UsageError
from crawler.sources.trac.query import LAST


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """Tickets come by falling number, so a new ticket never shifts those that are still to come."""

    below: int = LAST  # the next page starts below this number
    page: int = 1  # of the tickets below it; beyond 1 only after pages of nothing but hidden tickets
    seen: int = 0  # references given so far
    components: tuple[str, ...] = ()  # those that the product stands for

    def text(self) -> str:
        """Write it down."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def read(cls, text: str) -> Cursor:
        """Read what :meth:`text` wrote.

        Raises:
            UsageError: it is something else.
        """
        try:
            kept = json.loads(text)
            return cls(
                below=int(kept["below"]),
                page=int(kept["page"]),
                seen=int(kept["seen"]),
                components=tuple(str(name) for name in kept["components"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError("The cursor is not one of a search in Trac.") from error
