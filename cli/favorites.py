"""``favorites``: questions kept under a name."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.confirm import Exact, Yes
from cli.output import complain, invocation, print_json, print_table
from cli.query_words import Query, QueryCommand, joined
from cli.search_results import AsCsv, AsJson, Limit, Offset, Open, Raw, Shape

app = typer.Typer(help="Questions kept under a name, to be asked again.")

Name = Annotated[str, typer.Argument(help="the favorite's name")]


@app.command("add", cls=QueryCommand)
def add(
    name: Annotated[str, typer.Argument(help="a name of your choice")],
    query: Query,
    tracker: Annotated[str | None, typer.Option(help="only from this tracker, by its name")] = None,
    product: Annotated[str | None, typer.Option(help="only this product or family")] = None,
) -> None:
    """Keep a question. Adding a name again changes it."""
    from shlex import quote

    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.search.favorites import Favorite, add_favorite

    program = start()
    with get_session(user_id=program.user_id) as session:
        add_favorite(session, Favorite(name=name, query=joined(query), tracker=tracker, product=product))
    complain(f"Kept; ask it with: {invocation()} favorites run {quote(name)}")


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 100,
    offset: Annotated[int, typer.Option(min=0, help="leave out the first ones")] = 0,
    as_json: AsJson = False,
) -> None:
    """List the questions that you keep."""
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.search.favorites import list_favorites

    program = start()
    with get_session(user_id=program.user_id) as session:
        rows = list_favorites(session, limit=limit, offset=offset)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("name", "question", "tracker", "product", "since"),
        [list(row.values()) for row in rows],
        empty="There is no favorite yet: keep a question with favorites add.",
    )


@app.command("remove")
def remove(name: Name) -> None:
    """Forget a question."""
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.search.favorites import remove_favorite

    program = start()
    with get_session(user_id=program.user_id) as session:
        remove_favorite(session, name)


@app.command("run")
def run(
    name: Name,
    limit: Limit = 20,
    offset: Offset = 0,
    exact: Exact = False,
    yes: Yes = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    raw: Raw = False,
    opened: Open = None,
) -> None:
    """Search what is stored with a question that you keep."""
    from cli.search import run_search
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.search.favorites import read_favorite
    from pipeline.search.filters import Filters

    program = start()
    with get_session(user_id=program.user_id) as session:
        kept = read_favorite(session, name)
    shape = Shape(as_json=as_json, as_csv=as_csv, raw=raw, opened=opened, offset=offset)
    filters = Filters(product=kept.product, tracker=kept.tracker)
    run_search(kept.query, filters, shape, limit=limit, exact=exact, yes=yes)
