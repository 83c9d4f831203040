"""Benchmarks: each prints JSON, each beside a limit or a peer in the same run."""

import os

from db.settings import driver_url, libpq_url

# What pip installs has its bytecode, as the peers have: so has this program, whatever the environment says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def conninfo(url: str) -> str:
    """The address of a database as the driver itself takes it."""
    return libpq_url(driver_url(url))
