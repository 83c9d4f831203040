"""A crawl whose every answer is cut off once, somewhere, leaves the same rows as an undisturbed one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.database import Server
from tests.fixtures.failpoints import FailingProgram
from tests.fixtures.proxy import CLASSES, WAYS, CuttingProxy, cutting_proxy
from tests.fixtures.schema import Database, fresh_database
from tests.fixtures.stored_rows import Rows, difference, stored_rows

pytestmark = pytest.mark.xdist_group("faults_cut")

ISSUES = 60


@pytest.fixture(scope="module")
def proxy(sixty_issues: str) -> Iterator[CuttingProxy]:
    """Before the tracker with sixty issues."""
    with cutting_proxy(sixty_issues) as found:
        yield found


@pytest.fixture(scope="module")
def golden(failing: FailingProgram, proxy: CuttingProxy, server: Server, template: str) -> Rows:
    """What an undisturbed crawl leaves."""
    proxy.pass_all()
    with fresh_database(server, template) as database:
        return crawled(failing, database, proxy)


def crawled(failing: FailingProgram, database: Database, proxy: CuttingProxy) -> Rows:
    """Crawl everything, files too, and read what is stored."""
    done = failing.run(database, "crawl", "*", "--kind", "ims", "--url", proxy.url, "--attachments", "--json")
    assert done.status == 0, done.err
    with database.superuser() as connection:
        return stored_rows(connection)


def test_answers_that_are_cut_anywhere_cost_nothing(
    failing: FailingProgram, golden: Rows, proxy: CuttingProxy, database: Database
) -> None:
    before = proxy.cuts
    proxy.cut_from(0)
    assert difference(crawled(failing, database, proxy), golden) == ([], [])
    assert proxy.cuts - before > ISSUES + len(CLASSES)


@pytest.mark.long
def test_any_answer_may_be_cut_anywhere(
    failing: FailingProgram, golden: Rows, proxy: CuttingProxy, server: Server, template: str
) -> None:
    for way in range(WAYS):
        proxy.cut_from(way)
        with fresh_database(server, template) as database:
            rows = crawled(failing, database, proxy)
        assert difference(rows, golden) == ([], []), f"from way {way} on"
