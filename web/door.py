"""What a running page knows: for whom it opens, where it is, and with what it asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pipeline.settings import Settings
from web.visitors import Visitors

COOKIE = "ims_crawl"
LANGUAGE_COOKIE = "ims_crawl_language"


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """One running page."""

    settings: Settings
    home: Path  # the data folder, where files' bytes are
    hosts: frozenset[str]  # what a browser may call us, in lower case; all else is somebody's trick
    is_secure: bool = False  # browsers reach it by https only
    has_proxy: bool = False  # a proxy of ours hands requests on, and says whose they are
    visitors: Visitors
    # Either the configured user, by a token in the address:
    token: str | None = field(default=None, repr=False)
    user_id: int | None = None
    user_name: str = ""
    # or everybody with a personal login on this database, whose own account in the address is not used:
    database_url: str | None = field(default=None, repr=False)

    @property
    def has_logins(self) -> bool:
        """People log in, each as themselves."""
        return self.database_url is not None

    @property
    def cookie(self) -> str:
        """The cookie's name; with the prefix, a browser takes it from nobody but this very host by https."""
        return f"__Host-{COOKIE}" if self.is_secure else COOKIE
