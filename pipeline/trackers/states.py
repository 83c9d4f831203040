"""What a tracker's status words mean, and what its owner says they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from crawler.errors import UsageError
from crawler.records import State
from db.models.bounds import LONGEST
from db.sanitize import storable_text
from db.session import select_rows
from db.users import require_writer
from pipeline.trackers.stored import find_row

STATES = tuple(state.value for state in State)


def list_states(session: Session, name: str, *, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """The status words of a tracker, those that nobody could place first.

    Returns:
        Dictionaries of ``word``, ``issues`` (now in it), ``changes`` (how often the history tells of it),
        ``state``, and ``own`` (the state is what the owner says, not what the tracker tells).

    Raises:
        UsageError: there is no tracker of that name.
    """
    known = {"tracker_id": find_row(session, name).tracker_id, "limit": limit, "offset": offset}
    return select_rows(session, "states", "list", known)


def say_states(session: Session, name: str, given: Sequence[str]) -> None:
    """Say what words mean; every figure counts anew.

    Args:
        session: acts for the user whose tracker it is.
        name: of the tracker.
        given: ``WORD=STATE`` each; of two that speak of one word, the last counts.

    Raises:
        UsageError: there is no tracker of that name, no such state, or a word cannot be one.
        DatabaseRefused: the user only looks.
    """
    said = list(map(_read, given))
    require_writer(session)
    words, states = [word for word, _ in said], [state for _, state in said]
    known = {"tracker_id": find_row(session, name).tracker_id, "words": words, "states": states}
    select_rows(session, "states", "say", known)


def forget_states(session: Session, name: str, words: Sequence[str]) -> None:
    """Let the tracker say again what words mean; every figure counts anew.

    Raises:
        UsageError: there is no tracker of that name, or nothing was said of these words.
        DatabaseRefused: the user only looks.
    """
    require_writer(session)
    known = {"tracker_id": find_row(session, name).tracker_id, "words": list(map(storable_text, words))}
    if not select_rows(session, "states", "forget", known):
        raise UsageError(f"You said nothing of {words[0]!r} before: see trackers states.")


def _read(given: str) -> tuple[str, str]:
    word, _, state = (part.strip() for part in given.rpartition("="))
    state = state.casefold().replace(" ", "_").replace("-", "_")
    if not word:
        raise UsageError(f"{given!r} is not WORD=STATE, such as 'In QA=in_progress'.")
    if state not in STATES:
        raise UsageError(f"There is no state {state!r}: use one of {', '.join(STATES)}.")
    if len(word) > LONGEST["tracker_states"]["word"]:
        raise UsageError(f"A status has at most {LONGEST['tracker_states']['word']} characters.")
    return storable_text(word), state
