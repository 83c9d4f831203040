"""The folders and files of the embedded server, and who may look into them.

Under ``IMS_HOME/postgres``, all of it closed to other accounts::

    data/                 PostgreSQL's own folder (a link where another account has to own it)
    log/                  what the server says, two files of bounded size; what the supervisor says, if ever
    socket/               the socket, unless its path would be too long
    superuser.password
    users.lock            held shared by every process that uses the server
    start.lock            held by the one process that starts it
    supervisor.lock           held by the supervisor
    server.lock           held by every process of PostgreSQL
"""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from db.errors import DataFolderForbidden, DataFolderUnusable, DiskFull
from db.files import account_name, data_folder, own_folder

SOCKET_PATH_LIMIT = 100  # bytes; the operating systems' own limits are 104 (macOS) and 108 (Linux)
PORT = 5432
_LONGEST_NAME = f"/.s.PGSQL.{PORT}.lock"


@dataclass(frozen=True)
class DataPaths:
    """Where everything is."""

    root: Path  # IMS_HOME/postgres, resolved

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder; absent until it is complete."""
        return self.root / "data"

    @property
    def base(self) -> Path:
        """The folder in which the data folder really is, owned by whoever runs the server."""
        return self.data.readlink().parent if self.data.is_symlink() else self.root

    @property
    def log(self) -> Path:
        """The folder of the logs."""
        return self.root / "log"

    @property
    def password(self) -> Path:
        """The file with the superuser's password."""
        return self.root / "superuser.password"

    def lock(self, name: str) -> Path:
        """The file of one of the four locks."""
        return self.root / f"{name}.lock"

    @property
    def socket(self) -> Path:
        """The folder for the socket: ours, or a private one with a short path.

        A comma would be no part of the path: libpq takes it to separate several servers.
        """
        folder = self.base / "socket"
        if "," not in str(folder) and len(os.fsencode(folder)) + len(_LONGEST_NAME) < SOCKET_PATH_LIMIT:
            return folder
        name = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path("/tmp") / f"ims-crawler-{os.geteuid()}-{name}"  # noqa: S108  # claimed by own_folder()


def data_paths(home: Path) -> DataPaths:
    """Make the folders that are missing.

    Raises:
        DataFolderUnusable: they cannot be made, or are not ours.
    """
    try:
        paths = DataPaths(data_folder(home).resolve() / "postgres")
        own_folder(paths.root)
        own_folder(paths.log)
    except OSError as error:
        raise folder_error(home, error) from error
    return paths


def folder_error(folder: Path, error: OSError) -> DataFolderUnusable:
    """Say in one sentence why a folder cannot be used."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(
            f"No space is left on the disk of {folder}: free some, or set IMS_HOME to another disk."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return DataFolderForbidden(
            f"{error.filename or folder} cannot be written by {account_name(os.geteuid())}: give it the "
            "right to, or set IMS_HOME to a folder of your own."
        )
    return DataFolderUnusable(
        f"{error.filename or folder} cannot be used as a data folder: {error.strerror}."
    )
