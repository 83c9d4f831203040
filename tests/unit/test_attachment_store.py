"""Files are kept under the hash of their bytes."""

from __future__ import annotations

import asyncio
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crawler.errors import ItemError
from crawler.http.transfer import Head, Kept
from db.files import ATTACHMENTS
from pipeline.attachments.draft import Draft, left_over
from pipeline.attachments.paths import path_of


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _store(home: Path, body: bytes) -> str:
    async def kept() -> str:
        async with Draft(home) as draft:
            await draft.write(body[:100])
            await draft.write(body[100:])
            return draft.keep()

    return asyncio.run(kept())


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


async def test_a_file_of_which_only_a_part_came_is_not_kept(tmp_path: Path) -> None:
    async with Draft(tmp_path, "1") as draft:
        await draft.begin(Head(start=0, size=100))  # and the server gives no parts
        await draft.write(b"a part")
    assert files_in(tmp_path) == []


HEAD = Head(start=0, size=10, content_type="text/plain", validator='"1"')


async def test_a_part_is_gone_on_with_where_it_ends(tmp_path: Path) -> None:
    async with Draft(tmp_path, "1 2 /a/../log") as draft:
        await draft.begin(HEAD)
        await draft.write(b"01234")
    names = [path.name for path in (tmp_path / ATTACHMENTS).iterdir()]
    assert len(names) == 2
    assert all(name.startswith("part.") and "log" not in name for name in names)
    async with Draft(tmp_path, "another") as draft:
        assert draft.kept is None
    async with Draft(tmp_path, "1 2 /a/../log") as draft:
        assert draft.kept == Kept(have=5, tail=b"01234", size=10, validator='"1"')
        await draft.begin(Head(start=5, size=10, validator='"1"'))
        await draft.write(b"56789")
        digest = draft.keep()
    assert (tmp_path / path_of(digest)).read_bytes() == b"0123456789"
    assert [path for path in (tmp_path / ATTACHMENTS).iterdir() if path.is_file()] == []


async def test_bytes_that_are_not_those_that_were_saved_are_dropped(tmp_path: Path) -> None:
    for harm in (b"012X4", b"0123", b""):
        async with Draft(tmp_path, "1") as draft:
            await draft.begin(HEAD)
            await draft.write(b"01234")
        (part,) = (each for each in (tmp_path / ATTACHMENTS).iterdir() if each.suffix != ".json")
        part.write_bytes(harm)
        async with Draft(tmp_path, "1") as draft:
            assert (draft.kept, draft.size) == (None, 0)
    assert list((tmp_path / ATTACHMENTS).iterdir()) == []


async def test_what_came_behind_the_last_save_of_a_killed_process_does_not_count(tmp_path: Path) -> None:
    async with Draft(tmp_path, "1") as draft:
        await draft.begin(HEAD)
        await draft.write(b"01234")
    (part,) = (each for each in (tmp_path / ATTACHMENTS).iterdir() if each.suffix != ".json")
    part.write_bytes(b"01234" + bytes(30))
    async with Draft(tmp_path, "1") as draft:
        await draft.begin(Head(start=5, size=10, validator='"1"'))
        await draft.write(b"56789")
        digest = draft.keep()
    assert digest == hashlib.sha256(b"0123456789").hexdigest()
    assert (tmp_path / path_of(digest)).read_bytes() == b"0123456789"


async def test_bytes_of_another_place_are_refused(tmp_path: Path) -> None:
    async with Draft(tmp_path, "1") as draft:
        await draft.begin(HEAD)
        await draft.write(b"01234")
        with pytest.raises(ItemError):
            await draft.begin(Head(start=4, size=10, validator='"1"'))


async def test_two_at_one_file_do_not_share_its_part(tmp_path: Path) -> None:
    async with Draft(tmp_path, "1") as one, Draft(tmp_path, "1") as other:
        for draft, body in ((one, b"01234"), (other, b"abcde")):
            await draft.begin(HEAD)
            await draft.write(body)
            await draft.write(body)
        digests = [draft.keep() for draft in (one, other)]
    assert [(tmp_path / path_of(digest)).read_bytes() for digest in digests] == [b"01234" * 2, b"abcde" * 2]


async def test_old_parts_are_found_and_those_in_use_are_not(tmp_path: Path) -> None:
    for mark in ("1", "2", "3"):
        async with Draft(tmp_path, mark) as draft:
            await draft.begin(HEAD)
            await draft.write(b"01234")
    names = sorted((tmp_path / ATTACHMENTS).iterdir())
    for path in names[:4]:
        os.utime(path, (0, 0))
    assert sorted(left_over(tmp_path)) == names[:4]
    async with Draft(tmp_path, "1"), Draft(tmp_path, "2"), Draft(tmp_path, "3"):
        assert [path for path in left_over(tmp_path) if path.suffix != ".json"] == []


async def test_the_folder_is_closed_to_others_whatever_it_was_before(tmp_path: Path) -> None:
    (tmp_path / ATTACHMENTS).mkdir(mode=0o755)
    (tmp_path / ATTACHMENTS).chmod(0o755)
    async with Draft(tmp_path):
        assert (tmp_path / ATTACHMENTS).stat().st_mode & 0o777 == 0o700
