"""Benchmarks: each prints JSON, each beside a limit or a peer in the same run."""

from db.settings import driver_url, libpq_url


def conninfo(url: str) -> str:
    """The address of a database as the driver itself takes it."""
    return libpq_url(driver_url(url))
