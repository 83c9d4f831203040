"""What the database refuses, told in words that fit what was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError

from db.errors import DatabaseRefused


@contextmanager
def explained(sentences: Mapping[str, str]) -> Iterator[None]:
    """Say a sentence of ours where a statement is refused.

    Args:
        sentences: by SQLSTATE. Other errors pass as they are.

    Raises:
        DatabaseRefused: with the sentence.
    """
    try:
        yield
    except DBAPIError as error:
        state = error.orig.sqlstate if isinstance(error.orig, psycopg.Error) else None
        if state is None or state not in sentences:
            raise
        raise DatabaseRefused(sentences[state]) from error
