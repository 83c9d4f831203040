"""An answer of a tracker, inflated but not decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crawler.http.decode import decode


@dataclass(frozen=True, slots=True)
class Response:
    """One whole answer. Its repr shows neither headers nor body."""

    url: str  # the final address, values of secret parameters replaced by ***
    status: int
    headers: Mapping[str, str] = field(repr=False)  # lower-case names; without Set-Cookie
    body: bytes = field(repr=False)  # inflated

    @property
    def content_type(self) -> str | None:
        """The Content-Type header as it came, charset included."""
        return self.headers.get("content-type")

    @property
    def text(self) -> str:
        """The body as text, found and decoded at every call (:func:`crawler.http.decode.decode`)."""
        return decode(self.body, self.content_type).text
