"""Programs that we start for a user: they get the environment without our secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_OURS = ("IMS_", "DATABASE_URL")  # what the names of our variables begin with


def child_environment() -> dict[str, str]:
    """The environment for a program of somebody else's."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}


@contextmanager
def secrets_put_away() -> Iterator[None]:
    """Take our variables out of the environment for a while: what is started meanwhile does not get them."""
    ours = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(_OURS)}
    try:
        yield
    finally:
        os.environ.update(ours)
