"""Servers whose row security has known holes are refused."""

from __future__ import annotations

import re

import pytest

from db.setup.server_version import complaint


@pytest.mark.parametrize("version", [150014, 150018, 160010, 160099, 170006, 180000, 180006, 190000])
def test_a_mended_server_is_welcome(version: int) -> None:
    assert complaint(version) is None


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (90624, "15 or later"),
        (140020, "15 or later"),
        (150013, r"15\.13.*15\.14 or later"),
        (160009, r"16\.9.*16\.10 or later"),
        (170000, r"17\.0.*17\.6 or later"),
        (170005, r"17\.5.*17\.6 or later"),
    ],
)
def test_an_older_one_is_told_what_to_update_to(version: int, words: str) -> None:
    assert re.search(words, complaint(version) or "")
