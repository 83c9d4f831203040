"""Attached files in people's hands: listed, saved, opened, their texts read; each user's own."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from db import Attachment, FileText, FileTextPart, Issue
from pipeline.attachments.paths import path_of
from tests.fixtures.program import ROOT
from tests.fixtures.schema import ALICE, BOB
from tests.fixtures.shell import Shell

pytestmark = pytest.mark.xdist_group("shell")

LOG = b"one\nORA-00600\nthree\n"
Attach = Callable[..., str]


@pytest.fixture
def attach(shell: Shell) -> Attach:
    """Attach a file to an issue of somebody; ``body=None``: it was not fetched."""

    def attached(
        name: str, body: bytes | None = LOG, *, issue: str = "7", user: int = ALICE, **more: object
    ) -> str:
        digest = hashlib.sha256(body or b"").hexdigest()
        with shell.database.session(user) as session:
            row = session.query(Issue).filter_by(issue_id=issue, user_id=user).one_or_none()
            if row is None:
                row = Issue(issue_id=issue, title=f"Issue {issue}")
                session.add(row)
                session.flush()
            number = len(row.attachments)
            file = Attachment(issue_pk=row.issue_pk, source_key=str(number), filename=name, **more)
            if body is not None:
                file.sha256, file.downloaded, file.file_size = digest, True, len(body)
                file.file_path = str(path_of(digest))
            session.add(file)
        if body is not None:
            path = shell.home / path_of(digest)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        return digest

    return attached


def read(shell: Shell, digest: str, *parts: tuple[str, int, list[int] | None, str], **more: object) -> None:
    """Store what was read of a file."""
    with shell.database.session(ALICE) as session:
        session.add(FileText(sha256=digest, kind="zip", reader=1, characters=10, **more))
        session.flush()
        for position, (member, first, numbers, content) in enumerate(parts):
            session.add(
                FileTextPart(
                    sha256=digest,
                    position=position,
                    member=member,
                    first_line=first,
                    line_numbers=numbers,
                    content=content,
                )
            )
        session.query(Attachment).filter_by(sha256=digest).update({"text_extracted": True})


def test_files_are_listed_with_what_is_known_of_them(shell: Shell, attach: Attach) -> None:
    digest = attach("dump.zip")
    attach("large.bin", None, file_size=10**9, download_skipped="It is larger than 20 MB.")
    attach("gone.log", None, download_error="It has 1 bytes, and the tracker tells of 2.")
    attach("new.log", None)
    attach("copy.zip", issue="8")
    attach("theirs.zip", issue="9", user=BOB)
    read(shell, digest, ("a.log", 1, None, "x"), members=3)
    listed = shell("attachments", "list", "7")
    assert listed.out.splitlines() == [
        "1\tdump.zip\tzip\t20\tyes\ttext of 3 files read\t8",
        "2\tlarge.bin\t\t1000000000\tNot fetched: It is larger than 20 MB.\t\t",
        "3\tgone.log\t\t\tNot fetched: It has 1 bytes, and the tracker tells of 2.\t\t",
        "4\tnew.log\t\t\tNot fetched: crawl with --attachments.\t\t",
    ]
    first, *_ = shell("attachments", "list", "7", "--json").document
    assert (first["also_in"], first["path"], first["kind"]) == (
        ["8"],
        str(shell.home / path_of(digest)),
        "zip",
    )
    page = shell("show", "7").out
    assert "  dump.zip, 20 bytes, zip, text of 3 files read, also in 8\n" in page
    assert f"      {shell.home / path_of(digest)}\n" in page
    assert "      Not fetched: It is larger than 20 MB.\n" in page
    assert "attachments open 7 NAME" in page
    (row,) = [row for row in shell("export", "issues", "--format", "jsonl").out.splitlines() if '"7"' in row]
    assert '"attachments": "dump.zip; large.bin; gone.log; new.log"' in row


def test_somebody_elses_file_does_not_exist_whatever_is_the_same(shell: Shell, attach: Attach) -> None:
    attach("secret.log", user=BOB)
    for verb in ("list", "text", "save", "open"):
        done = shell("attachments", verb, "7")
        assert (done.status, done.sentence()) == (
            2,
            "Issue 7 is not stored: crawl it first, or look for it with search.",
        )
    attach("mine.log", issue="8")  # the same bytes
    assert shell("attachments", "list", "8", "--json").document[0]["also_in"] == []


def test_a_file_is_saved_under_its_name_made_safe(shell: Shell, attach: Attach, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    attach("../../../\u202eetc/pass\0wd".replace("\0", "\x01"))
    attach("a.log")
    attach("A.log", b"other")
    attach("missing", None)
    done = shell("attachments", "save", "7", "1", "-o", str(folder))
    assert (done.status, done.out) == (0, f"{folder}/_.._.._etc_passwd\n")
    done = shell("attachments", "save", "7", "--all", "-o", str(folder), "--force")
    assert done.status == 4
    assert "'missing' is not here. Not fetched: crawl with --attachments." in done.err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "_.._.._etc_passwd": LOG,
        "a.log": LOG,
        "A (2).log": b"other",
    }
    assert list(tmp_path.rglob("*passwd")) == [folder / "_.._.._etc_passwd"]


def test_what_is_there_is_not_written_over_without_asking(
    shell: Shell, attach: Attach, tmp_path: Path
) -> None:
    attach("a.log")
    attach("b.log")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.log").symlink_to(victim)
    done = shell("attachments", "save", "7", "--all", "-o", str(tmp_path / "out"))
    assert done.status == 2
    assert "is there already" in done.sentence()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.log"]  # nothing was written
    done = shell("attachments", "save", "7", "--all", "-o", str(tmp_path / "out"), "--force")
    assert done.status == 0
    assert (tmp_path / "out" / "b.log").read_bytes() == LOG
    assert not (tmp_path / "out" / "b.log").is_symlink()
    assert victim.read_text() == "precious"


def test_bytes_that_are_not_here_or_not_right_are_not_saved(
    shell: Shell, attach: Attach, tmp_path: Path
) -> None:
    digest = attach("a.log")
    (shell.home / path_of(digest)).write_bytes(b"another")
    assert "damaged" in shell("attachments", "save", "7", "-o", str(tmp_path / "out")).sentence()
    (shell.home / path_of(digest)).unlink()
    assert (
        "they are where it was crawled" in shell("attachments", "save", "7", "-o", str(tmp_path)).sentence()
    )
    assert list((tmp_path / "out").iterdir()) == []
    with shell.database.session(ALICE) as session:
        session.query(Attachment).update({"sha256": "../../../../etc/passwd"})
    done = shell("attachments", "save", "7", "-o", str(tmp_path / "out"))
    assert (done.status, "is not here" in done.sentence()) == (2, True)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("none", "no attached file 'none'"),
        ("a", "Say which file, by its name or its number: 1 a.log, 2 a.log, 3 ab.log"),
        ("a.log", "Say which file, by its name or its number: 1 a.log, 2 a.log."),
        ("4", "no attached file '4'"),
        (None, "Say which file"),
    ],
)
def test_a_name_that_is_not_clear_is_asked_for(
    shell: Shell, attach: Attach, typed: str | None, sentence: str
) -> None:
    for name in ("a.log", "a.log", "ab.log"):
        attach(name)
    done = shell("attachments", "save", "7", *([typed] if typed else []))
    assert done.status == 2
    assert sentence in done.sentence()


@pytest.fixture
def opener(shell: Shell, tmp_path: Path) -> Path:
    """A program in the place of xdg-open that notes what it gets."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "xdg-open"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" "${{DATABASE_URL-none}}" > {tmp_path}/noted\n')
    program.chmod(0o700)
    shell.monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    shell.monkeypatch.setenv("TMPDIR", str(tmp_path))
    shell.monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path / "noted"


