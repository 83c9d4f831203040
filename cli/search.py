"""``search``: full-text search over what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.confirm import Exact, Yes, confirm
from cli.dates import read_moment
from cli.query_words import Query, joined
from cli.search_results import AsCsv, AsJson, Limit, Offset, Open, Raw, Shape, show_hits

if TYPE_CHECKING:
    from pipeline.search.filters import Filters


def search(
    query: Query,
    product: Annotated[str | None, typer.Option(help="only this product or family")] = None,
    status: Annotated[str | None, typer.Option(help="open, closed, or the tracker's own word")] = None,
    since: Annotated[
        str | None, typer.Option(help="only what changed at or after this time, such as 2026-01-31 (UTC)")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="only what changed last before this time; a day is included")
    ] = None,
    reporter: Annotated[str | None, typer.Option(help="only with this in the reporter's name")] = None,
    tracker: Annotated[str | None, typer.Option(help="only from this tracker, by its name")] = None,
    has_attachment: Annotated[
        bool, typer.Option("--has-attachment", help="only with an attached file")
    ] = False,
    limit: Limit = 20,
    offset: Offset = 0,
    exact: Exact = False,
    yes: Yes = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    raw: Raw = False,
    opened: Open = None,
) -> None:
    """Search titles, descriptions, comments and attached texts of the issues you crawled.

    What also says the same, such as OOM for out of memory, is found too, after the rest.
    """
    from pipeline.search.filters import Filters

    filters = Filters(
        product=product,
        status=status,
        updated_from=read_moment(since),
        updated_to=read_moment(until, end_of_day=True),
        reporter=reporter,
        tracker=tracker,
        has_attachment=has_attachment or None,
    )
    shape = Shape(as_json=as_json, as_csv=as_csv, raw=raw, opened=opened, offset=offset)
    run_search(joined(query), filters, shape, limit=limit, exact=exact, yes=yes)


def run_search(
    query: str, filters: Filters, shape: Shape, *, limit: int, exact: bool = False, yes: bool = False
) -> None:
    """Search, show the hits and remember the question.

    Args:
        query: as it was typed.
        filters: which issues are wanted; where they leave something open, the question's own hold.
        shape: how the hits are to be shown.
        limit: at most this many.
        exact: without synonyms.
        yes: without asking back.
    """
    from crawler.errors import UsageError
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.search.filters import check_tracker
    from pipeline.search.history import remember
    from pipeline.search.products import own_products
    from pipeline.search.question import ask
    from pipeline.search.stored import find

    if shape.as_json and shape.as_csv:
        raise UsageError("Give either --json or --csv.")
    program = start()
    with get_session(user_id=program.user_id) as session:
        check_tracker(session, filters.tracker)
        products = own_products(session)
    stored = [name.lower() for name in products]
    question = ask(
        query,
        program.settings,
        home=program.home,
        products=products,
        has_product=lambda asked: any(name.startswith(asked.lower()) for name in stored),
        exact=exact,
    )
    confirm(question, yes=yes)
    found = find(question.parsed, filters, wider=question.wider, limit=limit, offset=shape.offset)
    remember(
        program.user_id, question, filters.within(question.parsed).product, shape.offset + len(found.hits)
    )
    show_hits(found, shape)
