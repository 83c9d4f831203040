"""A first and a second crawl beside a Scrapy pipeline: same tracker, same PostgreSQL."""
