"""A tracker's name for a field leads to our column."""

from __future__ import annotations

import pytest

from db.fields import column_of


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("Assigned To", "owner"),
        ("assigned_to", "owner"),
        ("담당자", "owner"),
        ("ステータス", "status"),
        ("status", "status"),
        ("fixVersions", "fixed_version"),
        ("Sprint", None),
        (None, None),
    ],
)
def test_a_field_is_placed_whatever_it_is_called(name: str | None, column: str | None) -> None:
    assert column_of(name) == column
