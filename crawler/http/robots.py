"""What a site asks of crawlers in its ``robots.txt`` (RFC 9309)."""

from __future__ import annotations

from msgspec import Struct
from protego import Protego

AGENT = "ims-crawler"
LONGEST = 500 << 10  # bytes of the file that are read; RFC 9309, 2.5
SLOWEST = 60.0  # seconds; a longer pause between two requests is a mistake, or a way to say no


class Robots(Struct, frozen=True):
    """The rules for this crawler."""

    rules: Protego

    @classmethod
    def read(cls, body: bytes) -> Robots:
        """Read the file; whatever is not understood asks for nothing."""
        return cls(Protego.parse(body[:LONGEST].decode("utf-8", "replace")))

    def allows(self, url: str) -> bool:
        """Tell whether an address may be asked for."""
        return bool(self.rules.can_fetch(url, AGENT))

    @property
    def delay(self) -> float | None:
        """Seconds between two requests; None: nothing is said about it."""
        delay = self.rules.crawl_delay(AGENT)
        return None if delay is None or delay <= 0 else min(float(delay), SLOWEST)
