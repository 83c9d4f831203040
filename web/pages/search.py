"""The search, as in the shell: one question language, the same filters, the same hits in the same order."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from crawler.errors import UsageError
from db.acting import Acting
from pipeline.search.filters import NAMES, PLACES, Filters, check_tracker, check_words, read_filters
from pipeline.search.products import any_begins, own_products
from pipeline.search.question import Question, ask
from pipeline.search.stored import MOST, Found, find
from web.shown import asked, link, page

HITS = 20  # a page
LISTED = 200  # products that a browser suggests
STATES = ("open", "in_progress", "done", "unknown")
SORTS = ("rank", "updated", "created")
FILTERS = (*NAMES, "created", "updated", "since", "until", "has_attachment", "places")


def search(request: Request) -> Response:
    """The form, and what was found where something is asked."""
    typed = asked(request)
    query = typed.get("q", "").strip()
    given = given_filters(request)
    sort = typed.get("sort", "rank") if typed.get("sort") in SORTS else "rank"
    shown: dict[str, Any] = {
        "query": query,
        "given": given,
        "sort": sort,
        "exact": "exact" in typed,
        "places": PLACES,
        "states": STATES,
        "sorts": SORTS,
        "question": None,
        "found": None,
        "offset": 0,
        "wrong": None,
        "products": [],
        "trackers": [],
    }
    if not query:
        with request.state.visitor.asking() as acting:
            shown |= _suggested(acting, own_products(acting))
        return page(request, "search.html", **shown)
    offset = typed.get("offset", "0")
    shown["offset"] = min(int(offset), MOST) if offset.isascii() and offset.isdigit() else 0
    try:
        shown |= _found(request, query, given, sort, shown["offset"], exact=shown["exact"])
    except UsageError as error:
        shown["wrong"] = str(error)
        return page(request, "search.html", status=400, **shown)
    return page(request, "search.html", **shown)


def given_filters(request: Request) -> dict[str, str]:
    """The filters as they were typed."""
    typed = asked(request)
    told = {name: typed[name].strip() for name in FILTERS if name != "places" and typed.get(name, "").strip()}
    if places := ",".join(part for part in request.query_params.getlist("places") if part):
        told["places"] = places
    return told


def _found(
    request: Request, query: str, given: dict[str, str], sort: str, offset: int, *, exact: bool
) -> dict[str, Any]:
    door, visitor = request.state.door, request.state.visitor
    filters = read_filters(given)
    with visitor.asking() as acting:
        check_tracker(acting, filters.tracker)
        products = own_products(acting)
        suggested = _suggested(acting, products)
    question = ask(
        query,
        door.settings,
        home=door.home,
        products=products,
        has_product=any_begins(products),
        exact=exact,
    )
    with visitor.asking() as acting:
        found = _hits(acting, question, filters, sort, offset)
    return {**suggested, "question": question, "found": found}


def _hits(acting: Acting, question: Question, filters: Filters, sort: str, offset: int) -> Found:
    found = find(
        acting,
        question.parsed,
        filters,
        wider=question.wider,
        limit=HITS,
        offset=offset,
        sort=sort,
    )
    if not found.hits:
        check_words(acting, filters)
    for hit in found.hits:
        this = {"id": hit["issue_id"], "tracker": hit["tracker"]}
        place = hit["found_in"] or ""
        in_file = place.removeprefix("attachment ") if place.startswith("attachment ") else None
        hit["page"] = link("/issue", this)
        hit["file_page"] = in_file and link("/file", {**this, "place": in_file})
    return found


def _suggested(acting: Acting, products: Any) -> dict[str, Any]:
    known = {"most": LISTED, "sessions": 0}
    names = [row["name"] for row in acting.rows("asking", "names", known) if row["sort"] == "trackers"]
    return {"products": list(products)[:LISTED], "trackers": names}