@pytest.mark.skipif(os.sys.platform == "darwin", reason="another program opens files there")  # type: ignore[attr-defined]
def test_a_copy_under_the_real_name_is_opened(shell: Shell, attach: Attach, opener: Path) -> None:
    digest = attach("-보고서?.txt")
    done = shell("attachments", "open", "7", "--json")
    assert done.status == 0, done.err
    path, secret = opener.read_text().splitlines()
    copied = Path(path)
    assert (secret, done.document["path"], copied.name) == ("none", path, "_-보고서_.txt")
    assert copied.read_bytes() == LOG
    assert copied != shell.home / path_of(digest)
    assert stat.S_IMODE(copied.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(copied.stat().st_mode) == 0o400


def test_no_copy_is_left_where_nothing_opens_it(
    shell: Shell, attach: Attach, opener: Path, tmp_path: Path
) -> None:
    attach("a.log")
    (tmp_path / "bin" / "xdg-open").write_text("#!/bin/sh\nexit 3\n")
    done = shell("attachments", "open", "7")
    assert (done.status, "has no program for 'a.log'" in done.sentence()) == (2, True)
    assert not opener.exists()
    assert list(tmp_path.glob("ims-attachment-*")) == []


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.exe", b"x"),
        ("a.txt.EXE . ", b"x"),
        ("a\u202etxt.scr", b"x"),
        ("menu.desktop", b"x"),
        ("run.sh", b"x"),
        ("report.pdf", b"MZ\x90"),
        ("notes", b"\x7fELF"),
        ("notes.txt", b" \n#!/bin/sh\nrm -rf ~\n"),
        ("notes.txt", b"[Desktop Entry]\nExec=rm"),
        ("disk.iso", b"x"),
    ],
)
def test_what_may_be_a_program_is_not_opened(
    shell: Shell, attach: Attach, opener: Path, name: str, body: bytes
) -> None:
    attach(name, body)
    done = shell("attachments", "open", "7")
    assert done.status == 2
    assert "--force" in done.sentence()
    assert not opener.exists()
    assert shell("attachments", "open", "7", "--force").status == 0
    assert opener.exists()


