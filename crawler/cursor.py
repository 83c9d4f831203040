"""Cursors of searches, kept as text with a session's frontier."""

from __future__ import annotations

from typing import Self

import msgspec

from crawler.errors import UsageError


class Cursor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a search stands between two pages.

    Each kind of tracker has a subclass whose ``tag`` is the kind's name, so that none reads another's.
    """

    def text(self) -> str:
        """Write it down, as JSON."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what :meth:`text` wrote.

        Raises:
            UsageError: it is something else.
        """
        try:
            kept = msgspec.json.decode(text.encode(errors="replace"), type=dict[str, object])
            if kept.get("type") != cls.__struct_config__.tag:  # msgspec itself does without
                raise msgspec.ValidationError("another kind's")
            return msgspec.convert(kept, cls)
        except msgspec.MsgspecError as error:
            raise UsageError(
                "The place to go on from cannot be read: begin a new crawl instead of resuming this one."
            ) from error
