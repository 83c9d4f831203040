"""As whom PostgreSQL runs. It refuses to run as root, so root needs a way out.

1. Not root: as ourselves.
2. Root, where user namespaces are allowed: as ourselves for the files, as somebody else for PostgreSQL.
3. Root elsewhere (many containers): as an existing system account, which must then own the data folder and
   reach the
   programs. The folders above stay closed: both are kept under ``/var/lib/ims-crawler``, and ``data`` is a
   link.
"""

from __future__ import annotations

import os
import pwd
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from db.embedded.binaries import Binaries
from db.embedded.paths import DataPaths
from db.errors import DataFolderForbidden, DataFolderUnusable
from db.files import account_name, own_folder

RUN_AS = Path(__file__).with_name("run_as.py")
ACCOUNT_ROOT = Path("/var/lib/ims-crawler")
_ACCOUNTS = ("postgres", "nobody")  # the first that exists
_NOBODY = 65534  # the number that a namespace shows; never 0


@dataclass(frozen=True)
class Identity:
    """As whom a program runs."""

    mode: Literal["plain", "namespace", "account"]
    uid: int
    gid: int

    @property
    def arguments(self) -> list[str]:
        """What ``confine.py`` wants between the parent's number and the command."""
        return [self.mode, str(self.uid), str(self.gid)]

    def command(self, *command: str) -> list[str]:
        """The command as run by this process under the identity."""
        return [sys.executable, "-I", "-S", str(RUN_AS), str(os.getpid()), *self.arguments, *command]


@dataclass(frozen=True)
class HostCapabilities:
    """What the machine allows a server of root's, and where."""

    namespaces: Callable[[Binaries], bool]
    account_root: Path = ACCOUNT_ROOT


def namespaces_work(binaries: Binaries) -> bool:
    """Try whether a program can be run in a user namespace."""
    if sys.platform != "linux":
        return False
    tried = subprocess.run(  # noqa: S603  # our own program
        _in_namespace().command(binaries.program("postgres"), "--version"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


def choose_identity(
    paths: DataPaths, binaries: Binaries, host: HostCapabilities
) -> tuple[Identity, Binaries]:
    """Decide as whom the server of this folder runs, and with which copy of the programs.

    A folder stays with whom it began: what an account owns is not read in a namespace, nor the other way
    round.

    Raises:
        DataFolderUnusable: the folder began in a way that this system does not allow.
        OSError: the folder for the account cannot be made.
    """
    if os.geteuid() != 0:
        return Identity("plain", os.geteuid(), os.getegid()), binaries
    if paths.data.is_symlink():
        return _as_account(paths.base.stat().st_uid), binaries.copied_to(host.account_root)
    if host.namespaces(binaries):
        return _in_namespace(), binaries
    if paths.data.exists():
        raise DataFolderUnusable(
            f"{paths.data} was made by root in a user namespace, which this system forbids: "
            "allow user namespaces, or set IMS_HOME to a new folder."
        )
    return _as_account(_move_out(paths, host)), binaries.copied_to(host.account_root)


def _in_namespace() -> Identity:
    return Identity("namespace", _NOBODY, _NOBODY)


def _as_account(uid: int) -> Identity:
    if uid == 0:
        raise DataFolderForbidden("The data folder belongs to root, as whom PostgreSQL refuses to run.")
    return Identity("account", uid, pwd.getpwuid(uid).pw_gid)


def _move_out(paths: DataPaths, host: HostCapabilities) -> int:
    """Make a folder that a system account owns, with ``data`` a link into it; return the account."""
    uid = _system_account()
    host.account_root.mkdir(mode=0o711, parents=True, exist_ok=True)
    found = host.account_root.lstat()
    if found.st_uid != os.geteuid():
        raise DataFolderForbidden(
            f"{host.account_root} belongs to {account_name(found.st_uid)}, not to root."
        )
    host.account_root.chmod(0o711)
    # A name that was never used: what an earlier, deleted IMS_HOME left there has another password.
    base = host.account_root / secrets.token_hex(8)
    own_folder(base, owner=uid)
    paths.data.symlink_to(base / "data")
    return uid


def _system_account() -> int:
    for name in _ACCOUNTS:
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise DataFolderUnusable(
        "PostgreSQL refuses to run as root, and there is neither a user namespace nor an account postgres or "
        "nobody to run it as: run this as another user, or set DATABASE_URL."
    )
