"""``search``: full-text search over what is stored."""

from __future__ import annotations

from cli.arguments import Everybody
from cli.confirm import Exact, Yes, confirm
from cli.filter_options import Given, with_filters
from cli.query_words import Query, joined
from cli.search_results import AsCsv, AsJson, Excel, Limit, Offset, Open, Raw, Shape, show_hits


@with_filters
def search(
    query: Query,
    limit: Limit = 20,
    offset: Offset = 0,
    exact: Exact = False,
    yes: Yes = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    excel: Excel = None,
    raw: Raw = False,
    opened: Open = None,
    everybody: Everybody = False,
    *,
    filters: Given,
) -> None:
    """Search the issues you crawled: titles, descriptions, comments, and names and texts of attached files.

    A word in a file ranks below one in the issue itself; the hit shows the line. --in leaves places out.
    Synonyms are searched too, such as OOM for out of memory, and ranked lower; --exact leaves them out.
    """
    shape = Shape(as_json=as_json, as_csv=as_csv, excel=excel, raw=raw, opened=opened, offset=offset)
    run_search(joined(query), filters, shape, limit=limit, exact=exact, yes=yes, everybody=everybody)


def run_search(
    query: str,
    given: Given,
    shape: Shape,
    *,
    limit: int,
    exact: bool = False,
    yes: bool = False,
    everybody: bool = False,
) -> None:
    """Search, show the hits and remember the question.

    Args:
        query: as it was typed.
        given: filters as they were typed; where they leave something open, the question's own hold.
        shape: how the hits are to be shown.
        limit: at most this many.
        exact: without synonyms.
        yes: without asking back.
        everybody: in everybody's issues, not only one's own.
    """
    from crawler.errors import UsageError
    from db.acting import acting_for
    from pipeline.bootstrap import start
    from pipeline.search.filters import check_tracker, check_words, read_filters
    from pipeline.search.history import remember
    from pipeline.search.products import any_begins, own_products
    from pipeline.search.question import ask
    from pipeline.search.stored import find

    if shape.as_json + shape.as_csv + (shape.excel is not None) > 1:
        raise UsageError("Give one of --json, --csv and --excel.")
    filters = read_filters(given)
    program = start(asks_only=True)
    with acting_for(program.user_id, everybody=everybody) as acting:
        check_tracker(acting, filters.tracker)
        products = own_products(acting)
    question = ask(
        query,
        program.settings,
        home=program.home,
        products=products,
        has_product=any_begins(products),
        exact=exact,
    )
    confirm(question, yes=yes)
    with acting_for(program.user_id, everybody=everybody) as acting:
        found = find(
            acting,
            question.parsed,
            filters,
            wider=question.wider,
            limit=limit,
            offset=shape.offset,
            sort=given.get("sort", "rank"),
            everybody=everybody,
        )
        if not found.hits:
            check_words(acting, filters)
        product = filters.within(question.parsed).product
        remember(acting, question, product, shape.offset + len(found.hits))
    show_hits(found, shape)
