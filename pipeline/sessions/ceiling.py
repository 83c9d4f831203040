"""The most that one session may bring: a list without an end must not fill the disk."""

from __future__ import annotations

from dataclasses import dataclass

from crawler.errors import TooMuch

MOST_ISSUES = 1_000_000
MOST_BYTES = 100 * 2**30


@dataclass(frozen=True, kw_only=True, slots=True)
class Ceiling:
    """Limits of a session, over all its runs."""

    issues: int = MOST_ISSUES  # references in its frontier: hits, and what they point to
    bytes: int = MOST_BYTES  # that its tracker sends

    def excess(self, issues: int, received: int) -> TooMuch | None:
        """What to say where a session has more; None: it has not.

        Args:
            issues: that it has now.
            received: bytes that it has now.
        """
        if issues > self.issues:
            return TooMuch(
                f"The tracker lists more than {self.issues:,} issues, the most that a session may have: "
                "ask for less, or raise IMS_MAX_ISSUES and resume."
            )
        if received > self.bytes:
            return TooMuch(
                f"The tracker has sent more than {self.bytes:,} bytes, the most that a session may take: "
                "ask for less, or raise IMS_MAX_BYTES and resume."
            )
        return None


USUAL = Ceiling()
