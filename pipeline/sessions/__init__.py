"""Crawl sessions: held, worked on, ended, resumed; one conductor for shells and workers."""