def test_the_text_is_shown_under_the_names_of_its_members(shell: Shell, attach: Attach) -> None:
    digest = attach("dump.zip")
    read(
        shell,
        digest,
        ("a.log", 1, None, "one\ntwo"),
        ("a.log", 3, None, "three"),
        ("in.zip!/b.log", 1, [1, 2, 1204, 1205], "first\nsecond\nORA-00600\nafter"),
        capped=True,
    )
    shown = shell("attachments", "text", "7").out.splitlines()
    assert shown == [
        "(Not all of it is kept: the beginning, the end, and lines of errors are.)",
        *("=== a.log", "one", "two", "three"),
        *("=== in.zip!/b.log", "first", "second", "…", "ORA-00600", "after"),
    ]
    place = shell("attachments", "text", "7", "dump.zip!/in.zip!/b.log:1204").out.splitlines()[1:]
    assert place == ["=== in.zip!/b.log", "   1204  ORA-00600", "   1205  after"]
    assert shell("attachments", "text", "7", "dump.zip!/a.log", "-n").out.splitlines()[-1] == "      3  three"
    document = shell("attachments", "text", "7", "--json").document
    assert [part["member"] for part in document["parts"]] == ["a.log", "a.log", "in.zip!/b.log"]
    done = shell("attachments", "text", "7", "dump.zip!/c.log")
    assert (done.status, "It has: a.log, in.zip!/b.log." in done.sentence()) == (2, True)


def test_a_file_without_text_says_why(shell: Shell, attach: Attach) -> None:
    attach("a.png", text_error="It is encrypted.")
    attach("b.png")
    attach("c.png", None)
    for number, why in (
        ("1", "It could not be read: It is encrypted."),
        ("2", "It was not read yet: reparse --attachments."),
        ("3", "Not fetched: crawl with --attachments."),
    ):
        done = shell("attachments", "text", "7", number)
        assert (done.status, why in done.sentence()) == (2, True)


def test_names_are_completed_after_a_look_at_their_issue(shell: Shell, attach: Attach) -> None:
    for name in ("server.log", "보고서 1.txt", "odd\nname"):
        attach(name)
    attach("other.log", issue="8")

    def completed(*words: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, str(ROOT / "run_crawl.py")],
            env={
                **os.environ,
                "_IMS_CRAWL_COMPLETE": "complete_bash",
                "COMP_WORDS": " ".join(("ims-crawl", *words)),
                "COMP_CWORD": str(len(words)),
                "IMS_USER": "alice",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return [line for line in done.stdout.splitlines() if line]

    assert completed("attachments", "open", "7", "s") == []
    shell("attachments", "list", "7")
    shell("show", "8")
    assert completed("attachments", "open", "7", "s") == ["server.log"]
    assert completed("attachments", "text", "8", "") == ["other.log"]
    assert completed("attachments", "save", "7", "") == ["server.log", "보고서 1.txt"]
    assert completed("attachments", "save", "9", "") == []
