"""``query``: how a question is understood."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import one_line, print_json, say
from cli.query_words import Query, joined


def query(
    words: Query,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """Show how a query or question is understood, without searching.

    A space is OR, +word is required, -word is excluded, 'words in quotes' are a phrase, a number is an issue.
    """
    from db.settings import environment
    from db.settings import read_settings as read_database_settings
    from pipeline.search.question import ask
    from pipeline.settings import read_settings

    question = ask(joined(words), read_settings(environment()), home=read_database_settings().home)
    parsed = question.parsed
    if as_json:
        print_json(
            {
                "text": parsed.text,
                "language": parsed.language,
                "method": parsed.method,
                "confidence": parsed.confidence,
                "explanation": parsed.explanation,
                "filters": dict(parsed.filters),
            }
        )
        return
    say(f"query        {one_line(parsed.text)}")
    say(f"language     {parsed.language}")
    say(f"understood   by {parsed.method}, confidence {parsed.confidence:.2f}")
    for name, value in parsed.filters.items():
        say(f"{name:<12} {one_line(value)}")
    if question.others:
        say(f"synonyms     {one_line(', '.join(question.others))}")
    if parsed.explanation:
        say(f"explanation  {one_line(parsed.explanation)}")
