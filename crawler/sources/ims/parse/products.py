"""The products that a search can be narrowed to."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from crawler.errors import UnknownProduct
from crawler.html import Document

_PRODUCTS: Final = "select#productCodes option"
_MOST_NAMED = 5


class Product(Struct, frozen=True):
    """One option of the search page's list of products."""

    code: str
    name: str


def parse_products(document: Document) -> tuple[Product, ...]:
    """Read `select#productCodes`, in the page's order.

    Args:
        document: a search page.
    """
    options = document.select(_PRODUCTS)
    products = [Product((option.attribute("value") or "").strip(), option.line()) for option in options]
    return tuple(product for product in products if product.code and product.name)


def find_products(products: Sequence[Product], wanted: str) -> tuple[Product, ...]:
    """The product of that name, or else the family: every product whose name begins so.

    Args:
        products: those of the tracker.
        wanted: a name or the beginning of one, in any case, or a code.

    Raises:
        UnknownProduct: there is none; names the nearest ones.
    """
    name = " ".join(wanted.split()).casefold()
    exact = [product for product in products if name in (product.name.casefold(), product.code)]
    family = [product for product in products if name and product.name.casefold().startswith(name)]
    if exact or family:
        return tuple(exact or family)
    raise UnknownProduct(f"The tracker has no product {wanted!r}.{_suggestion(products, name)}")


def _suggestion(products: Sequence[Product], name: str) -> str:
    names = {product.name.casefold(): product.name for product in products}
    near = [names[key] for key in difflib.get_close_matches(name, names, _MOST_NAMED, 0.5)]
    near += [product.name for product in products if name and name in product.name.casefold()]
    near = list(dict.fromkeys(near))[:_MOST_NAMED] or [product.name for product in products[:_MOST_NAMED]]
    return f" Near are: {', '.join(near)}." if near else ""
