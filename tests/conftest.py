"""Fixtures, one module per resource, and how properties are tried."""

import gc
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Four processes read all tests, and the tests start the program hundreds of times: nothing is compiled twice,
# whatever the environment says of bytecode.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The same examples at every run, so that whoever changes one thing does not stumble over another; new ones
# with --hypothesis-profile=explore. No deadlines: how fast the machine is says nothing about a property.
settings.register_profile("same", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("explore", deadline=None)
settings.load_profile("same")

pytest_plugins: list[str] = [
    "tests.fixtures.database",
    "tests.fixtures.schema",
    "tests.fixtures.rls_identities",
    "tests.fixtures.embedded",
    "tests.fixtures.standin",
    "tests.fixtures.certificate",
    "tests.fixtures.rawserver",
    "tests.fixtures.virtualtime",
    "tests.trackers.trac.fix_server",
    "tests.trackers.trac.fix_versions",
    "tests.trackers.redmine.fix_server",
    "tests.trackers.roundup.fix_server",
    "tests.trackers.rt.fix_server",
    "tests.fixtures.program",
    "tests.fixtures.crawl",
    "tests.fixtures.tenant",
    "tests.fixtures.shell",
    "tests.fixtures.failpoints",
    "tests.fixtures.workers",
    "tests.fixtures.analytics",
    "tests.fixtures.browser",
    # one "tests.fixtures.<resource>" a line
]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Tests that are collected stay until the end: no search for garbage among them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
