"""What a worker works out every hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crawler.sources.ims.standin import StandIn
from pipeline.jobs.refresh_analytics import refresh_figures
from tests.fixtures.crawl import Crawler
from tests.fixtures.schema import BOB, ROOT


async def test_an_admins_worker_works_out_everybodys_figures_once_an_hour(crawler: Crawler) -> None:
    async with StandIn(synthetic=5) as standin:
        await crawler.crawl(standin)
    assert refresh_figures(ROOT)
    days = "SELECT user_id, stat_date, issues_crawled FROM ims.analytics_daily"
    assert crawler.rows(days) == [(crawler.user_id, datetime.now(UTC).date(), 5)]
    assert crawler.value("SELECT total_sessions FROM ims.analytics_monthly") == 1
    assert crawler.value("SELECT sum(created) FROM ims.issue_summaries WHERE period = 'week'") == 5
    assert not refresh_figures(ROOT)


async def test_what_was_missed_is_made_up_for_and_another_users_worker_has_its_own_only(
    crawler: Crawler,
) -> None:
    async with StandIn(synthetic=5) as standin:
        await crawler.crawl(standin)
    with crawler.database.superuser() as connection:
        connection.execute("UPDATE ims.crawl_sessions SET started_at = started_at - interval '40 days'")
    assert refresh_figures(BOB)
    assert crawler.rows("SELECT FROM ims.analytics_daily") == []
    assert refresh_figures(crawler.user_id)
    day = datetime.now(UTC).date() - timedelta(days=40)
    assert crawler.value("SELECT stat_date FROM ims.analytics_daily WHERE sessions_count > 0") == day
    month = "SELECT make_date(year, month, 1) FROM ims.analytics_monthly WHERE total_sessions > 0"
    assert crawler.value(month) == day.replace(day=1)
