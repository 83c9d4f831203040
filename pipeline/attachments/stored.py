"""The attached files of a stored issue: which there are, what they say, and copies of them for people."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from crawler.errors import UsageError
from db.acting import acting_for
from db.files import whole_file
from pipeline.attachments.paths import path_of
from pipeline.attachments.safe_name import free_name, safe_name
from pipeline.search.stored_issue import find_issue

_HASH = re.compile(r"[0-9a-f]{64}")
_PIECE = 1 << 20

# What a system runs, or opens as another disk, when it is asked to open it; by the end of the name.
_RUN = {
    *("exe", "com", "bat", "cmd", "scr", "pif", "cpl", "msi", "msp", "msix", "appx", "dll"),
    *("sys", "inf", "reg", "vb", "vbs", "vbe", "js", "jse", "ws", "wsf", "wsh", "wsc", "hta"),
    *("ps1", "psm1", "psd1", "gadget", "chm", "hlp", "lnk", "url", "scf", "application"),
    *("appref-ms", "jar", "jnlp", "xll", "docm", "dotm", "xlsm", "xltm", "xlam", "pptm"),
    *("potm", "ppam", "ppsm", "iso", "img", "vhd", "vhdx", "sh", "bash", "zsh", "csh", "ksh"),
    *("fish", "command", "tool", "workflow", "desktop", "run", "bin", "elf", "out"),
    *("appimage", "app", "pkg", "dmg", "deb", "rpm", "snap", "flatpakref", "py", "pyc", "pyw"),
    *("pyz", "pl", "rb", "php", "lua", "tcl", "awk", "mjs", "cjs", "action", "service"),
}
_BEGINNINGS = (
    *(b"MZ", b"\x7fELF", b"#!", b"[Desktop Entry]", b"\xef\xbb\xbf#!"),
    *(
        b"\xca\xfe\xba\xbe",
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
    ),
    b"L\x00\x00\x00\x01\x14\x02\x00",  # a shortcut of Windows
)


def files_of(user_id: int, issue_id: str, tracker: str | None = None) -> list[dict[str, Any]]:
    """The attached files of one of the user's issues, numbered as they are listed.

    Raises:
        UsageError: there is no such issue for this user, or several trackers have one.
    """
    with acting_for(user_id, everybody=False) as acting:
        found = find_issue(acting, issue_id, tracker)
        rows = acting.rows("issue", "attachments", {"issue_pk": found["issue_pk"]})
    return [{"number": number, **row} for number, row in enumerate(rows, 1)]


def chosen(files: list[dict[str, Any]], name: str | None) -> dict[str, Any]:
    """The file of a name, or of its beginning, or of its number in the list.

    Raises:
        UsageError: there is none, or several.
    """
    if name is None:
        fitting = files
    else:
        low = name.casefold()
        fitting = (
            [each for each in files if each["filename"] == name]
            or [each for each in files if str(each["number"]) == name]
            or [each for each in files if each["filename"].casefold() == low]
            or [each for each in files if each["filename"].casefold().startswith(low)]
        )
    if len(fitting) == 1:
        return fitting[0]
    if not files:
        raise UsageError("The issue has no attached files.")
    known = ", ".join(f"{each['number']} {each['filename']}" for each in (fitting or files)[:10])
    if not fitting:
        raise UsageError(f"The issue has no attached file {name!r}. It has: {known}.")
    raise UsageError(f"Say which file, by its name or its number: {known}.")


def absence(file: dict[str, Any]) -> str:
    """Why the bytes of a file are not here, in one sentence."""
    if file["removed_at"] is not None and not file["downloaded"]:
        return "It is no longer at the tracker."
    why = file["download_skipped"] or file["download_error"]
    return f"Not fetched: {why}" if why else "Not fetched: crawl with --attachments."


@contextmanager
def opened(home: Path, file: dict[str, Any]) -> Iterator[BinaryIO]:
    """Give the bytes of a file.

    Raises:
        UsageError: they are not here.
    """
    name = file["filename"]
    if not file["downloaded"] or not _HASH.fullmatch(file["sha256"] or ""):
        raise UsageError(f"{name!r} is not here. {absence(file)}")
    path = home / path_of(file["sha256"])
    try:
        source = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb")
    except OSError as error:
        raise UsageError(
            f"The bytes of {name!r} are not in this data folder ({path}): they are where it was crawled."
        ) from error
    with source:
        yield source


def copy(home: Path, file: dict[str, Any], target: Path) -> None:
    """Write a copy of a file, which has its name only once all of it is there and is what was fetched.

    Whatever has the name is replaced; a link is, not what it leads to.

    Raises:
        UsageError: it is not here, is damaged, or cannot be written.
    """
    with opened(home, file) as source:
        try:
            with whole_file(target) as copied:
                digest = hashlib.sha256()
                while piece := source.read(_PIECE):
                    digest.update(piece)
                    copied.write(piece)
                if digest.hexdigest() != file["sha256"]:
                    raise UsageError(
                        f"The stored bytes of {file['filename']!r} are damaged: crawl them anew."
                    )
        except OSError as error:
            raise UsageError(f"{target} cannot be written: {error.strerror or error}.") from error


def name_for(file: dict[str, Any]) -> str:
    """The safe name of a file."""
    return safe_name(file["filename"], f"attachment {file['attachment_id']}")


def targets(files: list[dict[str, Any]], folder: Path) -> list[tuple[dict[str, Any], Path]]:
    """Where files are to be written: two of one name get numbers."""
    taken: set[str] = set()
    found = []
    for file in files:
        name = free_name(name_for(file), lambda each: each.casefold() in taken)
        taken.add(name.casefold())
        found.append((file, folder / name))
    return found


def copy_to_look_at(home: Path, file: dict[str, Any]) -> Path:
    """Write a copy under the file's safe name into a new folder of this account only; not to be written.

    Raises:
        UsageError: it is not here, or cannot be written.
    """
    folder = Path(tempfile.mkdtemp(prefix="ims-attachment-"))
    target = folder / name_for(file)
    try:
        copy(home, file, target)
        target.chmod(stat.S_IRUSR)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return target


def danger(home: Path, file: dict[str, Any]) -> str | None:
    """Why opening a file may do more than show it; None: it should not.

    Raises:
        UsageError: it is not here.
    """
    name = name_for(file)
    if name.rpartition(".")[2].casefold() in _RUN and "." in name:
        return f"{name!r} may be a program, or hold one"
    with opened(home, file) as source:
        beginning = source.read(64).lstrip()
    if beginning.startswith(_BEGINNINGS):
        return f"{name!r} is a program by its first bytes"
    return None
