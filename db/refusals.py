"""What the database refuses, told in words that fit what was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg

from db.errors import DatabaseRefused, translated

_OURS = (
    psycopg.errors.CheckViolation,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
)


@contextmanager
def translate_sqlstate(sentences: Mapping[str, str]) -> Iterator[None]:
    """Say a sentence of ours where a statement is refused.

    Args:
        sentences: by SQLSTATE. Other errors pass as they are.

    Raises:
        DatabaseRefused: with the sentence.
    """
    try:
        yield
    except Exception as error:
        of_the_driver = driver_error(error)
        state = of_the_driver.sqlstate if of_the_driver is not None else None
        if state is None or state not in sentences:
            raise
        raise DatabaseRefused(sentences[state]) from error


def in_our_words(error: Exception) -> Exception:
    """Return what stands for a statement's error that is no defect: a value out of bounds, a lock held on.

    Any other error comes back as it is.
    """
    orig = driver_error(error)
    if isinstance(orig, _OURS):
        return translated(orig)
    return error


def driver_error(error: Exception) -> psycopg.Error | None:
    """The driver's error: the error itself, or what SQLAlchemy's error wraps; None: it is another one."""
    orig = getattr(error, "orig", error)  # SQLAlchemy itself is not loaded where nobody uses it
    return orig if isinstance(orig, psycopg.Error) else None
