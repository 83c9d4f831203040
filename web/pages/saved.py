"""Questions kept under a name: the shell's favorites."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from db import get_session
from db.refusals import translate_sqlstate
from db.sanitize import storable_text
from pipeline.search.favorites import Favorite, add_favorite, remove_favorite
from web.pages.search import FILTERS
from web.shown import link, page

LISTED = 1000


def saved(request: Request) -> Response:
    """The list."""
    with request.state.visitor.asking() as acting:
        rows = acting.rows("asking", "saved", {"limit": LISTED, "offset": 0})
    for row in rows:
        given = {name: row["options"][name] for name in (*FILTERS, "sort") if name in row["options"]}
        asked = {**given, "q": row["query"], "tracker": row["tracker"], "product": row["product"]}
        row["page"] = link("/", asked)
        row["filters"] = given
    return page(request, "saved.html", rows=rows)


def keep(request: Request) -> Response:
    """Keep a question, or change the one of its name."""
    form = {name: storable_text(value) for name, value in request.state.form.items()}
    options = {
        name: form[name]
        for name in (*FILTERS, "sort")
        if form.get(name) and name not in ("tracker", "product")
    }
    favorite = Favorite(
        name=form.get("name", ""),
        query=form.get("q", ""),
        tracker=form.get("tracker") or None,
        product=form.get("product") or None,
        options=options,
    )
    visitor = request.state.visitor
    with get_session(visitor.user_id, url=visitor.url, everybody=False) as session:
        add_favorite(session, favorite)
    return RedirectResponse("/saved", 303)


def forget(request: Request) -> Response:
    """Forget one."""
    visitor = request.state.visitor
    with (
        translate_sqlstate({"42501": "A personal login forgets nothing: use favorites remove in the shell."}),
        get_session(visitor.user_id, url=visitor.url, everybody=False) as session,
    ):
        remove_favorite(session, request.state.form.get("name", ""))
    return RedirectResponse("/saved", 303)
