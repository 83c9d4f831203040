"""The embedded server lives exactly as long as somebody uses it, and loses nothing."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from db.embedded import EmbeddedServer, ServerAddress
from db.embedded.locks import open_lock
from tests.fixtures.database import libpq_url, wait_until
from tests.fixtures.embedded import Home, Users, hear

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="the kernel tells a child of its parent's death on Linux"
)


@pytest.fixture
def server(home: Home) -> Iterator[EmbeddedServer]:
    """This process's own use of the home's server; not started yet."""
    found = EmbeddedServer(home.path)
    yield found
    found.release()


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        found = connection.execute(statement)
        return found.fetchall() if found.description else []


def enters(door: int) -> bool:
    """Whether a user could begin to use the server right now."""
    try:
        fcntl.flock(door, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(door, fcntl.LOCK_UN)
    return True


def kill(process: int) -> None:
    """Kill a process that is not our child, and wait until it is no more (a zombie at most)."""
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: not _lives(process), "it is dead")


def _lives(process: int) -> bool:
    # The first thread may be a zombie while another one still holds what the process has open.
    try:
        threads = list(Path(f"/proc/{process}/task").iterdir())
        return len(threads) > 1 or (threads[0] / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def test_processes_that_come_at_once_to_an_empty_home_share_one_server(
    empty_home: Home, users: Users
) -> None:
    begun = [users.begin() for _ in range(3)]
    urls = {hear(process).url for process in begun}
    assert len(urls) == 1
    assert rows(urls.pop(), "SELECT 1") == [(1,)]


def test_the_server_stays_for_the_second_user_and_stops_after_the_last_one_is_killed(
    home: Home, users: Users
) -> None:
    first, second = users.start(), users.start()
    server = home.postmaster
    first.process.kill()
    first.process.wait()
    assert rows(second.url, "SELECT 1") == [(1,)]
    assert home.postmaster == server
    second.process.kill()
    second.process.wait()
    home.wait_until_quiet()
    assert not Path(f"/proc/{server}").exists()


def test_a_user_that_ends_well_stops_the_server_too(home: Home) -> None:
    with EmbeddedServer(home.path) as address:
        assert rows(address.superuser_url(), "SELECT 1") == [(1,)]
    home.wait_until_quiet()


def test_starting_twice_changes_nothing_and_one_release_is_enough(home: Home, server: EmbeddedServer) -> None:
    assert server.start() == server.start()
    server.release()
    server.release()
    home.wait_until_quiet()


def test_children_of_a_dead_user_do_not_keep_the_server_alive(home: Home, users: Users) -> None:
    user = users.start("fork")
    try:
        user.process.kill()
        user.process.wait()
        home.wait_until_quiet()
        assert all(Path(f"/proc/{child}").exists() for child in user.said["children"])
    finally:
        for child in user.said["children"]:
            os.kill(child, signal.SIGKILL)


def test_users_that_come_while_the_server_stops_are_never_handed_a_dying_one(home: Home) -> None:
    program = (
        "import sys, psycopg; from pathlib import Path; from db.embedded import EmbeddedServer\n"
        "for _ in range(4):\n"
        "    server = EmbeddedServer(Path(sys.argv[1]))\n"
        "    url = server.start().superuser_url().replace('+psycopg', '')\n"
        "    with psycopg.connect(url) as connection: connection.execute('SELECT 1')\n"
        "    server.release()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    racing = [
        subprocess.Popen([sys.executable, "-c", program, str(home.path)], env=environment) for _ in range(3)
    ]
    assert [process.wait() for process in racing] == [0, 0, 0]


def test_a_newcomer_waits_at_the_door_for_as_long_as_the_server_stops(
    home: Home, server: EmbeddedServer
) -> None:
    server.start()
    postmaster = home.postmaster
    os.kill(postmaster, signal.SIGSTOP)  # so that stopping takes as long as we like
    server.release()
    door = open_lock(home.folder / "users.lock")
    wait_until(lambda: not enters(door), "the supervisor has the door")
    os.kill(postmaster, signal.SIGCONT)
    wait_until(lambda: enters(door), "the supervisor is gone")
    os.close(door)
    assert home.is_quiet


def test_a_killed_supervisor_takes_the_server_with_it_and_the_next_start_finds_every_row(
    home: Home, server: EmbeddedServer
) -> None:
    address = server.start()
    rows(address.superuser_url(), "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    kill(home.supervisor)
    home.wait_until_quiet()
    assert rows(server.start().superuser_url(), "SELECT count(*) FROM kept") == [(1000,)]


def test_a_start_right_after_the_supervisor_was_killed_waits_for_the_old_server(
    home: Home, server: EmbeddedServer
) -> None:
    server.start()
    old = home.postmaster
    kill(home.supervisor)
    assert rows(server.start().superuser_url(), "SELECT 1") == [(1,)]
    assert home.postmaster != old


def test_a_killed_server_comes_back_with_every_committed_row(home: Home, server: EmbeddedServer) -> None:
    address = server.start()
    rows(address.superuser_url(), "CREATE TABLE kept AS SELECT generate_series(1, 20000) AS n")
    busy = psycopg.connect(libpq_url(address.superuser_url()))
    busy.execute("INSERT INTO kept SELECT generate_series(1, 20000)")  # not committed
    kill(home.postmaster)
    again = server.start()
    busy.close()
    assert again == address
    assert rows(again.superuser_url(), "SELECT count(*) FROM kept") == [(20000,)]


def test_a_server_killed_with_its_supervisor_comes_back(home: Home, server: EmbeddedServer) -> None:
    server.start()
    supervisor, postmaster = home.supervisor, home.postmaster
    os.kill(supervisor, signal.SIGSTOP)  # so that it cannot tidy up
    kill(postmaster)
    kill(supervisor)
    assert rows(server.start().superuser_url(), "SELECT 1") == [(1,)]


def test_a_supervisor_told_to_end_stops_the_server(home: Home, server: EmbeddedServer) -> None:
    server.start()
    os.kill(home.supervisor, signal.SIGTERM)
    home.wait_until_quiet()


@pytest.mark.parametrize("owner", ["nobody any more", "another program"])
def test_a_pid_file_that_a_dead_server_left_behind_does_not_stop_the_next_one(home: Home, owner: str) -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        if owner != "another program":
            other.kill()
            other.wait()
        data = home.folder / "data"
        (data / "postmaster.pid").write_text(
            f"{other.pid}\n{data}\n1700000000\n5432\n{home.folder}/socket\n\n  123456   1234\nready   \n"
        )
        with EmbeddedServer(home.path) as address:
            assert rows(address.superuser_url(), "SELECT 1") == [(1,)]
        other.kill()


def test_making_the_data_folder_may_be_killed_at_any_moment(empty_home: Home, users: Users) -> None:
    killed = users.begin()
    wait_until(lambda: any(empty_home.folder.glob("data.new-*/base")), "initdb is in the middle of its work")
    killed.kill()
    killed.wait()
    assert not (empty_home.folder / "data").exists()
    assert rows(users.start().url, "SELECT 1") == [(1,)]
    assert not any(empty_home.folder.glob("data.new-*"))


def test_a_wrong_password_or_none_is_refused_over_the_socket(home: Home) -> None:
    with EmbeddedServer(home.path) as address:
        for wrong in (address.url("postgres", "wrong"), address.url("postgres", ""), address.url("root", "")):
            with pytest.raises(psycopg.OperationalError, match=r"password|no password supplied"):
                psycopg.connect(libpq_url(wrong))


def test_nobody_else_may_look_into_the_folders(home: Home) -> None:
    with EmbeddedServer(home.path) as address:
        for folder in (home.folder, home.folder / "data", home.folder / "log", Path(address.host)):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
        for file in (home.folder / "superuser.password", home.folder / "log" / "postgresql.log"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        assert rows(address.superuser_url(), "SHOW listen_addresses") == [("",)]


def test_a_home_with_a_long_path_gets_a_short_socket_of_its_own(home: Home) -> None:
    far = home.path.parent / ("far" * 30) / "한국어 " / "日本語 %41"
    far.parent.mkdir(parents=True)
    home.path.rename(far)
    with EmbeddedServer(far) as address:
        assert len(os.fsencode(address.host)) < 80
        assert stat.S_IMODE(Path(address.host).stat().st_mode) == 0o700
        assert rows(address.superuser_url(), "SELECT 1") == [(1,)]
    Home(far).wait_until_quiet()
    assert not Path(address.host).exists()


def test_a_home_with_a_comma_gets_a_socket_elsewhere(home: Home) -> None:
    odd = home.path.rename(home.path.with_name("a,b"))
    with EmbeddedServer(odd) as address:
        assert rows(address.superuser_url(), "SELECT 1") == [(1,)]
    Home(odd).wait_until_quiet()


def test_a_home_with_odd_characters_works(home: Home, scratch_folder: Path) -> None:
    odd = home.path.rename(scratch_folder / "a 'b' \"c\" %4 &")
    with EmbeddedServer(odd) as address:
        assert len(str(odd)) > 60 or Path(address.host) == odd / "postgres" / "socket"
        assert rows(address.superuser_url(), "SELECT 1") == [(1,)]
    Home(odd).wait_until_quiet()


def test_secrets_of_the_user_do_not_reach_the_server(home: Home, users: Users) -> None:
    users.start()
    for process in (home.postmaster, home.supervisor):
        assert b"the-secret-of-the-user" not in Path(f"/proc/{process}/environ").read_bytes()
        command = Path(f"/proc/{process}/cmdline").read_bytes()
        assert (home.folder / "superuser.password").read_bytes().strip() not in command


def test_what_people_wrote_stays_out_of_the_log(home: Home) -> None:
    with (
        EmbeddedServer(home.path) as address,
        psycopg.connect(libpq_url(address.superuser_url())) as connection,
    ):
        connection.execute("CREATE TEMP TABLE words (word text PRIMARY KEY)")
        connection.execute("INSERT INTO words VALUES ('confidential')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO words VALUES ('confidential')")
        log = home.folder / "log" / "postgresql.log"
        wait_until(lambda: "words_pkey" in log.read_text(), "the error is in the log")
        assert "confidential" not in log.read_text()


def test_words_of_every_language_are_told_apart(home: Home) -> None:
    with EmbeddedServer(home.path) as address:
        found = rows(address.superuser_url(), "SELECT to_tsvector('simple', 'ÄÖ、크래시。「接続」 a')::text")
    assert found == [("'a':4 'äö':1 '接続':3 '크래시':2",)]


def test_the_shell_that_comes_along_reaches_the_server(server: EmbeddedServer) -> None:
    psql = server.psql()
    assert psql is not None
    with server as address:
        said = subprocess.check_output(
            [psql, libpq_url(address.superuser_url()), "-Atc", "SELECT 42"], text=True
        )
    assert said == "42\n"


def test_an_address_shows_no_password_and_its_urls_quote_everything() -> None:
    address = ServerAddress(host="/a b/ü", port=5432, superuser="postgres", password="p/w@:%")
    assert "p/w" not in repr(address)
    assert address.superuser_url() == (
        "postgresql+psycopg://postgres:p%2Fw%40%3A%25@/postgres?host=/a%20b/%C3%BC&port=5432"
    )
    assert address.url("alice", "x", "ims").startswith("postgresql+psycopg://alice:x@/ims?")
