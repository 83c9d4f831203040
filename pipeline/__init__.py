"""Use cases: what a crawl session does, between the tracker and the database."""
