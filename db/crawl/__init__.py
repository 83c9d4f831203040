"""Rows of a crawl while it runs: frontier, progress, leases, kept pages."""
