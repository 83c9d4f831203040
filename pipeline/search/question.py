"""From what somebody typed to what is looked for: the rules, a second opinion, other words for the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from crawler.errors import UsageError
from crawler.query import LOW_CONFIDENCE, Occur, ParsedQuery, parse_query
from crawler.query.direct import write
from crawler.query.synonyms import Synonyms, expand, own_synonyms, read_synonyms
from db.sanitize import storable_text
from pipeline.logs import keep_secret
from pipeline.settings import Settings

SYNONYMS = "synonyms.txt"  # a user's own table, in the data folder


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A question, understood."""

    original: str  # as it was asked
    parsed: ParsedQuery
    wider: str | None = None  # the same with other words for what is looked for; None: there are none
    others: tuple[str, ...] = ()  # those words


def ask(
    text: str,
    settings: Settings,
    *,
    home: Path,
    products: Sequence[str] = (),
    has_product: Callable[[str], bool] | None = None,
    exact: bool = False,
) -> Question:
    """Understand a question.

    Args:
        text: in the direct syntax, or in English, Korean or Japanese.
        settings: may name a language model to ask where the rules are not sure.
        home: the data folder, where a table of further synonyms may be.
        products: names to be recognised as products.
        has_product: tells whether where one looks has such a product; to others its name is a word.
        exact: look for no other words than those of the question.

    Raises:
        UsageError: it is no question, or the table of synonyms cannot be read.
    """
    text = storable_text(text)
    parsed = parse_query(text, products=products)
    named = parsed.filters.get("product")
    if named is not None and has_product is not None and not has_product(named):
        parsed = parse_query(text, products=None)
    if parsed.confidence < LOW_CONFIDENCE and settings.llm_url is not None:
        from crawler.query.llm import LlmClient, ask_llm  # with the HTTP library

        keep_secret(settings.llm_key)
        client = LlmClient(url=settings.llm_url, model=settings.llm_model, key=settings.llm_key)
        parsed = ask_llm(text, parsed, client)
    if exact:
        return Question(original=text, parsed=parsed)
    tree = expand(parsed.tree, _synonyms(home / SYNONYMS))
    known = {clause.text for clause in parsed.tree.clauses}
    others = [
        clause.text
        for clause in tree.clauses
        if clause.occur is not Occur.MUST_NOT and clause.text not in known
    ]
    if not others:
        return Question(original=text, parsed=parsed)
    return Question(original=text, parsed=parsed, wider=write(tree), others=tuple(others))


def adapt_to_kind(kind: str, question: Question, settings: Settings, *, home: Path) -> Question:
    """The question for a kind of tracker: names of products that it does not have are words to it."""
    from crawler.sources import find_kind

    if "product" not in question.parsed.filters or find_kind(kind).features.known_products:
        return question
    return ask(question.original, settings, home=home, has_product=lambda _: False, exact=True)


@lru_cache(maxsize=4)
def _read_synonyms(*tables: str) -> Synonyms:
    """The tables, split once in a process that is asked again and again."""
    return read_synonyms(*tables)


def _synonyms(own: Path) -> Synonyms:
    try:
        return _read_synonyms(own_synonyms(), own.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return _read_synonyms(own_synonyms())
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{own} cannot be read: make it a text file in UTF-8, or remove it.") from error
