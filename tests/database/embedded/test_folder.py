"""A data folder that cannot be used is refused in one clear sentence, and left as it is."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.embedded import EmbeddedServer
from db.embedded.binaries import Binaries, find_binaries
from db.embedded.cluster import shared_buffers
from db.embedded.host_capabilities import RUN_AS, HostCapabilities, choose_identity, namespaces_work
from db.embedded.paths import data_paths, own_folder
from db.errors import (
    DataFolderForbidden,
    DataFolderOutdated,
    DataFolderUnusable,
    DiskFull,
    EmbeddedError,
    NoBinaries,
    ServerFailed,
)
from tests.fixtures.embedded import Home, Users, limited_disk


def refusal(home: Path, kind: type[EmbeddedError]) -> str:
    """What a start says when it refuses; nothing may be left running."""
    with pytest.raises(kind) as caught:
        EmbeddedServer(home).start()
    assert type(caught.value) is kind
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_data_of_another_major_version_is_refused(home: Home) -> None:
    (home.folder / "data" / "PG_VERSION").write_text("16\n")
    assert "written by PostgreSQL 16, and this is 18" in refusal(home.path, DataFolderOutdated)


def test_a_folder_that_is_no_data_folder_is_refused_and_kept(empty_home: Home) -> None:
    precious = empty_home.folder / "data" / "thesis.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("mine")
    assert "not a data folder of PostgreSQL" in refusal(empty_home.path, DataFolderUnusable)
    assert precious.read_text() == "mine"


def test_a_lost_password_is_told(home: Home) -> None:
    (home.folder / "superuser.password").unlink()
    assert "superuser.password is missing" in refusal(home.path, DataFolderUnusable)


def test_a_file_in_place_of_the_home_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    assert str(tmp_path / "home") in refusal(tmp_path / "home", DataFolderUnusable)


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "postgres").symlink_to(tmp_path / "elsewhere")
    assert "it is not a folder" in refusal(tmp_path, DataFolderForbidden)
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder that belongs to somebody else")
@pytest.mark.parametrize("folder", ["postgres", "postgres/data"])
def test_a_folder_of_somebody_else_is_refused(home: Home, folder: str) -> None:
    os.chown(home.path / folder, 65534, 65534)
    assert "belongs to nobody, not to root" in refusal(home.path, DataFolderForbidden)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder that belongs to somebody else")
def test_a_folder_for_the_socket_that_somebody_else_made_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "socket").mkdir()
    os.chown(tmp_path / "socket", 65534, 65534)
    with pytest.raises(DataFolderForbidden, match="belongs to nobody"):
        own_folder(tmp_path / "socket")


def test_a_folder_that_others_may_enter_is_closed(home: Home) -> None:
    home.folder.chmod(0o755)
    with EmbeddedServer(home.path):
        assert home.folder.stat().st_mode & 0o777 == 0o700


def fill(ballast: Path) -> None:
    """Write until the disk is full."""
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


def test_a_full_disk_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with limited_disk(tmp_path, megabytes=20):
        assert "Too little space" in refusal(tmp_path, DiskFull)
        assert not list((tmp_path / "postgres").glob("data*"))


def test_a_disk_that_fills_up_while_the_server_recovers_is_told(
    initialised_home: Path, tmp_path: Path
) -> None:
    with limited_disk(tmp_path, megabytes=200):
        subprocess.run(["cp", "-a", f"{initialised_home}/postgres", str(tmp_path)], check=True)
        with EmbeddedServer(tmp_path):
            pass
        Home(tmp_path).wait_until_quiet()
        fill(tmp_path / "ballast")
        assert "No space is left" in refusal(tmp_path, DiskFull)


def test_a_server_that_was_started_by_hand_is_neither_stopped_nor_doubled(home: Home) -> None:
    paths = data_paths(home.path)
    identity, binaries = choose_identity(paths, find_binaries(), HostCapabilities(namespaces_work))
    command = identity.command(binaries.program("postgres"), "-D", str(paths.data), "-c", "listen_addresses=")
    with tempfile.TemporaryDirectory() as socket:
        by_hand = subprocess.Popen([*command, "-k", socket], stderr=subprocess.PIPE, text=True)
        with by_hand:
            assert by_hand.stderr is not None
            assert any("ready to accept" in line for line in by_hand.stderr)
            assert f"process {by_hand.pid}" in refusal(home.path, ServerFailed)
            assert by_hand.poll() is None
            by_hand.terminate()


def test_what_the_server_says_against_its_start_is_told(home: Home) -> None:
    (home.folder / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
    assert "did not start" in (sentence := refusal(home.path, ServerFailed))
    assert "no_such_setting" in sentence or "configuration file" in sentence


def test_a_platform_without_a_wheel_is_told_to_bring_a_server() -> None:
    with pytest.raises(NoBinaries, match="set DATABASE_URL"):
        find_binaries("no_such_package")


def test_programs_that_do_not_run_here_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "pginstall" / "bin"
    folder.mkdir(parents=True)
    (folder / "postgres").write_bytes(b"\x7fELF of another machine")
    (folder / "postgres").chmod(0o755)
    with pytest.raises(NoBinaries, match="does not run on this system"):
        Binaries(tmp_path, None).version()


@pytest.fixture
def as_somebody() -> Iterator[list[str]]:
    """What runs a program as a user who is not root; the files stay ours, without root's rights to them."""
    if os.geteuid() != 0:
        yield []
    elif not namespaces_work(find_binaries()):
        pytest.skip("user namespaces are forbidden here")
    else:
        yield [sys.executable, "-I", "-S", str(RUN_AS), str(os.getpid()), "namespace", "1000", "1000"]


def test_a_home_that_may_not_be_written_is_told(
    empty_home: Home, users: Users, as_somebody: list[str]
) -> None:
    empty_home.path.mkdir(mode=0o500)
    said = users.start(prefix=as_somebody).said
    assert said["kind"] == "DataFolderForbidden"
    assert "cannot be written by" in said["error"]


def test_data_that_may_not_be_read_is_told(home: Home, users: Users, as_somebody: list[str]) -> None:
    (home.folder / "data").chmod(0)
    said = users.start(prefix=as_somebody).said
    assert said["kind"] in ("DataFolderForbidden", "DataFolderUnusable"), said
    (home.folder / "data").chmod(0o700)


@given(st.integers(1, 1 << 45), st.integers(0, 1 << 45))
def test_a_server_shares_an_eighth_of_the_memory_within_bounds(memory: int, more: int) -> None:
    shared = shared_buffers(memory)
    assert 128 << 20 <= shared <= 1 << 30
    assert shared <= max(memory // 8, 128 << 20)
    assert shared <= shared_buffers(memory + more)
