"""What is known of an issue besides GitLab's answers for it: its project, and which parts were refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from crawler.json_document import read_json

PART: Final = "project"


class Side(Struct, frozen=True, kw_only=True):
    """The side page of an issue."""

    number: int  # of the connection's project
    path: str
    name: str | None = None
    totals: Mapping[str, int] = field(default_factory=dict)  # rows of a part, by GitLab's own count
    refused: Mapping[str, int] = field(default_factory=dict)  # with which status, by the part

    def page(self) -> bytes:
        """Write it down, as JSON."""
        return json.dumps(
            {
                "id": self.number,
                "path_with_namespace": self.path,
                "name": self.name,
                "totals": dict(self.totals),
                "refused": dict(self.refused),
            },
            sort_keys=True,
        ).encode()


def read_side(body: bytes) -> Side:
    """Read what :meth:`Side.page` wrote.

    Raises:
        PageRejected: it is something else.
    """
    told = read_json(body, what="$project")
    counted = {
        name: {part: told.at(name).at(part).integer() for part in told.at(name).object()}
        for name in ("totals", "refused")
    }
    return Side(
        number=told.at("id").integer(),
        path=told.at("path_with_namespace").text(),
        name=told.optional_text("name"),
        **counted,
    )
