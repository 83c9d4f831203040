"""``show``: what was stored, in words, whatever a tracker told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.show import _FIELDS, _change, _page

ISSUE: dict[str, Any] = {
    **dict.fromkeys(_FIELDS),
    "tracker": "desk",
    "issue_id": "7",
    "title": "A title",
    "url": None,
    "description": None,
    **{name: [] for name in ("comments", "history", "attachments", "relations")},
}


def line(**change: Any) -> str:
    row = {
        **dict.fromkeys(("changed_at", "changed_by", "field_name", "old_value", "new_value", "description")),
        "change_type": "field",
        **change,
    }
    (shown,) = _change(row)
    return shown.strip()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"field_name": "keywords", "description": "gamma を追加"}, "keywords: gamma を追加"),
        ({"field_name": "comment:1", "change_type": "comment"}, "comment:1: changed"),
        ({"field_name": "cc", "old_value": "", "new_value": "kim"}, "cc: → kim"),
        ({"field_name": "in reply to", "old_value": '{"2": 1}', "new_value": '{"2": 1, "3": [1, "x"]}'},
         "in reply to: 2: 1 → 2: 1, 3: (1, x)"),
        ({"field_name": "note", "old_value": "[x", "new_value": "{y}"}, "note: [x → {y}"),
        ({"field_name": "note", "old_value": "[" * 9999, "new_value": "y"}, f"note: {'[' * 9999} → y"),
        ({"description": "Something else"}, "Something else"),
    ],
)  # fmt: skip
def test_a_change_is_shown_by_its_values_else_by_the_trackers_words(
    change: dict[str, Any], expected: str
) -> None:
    assert line(**change) == expected


def test_fields_of_the_trackers_own_are_no_python() -> None:
    full_data = {"in reply to": {"2": "1", "3": 2}, "tags": ["a", ["b", None, True]], "empty": {}, "n": 1.5}
    _, _, *shown = _page({**ISSUE, "full_data": full_data}, Path("home"), timeline=False)
    assert [" ".join(text.split()) for text in shown] == [
        "in reply to 2: 1, 3: 2",
        "tags a, (b, , yes)",
        "empty",
        "n 1.5",
    ]
