"""Files are kept under the hash of their bytes."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from db.backup import ATTACHMENTS
from pipeline.attachments.download import Draft, path_of


def _store(home: Path, body: bytes) -> str:
    with Draft(home) as draft:
        draft.write(body[:100])
        draft.write(body[100:])
        return draft.keep()


def test_the_same_bytes_stored_at_the_same_moment_are_one_file(tmp_path: Path) -> None:
    for turn in range(30):
        body = b"log %d" % turn * 5000
        with ThreadPoolExecutor(8) as pool:
            digests = set(pool.map(lambda _, body=body: _store(tmp_path, body), range(8)))
        assert digests == {hashlib.sha256(body).hexdigest()}
        path = tmp_path / path_of(digests.pop())
        assert path.read_bytes() == body
        assert [other.name for other in path.parent.iterdir() if other.name.startswith(path.name)] == [
            path.name
        ]
        assert path.stat().st_mode & 0o077 == 0
        assert not list((tmp_path / ATTACHMENTS).glob("draft.*"))


def test_a_file_of_which_only_a_part_came_is_not_kept(tmp_path: Path) -> None:
    with Draft(tmp_path) as draft:
        draft.write(b"a part")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
