"""Files and folders that are this account's own, in places that others may reach too.

Names can be guessed and planted, links followed, and an umask may close nothing: so every file that is
written is new (``O_EXCL``), follows no link (``O_NOFOLLOW``), is closed to others from its first moment, and
has its name only once it is whole; and what is believed was written by this account, or by root.
"""

from __future__ import annotations

import os
import pwd
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from db.errors import DataFolderForbidden

ATTACHMENTS = "attachments"  # the folder of attached files, in the data folder and in a backup

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def whole_file(path: Path, *, replace: bool = True) -> Iterator[BinaryIO]:
    """Give a file to write to, which has its name only once it is whole and on disk; for this account only.

    A link of that name is replaced, never followed.

    Args:
        path: the name; its folder exists.
        replace: false: whoever has the name already keeps it, and what was written is dropped.

    Raises:
        OSError: it cannot be written.
    """
    beginning = path.name.encode("utf-8", "replace")[:100].decode("utf-8", "ignore")
    draft = path.with_name(f".{beginning}.{secrets.token_hex(8)}")
    file = os.fdopen(os.open(draft, _NEW, 0o600), "wb")
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
        else:
            # A link fails where the name is taken: of two processes that start together, one wins, whole.
            with suppress(FileExistsError):
                os.link(draft, path)
    finally:
        with suppress(OSError):
            draft.unlink()


def read_own(path: Path) -> bytes:
    """Read a file that nobody but this account, or root, can have written.

    Raises:
        DataFolderForbidden: somebody else wrote it or made the link to it, or may write it.
        OSError: it is not there, or cannot be read.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise DataFolderForbidden(f"{path} is not used: it is no file.")
        for one in (path.lstat(), found):
            if not _trusted(one):
                raise DataFolderForbidden(f"{path} is not used: it belongs to {account_name(one.st_uid)}.")
        if found.st_mode & 0o022:
            raise DataFolderForbidden(
                f"{path} is not used: others may write it; if what is in it is yours, chmod go-w it."
            )
        return file.read()


def data_folder(home: Path) -> Path:
    """Make the data folder where it is missing, and check the one that is there.

    Whoever may write it could put a key or a password there for us to believe. So it is ours, or root's, and
    where it is ours nobody else keeps the right to write.

    Raises:
        DataFolderForbidden: it is somebody else's.
        OSError: it cannot be made.
    """
    folders(home)
    found = home.stat()
    if not _trusted(found):
        raise DataFolderForbidden(
            f"{home} belongs to {account_name(found.st_uid)}, not to {account_name(os.geteuid())}: run this "
            "as its owner, or set IMS_HOME to a folder of your own."
        )
    if found.st_uid == os.geteuid() and found.st_mode & 0o022:
        home.chmod(stat.S_IMODE(found.st_mode) & ~0o022)
    return home


def folders(path: Path) -> None:
    """Make a folder, and those above that are missing, each for this account only whatever the umask.

    Raises:
        OSError: one cannot be made.
    """
    missing = [folder for folder in path.parents if not folder.exists()]
    for folder in (*reversed(missing), path):
        folder.mkdir(mode=0o700, exist_ok=True)


def own_folder(folder: Path, owner: int | None = None) -> None:
    """Make a folder that only its owner may enter, or check that it is one.

    Whoever made it first may have been somebody else who wants to listen, so its kind and owner are verified;
    only what is ours is then closed.

    Args:
        folder: its parent exists.
        owner: the user's number; None: ours.

    Raises:
        DataFolderForbidden: it belongs to somebody else, or is no folder.
        OSError: it cannot be made.
    """
    ours = os.geteuid()
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
    else:
        if owner is not None and owner != ours:
            os.chown(folder, owner, pwd.getpwuid(owner).pw_gid)
        found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise DataFolderForbidden(f"{folder} is in the way: it is not a folder; move it elsewhere.")
    if found.st_uid != (ours if owner is None else owner):
        raise DataFolderForbidden(
            f"{folder} belongs to {account_name(found.st_uid)}, not to {account_name(ours)}: run this as its "
            "owner, or set IMS_HOME to a folder of your own."
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)


def account_name(uid: int) -> str:
    """The name of an account, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _trusted(found: os.stat_result) -> bool:
    return found.st_uid in (os.geteuid(), 0)
