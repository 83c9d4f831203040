"""Saying how a question was understood, and asking back where that is not sure."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import complain, one_line

if TYPE_CHECKING:
    from pipeline.search.question import Question

Yes = Annotated[bool, typer.Option("--yes", help="do not ask for confirmation when the query is not clear")]
Exact = Annotated[bool, typer.Option("--exact", help="search without synonyms")]


def confirm(question: Question, *, yes: bool = False) -> None:
    """Say on standard error what was guessed, left out and added; on a terminal, ask whether that is meant.

    Args:
        question: as it was understood.
        yes: go ahead without asking.

    Raises:
        UsageError: it is not what was meant.
    """
    from crawler.errors import UsageError
    from crawler.query import LOW_CONFIDENCE

    parsed = question.parsed
    if parsed.method != "direct":
        complain(parsed.explanation)
    if question.others:
        complain(
            f"Also searching synonyms, ranked lower: {', '.join(question.others)}. --exact leaves them out."
        )
    if parsed.confidence >= LOW_CONFIDENCE or yes:
        return
    if not _on_a_terminal():
        complain(f"The question is not clear. Searching for: {parsed.text}")
        return
    if not typer.confirm(f"Look for: {one_line(parsed.text)}?", default=True, err=True):
        raise UsageError(
            "Nothing was done: use other words, or write the query yourself (see search --help)."
        )


def confirm_removal(question: str, *, without_terminal: str, yes: bool) -> None:
    """Ask on a terminal before something is removed for good.

    Args:
        question: what is asked.
        without_terminal: what is said where nobody can be asked.
        yes: go ahead without asking.

    Raises:
        UsageError: it is not wanted, or nobody can be asked.
    """
    from crawler.errors import UsageError

    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(without_terminal)
    if not typer.confirm(question, default=False, err=True):
        raise UsageError("Nothing was removed.")


def _on_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
