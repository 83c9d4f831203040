"""The page about the models is true: its examples run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import db.models
from tests.fixtures.schema import Database

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_example_runs_one_after_the_other(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database.app_url)
    page = PAGE.read_text("utf-8")
    names: dict[str, object] = {}
    blocks = list(FENCE.finditer(page))
    assert len(blocks) >= 10
    for block in blocks:
        line = page[: block.start()].count("\n") + 1
        code = compile("\n" * line + block.group(1), str(PAGE), "exec")
        exec(code, names)  # noqa: S102  # the page is ours


def test_every_model_is_on_the_page_with_its_relationships() -> None:
    page = PAGE.read_text("utf-8")
    for name in set(db.models.__all__) - {"Base", "SCHEMA", "TrackerSecret"}:
        assert f"`{name}`" in page, name
        for relationship in getattr(db.models, name).__mapper__.relationships:
            if relationship.key != "stored_secret":
                assert f"`{relationship.key}`" in page, f"{name}.{relationship.key}"
