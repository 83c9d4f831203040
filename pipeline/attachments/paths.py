"""Where the bytes of attached files are kept."""

from __future__ import annotations

from pathlib import Path

from db.files import ATTACHMENTS


def path_of(digest: str) -> Path:
    """Where the bytes with this hash are, relative to the data folder."""
    return Path(ATTACHMENTS, digest[:2], digest)
