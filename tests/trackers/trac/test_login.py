"""Every way in which one logs in to a Trac, each against a real one."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from crawler.client import Client
from crawler.errors import LoginRefused
from crawler.source import Connection, Reference
from crawler.sources.trac.source import TracSource
from tests.trackers.suite import numbers
from tests.trackers.trac.fix_server import ACCOUNTS, TracServer, configure, copy_of, run, serving

pytestmark = pytest.mark.xdist_group("trac")

_PLUGIN = "TracAccountManager==0.6.0"


@pytest.fixture(scope="module")
def account_manager(trac_python: Path) -> Path:
    """A folder with the plugin that logs in by a form, installed once per machine."""
    folder = Path(platformdirs.user_cache_dir("ims-crawler-tests"))
    place = folder / "trac-account-manager-0.6.0"
    with (folder / "trac.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            building = place.with_name(f"{place.name}.{os.getpid()}")
            pip = [trac_python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            try:
                run([*pip, "--target", building, _PLUGIN])
            except RuntimeError as error:
                shutil.rmtree(building, ignore_errors=True)
                pytest.skip(f"{_PLUGIN} cannot be installed here: {error}")
            building.rename(place)
    return place


@pytest.fixture(scope="module", params=["basic", "digest", "form"])
def way_in(
    request: pytest.FixtureRequest, trac: TracServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TracServer]:
    """A Trac with one way to log in."""
    stopped = copy_of(trac, tmp_path_factory.mktemp(f"login-{request.param}"))
    if request.param != "form":
        with serving(stopped, login=request.param) as running:
            yield running
        return
    plugins = request.getfixturevalue("account_manager")
    configure(
        stopped,
        components={
            # Without its pages for administrators, whose first visitor is one.
            "acct_mgr.api.*": "enabled",
            "acct_mgr.htfile.HtPasswdStore": "enabled",
            "acct_mgr.pwhash.*": "enabled",
            "acct_mgr.web_ui.LoginModule": "enabled",
            "trac.web.auth.LoginModule": "disabled",
        },
        **{
            "account-manager": {
                "password_store": "HtPasswdStore",
                "htpasswd_file": str(stopped.environment.parent / "htpasswd"),
            }
        },
    )
    with serving(stopped, login="none", plugins=plugins) as running:
        yield running


async def test_who_logs_in_sees_what_is_hidden_from_others(way_in: TracServer) -> None:
    facts = way_in.facts()
    hidden = min(number for number, each in facts.items() if each.fields["keywords"] == "private")
    connection = Connection(base_url=way_in.url, username="admin", password=ACCOUNTS["admin"])
    async with Client(way_in.url) as client:
        source = TracSource(connection, client)
        await source.login()
        assert len(await numbers(source)) == len(facts)
        way_in.sql(
            "DELETE FROM auth_cookie"
        )  # a second login is another one, with another challenge or token
        (page,) = await source.fetch(Reference(issue_id=str(hidden)))
        assert page.status == 200


async def test_a_wrong_password_is_refused(way_in: TracServer) -> None:
    connection = Connection(base_url=way_in.url, username="admin", password="wrong-secret")
    async with Client(way_in.url) as client:
        with pytest.raises(LoginRefused, match="refused the login of admin"):
            await TracSource(connection, client).login()
