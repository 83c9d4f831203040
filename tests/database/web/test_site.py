"""An archive: one's own issues as files, a tracker's texts as texts, and an index that has every word."""

from __future__ import annotations

import errno
import json
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.database.web.conftest import FILE, Story
from tests.fixtures.program import Completed
from tests.fixtures.served import environment
from tests.fixtures.shell import Shell
from web.site.index import chunk_of, terms


class Links(HTMLParser):
    """What a page leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]
        self.found += [value or "" for name, value in attrs if name in ("href", "src", "action")]


def exported(
    story: Story, shell: Shell, monkeypatch: pytest.MonkeyPatch, *options: str, user: str = "alice"
) -> Completed:
    for name, value in environment(story.home, user, story.database.app_url).items():
        monkeypatch.setenv(name, value)
    return shell("export", "--site", *options, user=user)


def chunk(folder: Path, name: str) -> Any:
    text = (folder / "site" / "search" / f"{name}.js").read_text()
    return json.loads(text.partition(",")[2].rpartition(")")[0])


@pytest.mark.parametrize("user", ["alice", "bob"])
def test_an_archive_has_ones_own_issues_and_no_others(
    story: Story, shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, user: str
) -> None:
    other = "bob" if user == "alice" else "alice"
    folder = tmp_path / "site"
    done = exported(story, shell, monkeypatch, str(folder), "--json", user=user)
    assert done.document == {"folder": str(folder), "issues": 2, "files": 1, "missing_files": 0}
    said = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert f"secret-of-{user}".encode() in said
    assert FILE + user.encode() in said
    assert other.encode() not in said


def test_what_a_tracker_wrote_stays_text_and_every_link_leads_somewhere(
    story: Story, shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    assert exported(story, shell, monkeypatch, str(folder), "--lang", "ko").status == 0
    pages = list(folder.rglob("*.html"))
    assert len(pages) == 3
    for page in pages:
        text = page.read_text()
        links = Links()
        links.feed(text)
        assert links.tags.isdisjoint({"img", "iframe", "style", "object"})
        assert "default-src 'none'" in text
        assert '<html lang="ko">' in text
        for found in links.found:
            told = urlsplit(found)
            assert told.scheme in ("", "http", "https")
            if not told.scheme and told.path:
                assert (page.parent / unquote(told.path)).resolve().is_relative_to(folder.resolve())
                assert (page.parent / unquote(told.path)).is_file(), found
    names = [path.name for path in folder.glob("files/*/*")]
    assert all(name.endswith(".bin") for name in names)  # a page that somebody attached is no page of ours
    assert (folder / "example.com" / "x.html").exists()  # the tracker's own path


def test_every_word_is_in_the_index(
    story: Story, shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    exported(story, shell, monkeypatch, str(folder))
    about, rows = chunk(folder, "about"), chunk(folder, "list0")
    assert about["count"] == len(rows) == 2
    (whole,) = [place for place, row in enumerate(rows) if row[0] == "1"]
    for place, row in enumerate(rows):
        for term in terms(row[1]):
            assert place in having(folder, term), term
    assert having(folder, "comment") == [whole]
    assert having(folder, "example") == [whole]  # of the description
    assert having(folder, "nowhere") == []
    assert {chunk_of(term) for term in terms(rows[whole][1])} <= set(about["chunks"])


def having(folder: Path, term: str) -> list[int]:
    """The documents that have a word, as the browser works it out."""
    if not (folder / "site" / "search" / f"words-{chunk_of(term)}.js").exists():
        return []
    return [number // 16 for number in accumulate(chunk(folder, f"words-{chunk_of(term)}").get(term, []))]


def test_a_folder_that_is_not_empty_is_left_alone(
    story: Story, shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("full", "file"):
        done = exported(story, shell, monkeypatch, str(tmp_path / name))
        assert (done.status, "is not empty: give a new folder" in done.sentence()) == (2, True)
    done = exported(story, shell, monkeypatch, "/proc/nowhere/site")
    assert (done.status, "cannot be written" in done.sentence()) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full"]


def test_a_full_disk_leaves_nothing(
    story: Story, shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written = Path.write_bytes

    def full(path: Path, body: bytes) -> int:
        if path.name == "about.js":
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(path, body)

    monkeypatch.setattr(Path, "write_bytes", full)
    done = exported(story, shell, monkeypatch, str(tmp_path / "site"))
    assert (done.status, "No space left on device" in done.sentence()) == (2, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--site", "x", "--warc", "y"), "or --site DIR"),
        (("issues", "--site", "x"), "or --site DIR"),
        (("--site", "x", "--everybody"), "your own issues only"),
        (("--site", "x", "--tracker", "nobody"), "no tracker called"),
    ],
)
def test_what_does_not_go_together_is_said(shell: Shell, options: tuple[str, ...], told: str) -> None:
    done = shell("export", *options)
    assert (done.status, told in done.sentence()) == (2, True)
