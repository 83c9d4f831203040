"""The peer: a Scrapy spider, with everything off that it does not need or as a project has it.

Run as ``python -m bench.peer.spider --url U [--settings best|usual]``; the database's address is in
``PEER_DATABASE``. Prints one JSON document: issues seen, issues stored, and seconds between the first request
and the last commit.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import scrapy
from scrapy.crawler import AsyncCrawlerProcess

from bench.peer.page import SEARCH, VIEW, read_issue, read_list
from bench.peer.store import Item, Store

BATCH = 200
HANDLERS = {
    "twisted": "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler",
    "aiohttp": "scrapy.core.downloader.handlers._aiohttp.AiohttpDownloadHandler",
    "httpx": "scrapy.core.downloader.handlers._httpx.HttpxDownloadHandler",
}


def usual_settings(concurrency: int) -> dict[str, Any]:
    """Scrapy's own settings for one friendly, fast host: with its retries, cookies, redirects and counts."""
    return {
        "CONCURRENT_REQUESTS": concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": concurrency,
        "DOWNLOAD_DELAY": 0,
        "ITEM_PIPELINES": {Batches: 1},
        "LOG_LEVEL": "WARNING",
        "ROBOTSTXT_OBEY": False,
    }


def best_settings(concurrency: int, handler: str) -> dict[str, Any]:
    """What is fastest where nothing fails: no retries, cookies, redirects, counts, and another client."""
    return {
        **usual_settings(concurrency),
        "COOKIES_ENABLED": False,  # there is one, and the spider sends it
        "DOWNLOAD_HANDLERS": {"http": HANDLERS[handler]},
        "DOWNLOADER_MIDDLEWARES_BASE": {},
        "DOWNLOADER_STATS": False,
        "DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter",
        "EXTENSIONS_BASE": {},
        "LOG_ENABLED": False,
        "SCRAPER_SLOT_MAX_ACTIVE_SIZE": 50_000_000,
        "SPIDER_MIDDLEWARES_BASE": {},
        "STATS_CLASS": "scrapy.statscollectors.DummyStatsCollector",
        "TELNETCONSOLE_ENABLED": False,
        "TWISTED_REACTOR_ENABLED": handler == "twisted",
        "WARN_ON_GENERATOR_RETURN_VALUE": False,
    }


class IssueSpider(scrapy.Spider):
    """Logs in, walks the result list, and reads every issue whose page is not the stored one."""

    name = "issues"

    def __init__(self, *, base: str, store: Store, told: dict[str, Any]) -> None:
        super().__init__()
        self.base, self.store, self.told = base, store, told
        self.known = store.hashes()
        self.headers: dict[str, str] = {}

    async def start(self) -> AsyncIterator[Any]:
        """Log in."""
        self.told["began"] = time.monotonic()
        name, password = os.environ["IMS_TRACKER_USERNAME"], os.environ["IMS_TRACKER_PASSWORD"]
        yield scrapy.FormRequest(
            f"{self.base}auth/login.do",
            formdata={"id": name, "password": password},
            callback=self.logged_in,
            meta={"dont_redirect": True, "handle_httpstatus_list": [302]},  # the cookie comes with the 302
        )

    def logged_in(self, response: Any) -> Iterator[Any]:
        """Take the session's cookie and ask for the first page of the list."""
        cookie = response.headers["Set-Cookie"].decode().partition(";")[0]
        self.headers = {"Cookie": cookie}
        yield self._listed(1)

    def _listed(self, page: int) -> Any:
        url = f"{self.base}{SEARCH}&pageIndex={page}"
        return scrapy.Request(
            url, self.listed, headers=self.headers, cb_kwargs={"page": page}, dont_filter=True, priority=1
        )

    def listed(self, response: Any, page: int) -> Iterator[Any]:
        """Ask for the issues of a page, and, told the total by the first one, for all other pages."""
        total, numbers = read_list(response.text)
        for number in numbers:
            yield scrapy.Request(
                f"{self.base}{VIEW}{number}",
                self.issue,
                headers=self.headers,
                cb_kwargs={"number": number},
                dont_filter=True,
            )
        if page == 1 and numbers:
            for other in range(2, -(-total // len(numbers)) + 1):
                yield self._listed(other)

    def issue(self, response: Any, number: str) -> Iterator[Any]:
        """Read an issue, unless it was stored from these very bytes."""
        self.told["seen"] += 1
        page_hash = hashlib.blake2b(response.body, digest_size=16).digest()
        if self.known.get(number) != page_hash:
            yield read_issue(response.selector, number, page_hash)


class Batches:
    """Hands batches to a thread that writes while the spider goes on."""

    def __init__(self, crawler: Any) -> None:
        self._spider = crawler.spider
        self._writer = ThreadPoolExecutor(1)
        self._batch: list[Item] = []
        self._written: list[Future[None]] = []

    @classmethod
    def from_crawler(cls, crawler: Any) -> Batches:
        """Make one as Scrapy does."""
        return cls(crawler)

    def process_item(self, item: Item) -> Item:
        """Keep an item until its batch is full."""
        self._batch.append(item)
        if len(self._batch) >= BATCH:
            self._write()
        return item

    def _write(self) -> None:
        batch, self._batch = self._batch, []
        self._spider.told["stored"] += len(batch)
        self._written.append(self._writer.submit(self._spider.store.save, batch))

    async def close_spider(self) -> None:
        """Write what is left, and fail if a batch did."""
        if self._batch:
            self._write()
        await asyncio.gather(*map(asyncio.wrap_future, self._written))
        self._spider.told["ended"] = time.monotonic()


def main() -> None:
    """Crawl everything once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--settings", choices=("best", "usual"), default="best")
    parser.add_argument("--handler", choices=HANDLERS, default="aiohttp", help="of the best settings")
    arguments = parser.parse_args()
    store = Store(os.environ["PEER_DATABASE"])
    told: dict[str, Any] = {"seen": 0, "stored": 0}
    process = AsyncCrawlerProcess(
        usual_settings(arguments.concurrency)
        if arguments.settings == "usual"
        else best_settings(arguments.concurrency, arguments.handler)
    )
    process.crawl(IssueSpider, base=f"{arguments.url}/tody/", store=store, told=told)
    gc.collect()  # as ours: modules are left out of every collection, and those are rare
    gc.freeze()
    gc.set_threshold(20_000)
    process.start()
    store.close()
    seconds = told.pop("ended") - told.pop("began")
    print(json.dumps({**told, "seconds": seconds}))


if __name__ == "__main__":
    main()
