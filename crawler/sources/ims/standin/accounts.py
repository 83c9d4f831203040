"""The three accounts that the stand-in comes with: other columns each, other issues and fields."""

from __future__ import annotations

from typing import Final

from crawler.sources.ims.standin.columns import USUAL
from crawler.sources.ims.standin.model import Account

# made-up passwords of a tracker that holds nothing of worth
DEMO: Final = (
    Account(
        name="kim",
        password="kim-secret",  # noqa: S106 - shown in the documentation, opens nothing else
        full_name="김민서",
        grade="3",
        columns=USUAL,
    ),
    Account(
        name="sato",
        password="sato-secret",  # noqa: S106 - shown in the documentation, opens nothing else
        full_name="佐藤 恵",
        grade="2",
        # neither a number nor a place: the number is only in the row's onclick
        columns=("Subject", "Status", "Priority", "Product", "Customer", "Reporter", "Issued Date", "Module"),
        hidden_fields=frozenset({"Customer"}),
    ),
    Account(
        name="smith",
        password="smith-secret",  # noqa: S106 - shown in the documentation, opens nothing else
        full_name="Ann Smith",
        grade="5",
        columns=(
            "Issued Date",
            "Category",
            "Issue Number",
            "Customer",
            "Owner",
            "Status",
            "Subject",
            "Actions",
        ),
    ),
)
