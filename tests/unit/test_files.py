"""What others can plant in a folder neither leads our writing elsewhere nor is believed."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from crawler.errors import UsageError
from db.embedded.paths import data_paths
from db.errors import DatabaseUnfit, DataFolderForbidden
from db.files import data_folder, folders, read_own, whole_file
from db.settings import environment, read_settings
from pipeline.attachments.draft import Draft
from pipeline.reports.export import output_file
from pipeline.trackers.secrets import KEY_FILE, open_vault

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files away, which only root may")


@pytest.fixture
def open_umask() -> Iterator[None]:
    """An account whose umask closes nothing."""
    former = os.umask(0)
    yield
    os.umask(former)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_planted_link_is_replaced_and_what_it_points_to_stays(tmp_path: Path) -> None:
    victim, target = tmp_path / "victim.txt", tmp_path / "pages.warc"
    victim.write_text("precious")
    for name in ("pages.warc", f"pages.warc.{os.getpid()}", f"pages.warc.{os.getpid()}.new"):
        (tmp_path / name).symlink_to(victim)
    with output_file(target) as file:
        file.write(b"new")
    assert victim.read_text() == "precious"
    assert (target.read_bytes(), target.is_symlink()) == (b"new", False)


@pytest.mark.parametrize("there", ["another's file", "nothing"])
def test_even_the_name_of_a_draft_that_was_guessed_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str
) -> None:
    victim = tmp_path / "victim.txt"
    if there != "nothing":
        victim.write_text("precious")
    monkeypatch.setattr("db.files.secrets.token_hex", lambda _: "guessed")
    (tmp_path / ".pages.warc.guessed").symlink_to(victim)
    with pytest.raises(UsageError, match="cannot be written"), output_file(tmp_path / "pages.warc") as file:
        file.write(b"new")
    assert victim.exists() == (there != "nothing")
    assert not victim.exists() or victim.read_text() == "precious"


def test_what_is_not_whole_has_no_name_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old")
    with suppress(RuntimeError), output_file(tmp_path / "report.html") as file:
        file.write(b"half")
        raise RuntimeError
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
    with pytest.raises(UsageError, match="cannot be written"), output_file(tmp_path / "no" / "file") as file:
        pass


def test_of_two_that_make_the_same_file_the_first_wins(tmp_path: Path) -> None:
    for text in (b"first", b"second"):
        with whole_file(tmp_path / "key", replace=False) as file:
            file.write(text)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"first"]


def keep(home: Path) -> None:
    """Keep an attached file."""

    async def kept() -> None:
        async with Draft(home) as draft:
            await draft.write(b"attached")
            draft.keep()

    asyncio.run(kept())


@pytest.mark.usefixtures("open_umask")
def test_whatever_the_umask_everything_is_closed_to_others(tmp_path: Path) -> None:
    home = tmp_path / "a" / "b"
    home.mkdir(parents=True)
    keep(home)
    open_vault(home, None)
    data_paths(home)
    made = list(home.rglob("*"))
    assert len(made) > 5
    assert {mode(path) & 0o077 for path in made} == {0}
    assert mode(home) & 0o022 == 0  # what is ours is closed to those who would write
    folders(tmp_path / "c" / "d")
    assert mode(tmp_path / "c") == 0o700


@as_root
def test_a_data_folder_of_somebody_else_is_not_written(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    for use in (data_folder, data_paths, lambda home: open_vault(home, None), keep):
        with pytest.raises(DataFolderForbidden, match="belongs to nobody"):
            use(tmp_path)  # type: ignore[operator]
    assert list(tmp_path.iterdir()) == []


@as_root
@pytest.mark.parametrize("name", [KEY_FILE])
def test_a_key_that_somebody_planted_is_not_used(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("planted")
    os.chown(tmp_path / name, NOBODY, NOBODY)
    with pytest.raises(DataFolderForbidden, match="belongs to nobody"):
        open_vault(tmp_path, None)


def test_a_file_that_others_may_write_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    assert read_own(path) == b"x"
    path.chmod(0o666)
    with pytest.raises(DataFolderForbidden, match="others may write it"):
        read_own(path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataFolderForbidden, match="no file"):
        read_own(tmp_path / "pipe")


OURS = "IMS_USER=kim\nDATABASE_URL=postgresql://elsewhere/d\n"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting in the environment."""
    for name in ("IMS_USER", "IMS_HOME", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("bare")
def test_a_dotenv_that_others_may_write_is_ignored_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(OURS)
    assert environment(dotenv)["DATABASE_URL"] == "postgresql://elsewhere/d"
    dotenv.chmod(0o662)
    for _ in range(2):
        assert "DATABASE_URL" not in environment(dotenv)
    assert capsys.readouterr().err.count("is not used: others may write it") == 1


@as_root
@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("planted", ["file", "link"])
def test_somebody_elses_dotenv_is_ignored(tmp_path: Path, planted: str) -> None:
    dotenv = tmp_path / ".env"
    if planted == "file":
        dotenv.write_text(OURS)
    else:
        (tmp_path / "another-project").write_text(OURS)
        dotenv.symlink_to("another-project")
    os.chown(dotenv, NOBODY, NOBODY, follow_symlinks=False)
    assert "DATABASE_URL" not in environment(dotenv)


@pytest.mark.usefixtures("bare")
def test_the_database_of_another_programs_dotenv_is_not_taken(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("DATABASE_URL=postgresql://shop/orders\nDEBUG=1\n")
    assert "DATABASE_URL" not in environment(dotenv)


@pytest.mark.usefixtures("bare")
def test_nothing_in_a_dotenv_is_expanded(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("IMS_TRACKER_PASSWORD=a${HOME}b$HOME\n", "utf-8-sig")
    assert environment(tmp_path / ".env")["IMS_TRACKER_PASSWORD"] == "a${HOME}b$HOME"


@pytest.mark.parametrize("encoding", ["euc-kr", "utf-16", "utf-16-le"])
def test_a_dotenv_in_another_encoding_is_one_sentence_with_its_name(tmp_path: Path, encoding: str) -> None:
    (tmp_path / ".env").write_bytes("IMS_USER=김민지\n".encode(encoding))
    with pytest.raises(DatabaseUnfit, match=r"\.env is not text in UTF-8"):
        environment(tmp_path / ".env")


def test_an_account_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(path: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", homeless)
    with pytest.raises(DatabaseUnfit, match="set IMS_HOME"):
        read_settings(variables={})
