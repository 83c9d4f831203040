"""PostgreSQL never runs as root, whoever starts it, and no folder is opened for that."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from db.embedded import EmbeddedServer
from db.embedded.binaries import find_binaries
from db.embedded.host_capabilities import RUN_AS, HostCapabilities, namespaces_work
from db.errors import DataFolderUnusable
from tests.fixtures.database import libpq_url, wait_until
from tests.fixtures.embedded import REPOSITORY, Home, Users

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or sys.platform != "linux", reason="only root, and on Linux, is ever somebody else"
)


def owner(process: int) -> int:
    """The real user of a process, as the system outside sees it."""
    return Path(f"/proc/{process}").stat().st_uid


def answer(url: str, statement: str = "SELECT 1") -> object:
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        found = connection.execute(statement)
        row = found.fetchone() if found.description else None
        return row and row[0]


def forbidden(binaries: object) -> bool:
    return False


@pytest.fixture(scope="module")
def reachable(scratch_folder: Path) -> Iterator[Path]:
    """A folder that every account can reach, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix=f"{scratch_folder.name}-", dir=scratch_folder.parent))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def test_root_runs_it_in_a_namespace_under_closed_folders(empty_home: Home) -> None:
    if not namespaces_work(find_binaries()):
        pytest.skip("user namespaces are forbidden here")
    empty_home.path.mkdir(mode=0o700)
    with EmbeddedServer(empty_home.path) as address:
        assert answer(address.superuser_url()) == 1
        postmaster = empty_home.postmaster
        assert Path(f"/proc/{postmaster}/ns/user").readlink() != Path("/proc/self/ns/user").readlink()
        assert Path(f"/proc/{postmaster}/uid_map").read_text().split() == ["65534", "0", "1"]
        assert (empty_home.folder / "data").stat().st_uid == 0
    assert stat.S_IMODE(empty_home.path.stat().st_mode) == 0o700


def test_without_namespaces_root_hands_the_data_to_a_system_account(
    empty_home: Home, reachable: Path
) -> None:
    host = HostCapabilities(forbidden, reachable / "accounts")
    server = EmbeddedServer(empty_home.path, host=host)
    address = server.start()
    answer(address.superuser_url(), "CREATE TABLE kept AS SELECT 1 AS n")
    account = owner(empty_home.postmaster)
    assert pwd.getpwuid(account).pw_name in ("postgres", "nobody")
    data = (empty_home.folder / "data").resolve()
    assert (data.stat().st_uid, stat.S_IMODE(data.stat().st_mode)) == (account, 0o700)
    assert (data.parent.stat().st_uid, stat.S_IMODE(data.parent.stat().st_mode)) == (account, 0o700)
    assert stat.S_IMODE(host.account_root.stat().st_mode) == 0o711
    assert not list(data.parent.glob("*password*"))
    programs = list(host.account_root.glob("binaries-*/**/*"))
    assert programs
    assert {path.stat().st_uid for path in programs} == {0}

    os.kill(empty_home.supervisor, signal.SIGKILL)
    empty_home.wait_until_quiet()
    assert answer(server.start().superuser_url(), "SELECT count(*) FROM kept") == 1
    server.release()
    empty_home.wait_until_quiet()

    # Later, namespaces are allowed: the data stays with whom it began.
    with EmbeddedServer(
        empty_home.path, host=HostCapabilities(namespaces_work, host.account_root)
    ) as address:
        assert answer(address.superuser_url(), "SELECT count(*) FROM kept") == 1
        assert owner(empty_home.postmaster) == account
    empty_home.wait_until_quiet()


def test_a_home_that_is_made_again_does_not_open_what_a_deleted_one_left(
    empty_home: Home, reachable: Path
) -> None:
    for _ in range(2):
        with EmbeddedServer(
            empty_home.path, host=HostCapabilities(forbidden, reachable / "accounts")
        ) as address:
            assert answer(address.superuser_url(), "SELECT count(*) FROM pg_database") == 3
        empty_home.wait_until_quiet()
        shutil.rmtree(empty_home.path)


def test_data_from_a_namespace_is_refused_where_namespaces_are_forbidden(home: Home, reachable: Path) -> None:
    with pytest.raises(DataFolderUnusable, match="allow user namespaces"):
        EmbeddedServer(home.path, host=HostCapabilities(forbidden, reachable)).start()


def test_somebody_who_is_not_root_runs_it_as_himself(empty_home: Home, users: Users) -> None:
    if not namespaces_work(find_binaries()):
        pytest.skip("user namespaces are forbidden here")
    user = users.start(prefix=[sys.executable, str(RUN_AS), str(os.getpid()), "namespace", "1000", "1000"])
    assert answer(user.url) == 1
    outer = Path(f"/proc/{user.process.pid}/ns/user").readlink()
    assert Path(f"/proc/{empty_home.postmaster}/ns/user").readlink() == outer


def test_another_account_of_the_system_runs_it_as_itself(reachable: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    prefix = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    prefix += ["--bounding-set=-all", "--inh-caps=-all"]
    python = next((path for path in (sys.executable, "/usr/bin/python3") if _runs_as(prefix, path)), None)
    if python is None:
        pytest.skip("no Python with our packages is within the reach of the account nobody")
    (reachable / "nobody").mkdir(mode=0o700)
    os.chown(reachable / "nobody", nobody.pw_uid, nobody.pw_gid)
    home = Home(reachable / "nobody" / "home")
    users = Users(home.path)
    try:
        user = users.start(prefix=prefix, python=python)
        assert owner(home.postmaster) == nobody.pw_uid
        # The socket is within a closed folder; root gets there all the same.
        assert answer(user.url) == 1
    finally:
        users.kill_all()
    home.wait_until_quiet()
    wait_until(lambda: not (home.folder / "socket").exists(), "the supervisor has tidied up")


def _runs_as(prefix: list[str], python: str) -> bool:
    """Whether the account can run this Python again from itself, with our code and packages."""
    packages = [entry for entry in sys.path if entry.endswith("site-packages")]
    code = "import subprocess, sys, db.embedded; subprocess.run([sys.executable, '-c', ''], check=True)"
    tried = subprocess.run(
        [*prefix, python, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *packages])},
        cwd="/",
        check=False,
        capture_output=True,
    )
    return tried.returncode == 0
