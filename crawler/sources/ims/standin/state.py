"""What is in the tracker at this moment, who may see it, and what a search finds in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from crawler.sources.ims.standin.model import Account, File, Issue
from crawler.sources.ims.standin.products import PRODUCTS
from crawler.sources.ims.standin.search import parse_keyword
from crawler.sources.ims.standin.text import join_text

_CACHED_SEARCHES = 64


class Generator(Protocol):
    """Issues that are made when they are asked for."""

    @property
    def numbers(self) -> range:
        """The numbers of all of them, upwards."""
        ...

    def issue(self, number: int) -> Issue:
        """Make one of them, the same at every call."""
        ...

    def product(self, number: int) -> str:
        """The product of one of them."""
        ...

    def searched_text(self, number: int) -> str:
        """What a search looks into, in lower case."""
        ...


class World:
    """The tracker's issues: those that were written, and those that are generated.

    Args:
        issues: written or registered issues.
        generator: further ones; a written issue of the same number stands in its place.
    """

    def __init__(self, issues: Iterable[Issue] = (), generator: Generator | None = None) -> None:
        self._written: dict[int, Issue] = {issue.number: issue for issue in issues}
        self._generator = generator
        self._generated = range(0) if generator is None else generator.numbers
        self._removed: set[int] = set()
        self._moved: dict[int, int] = {}
        self._texts: dict[tuple[int, frozenset[str]], str] = {}
        self._searches: dict[tuple[object, ...], Sequence[int]] = {}

    def get(self, number: int) -> Issue | None:
        """Look an issue up."""
        issue = self._written.get(number)
        if issue is None and self._generator is not None and self.is_generated(number):
            return self._generator.issue(number)
        return issue

    def is_generated(self, number: int) -> bool:
        """Tell whether an issue stands as it was generated."""
        return number in self._generated and number not in self._written and number not in self._removed

    def seen_by(self, account: Account, number: int) -> Issue | None:
        """Look an issue up for an account; None as well when it may not see it."""
        issue = self.get(number)
        return None if issue is None or account.name in issue.hidden_from else issue

    def put(self, issue: Issue) -> None:
        """Add an issue or put it in the place of the one with its number."""
        self._written[issue.number] = issue
        self._removed.discard(issue.number)
        self._forget(issue.number)

    def remove(self, number: int) -> None:
        """Take an issue away."""
        if self.get(number) is None:
            raise KeyError(number)
        self._written.pop(number, None)
        self._removed.add(number)
        self._forget(number)

    def note_move(self, old: int, new: int) -> None:
        """Remember that an issue has another number from now on."""
        self._moved[old] = new

    def moved_to(self, number: int) -> int | None:
        """The number that an issue has now, if it was moved."""
        return self._moved.get(number)

    def numbers(self) -> list[int]:
        """The numbers of all issues, upwards."""
        generated = (number for number in self._generated if self.is_generated(number))
        return sorted([*self._written, *generated])

    def of_project(self, code: str) -> list[Issue]:
        """The written issues of a project; generated ones have no patch lists."""
        return [issue for issue in self._written.values() if issue.project.code == code]

    def file(self, account: Account, number: int, kind: str) -> File | None:
        """Look an attached file up for an account."""
        for issue in self._written.values():
            for file in issue.files:
                if file.number == number and file.kind == kind:
                    return None if account.name in issue.hidden_from else file
        owner = self.get(number // 10)  # generated files carry their issue's number
        files = () if owner is None else owner.files
        return next((file for file in files if file.number == number and file.kind == kind), None)

    def find(
        self, keyword: str, codes: frozenset[str], account: Account, *, newest_first: bool = True
    ) -> Sequence[int]:
        """Search.

        Args:
            keyword: a question in the tracker's syntax; empty: everything.
            codes: product codes; empty: all products.
            account: who asks.
            newest_first: the order among equally good hits.

        Returns:
            The numbers of the hits, those with more of the optional terms first.
        """
        key = (keyword, codes, account.name, newest_first)
        hits = self._searches.get(key)
        if hits is None:
            if len(self._searches) >= _CACHED_SEARCHES:
                self._searches.clear()
            hits = self._searches[key] = self._search(keyword, codes, account, newest_first)
        return hits

    def _search(
        self, keyword: str, codes: frozenset[str], account: Account, newest_first: bool
    ) -> Sequence[int]:
        question = parse_keyword(keyword)
        hits = []
        for number in self.numbers():
            if not self._is_asked(number, codes, account):
                continue
            score = question.score(number, self._text(number, account) if question.terms else "")
            if score is not None:
                hits.append((-score, -number if newest_first else number))
        return [abs(number) for _, number in sorted(hits)]

    def _is_asked(self, number: int, codes: frozenset[str], account: Account) -> bool:
        if self._generator is not None and self.is_generated(number):
            return not codes or PRODUCTS[self._generator.product(number)] in codes
        issue = self.seen_by(account, number)
        return issue is not None and (not codes or PRODUCTS.get(issue.product) in codes)

    def _text(self, number: int, account: Account) -> str:
        if self._generator is not None and self.is_generated(number):
            return self._generator.searched_text(number)
        key = (number, account.hidden_fields)
        if key not in self._texts:
            issue = self._written[number]
            fields = (value for header, value in issue.fields.items() if header not in account.hidden_fields)
            words = [issue.title, issue.product, issue.description, issue.description_html or "", *fields]
            words += [action.html or action.text for action in issue.actions]
            self._texts[key] = join_text("\n".join(words))
        return self._texts[key]

    def _forget(self, number: int) -> None:
        self._searches.clear()
        self._texts = {key: text for key, text in self._texts.items() if key[0] != number}
