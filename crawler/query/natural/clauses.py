"""The parts of a question become clauses: what is required, what is excluded, what is welcome."""

from __future__ import annotations

from dataclasses import dataclass, field

from crawler.query.natural.terms import Item, Kind, term
from crawler.query.tree import Clause, Occur

_NOUNS = ("제외", "이외")
_JOINTS = (Kind.AND, Kind.OR, Kind.COMMA)


@dataclass
class Group:
    """Terms that stand side by side, and the joints before and after them."""

    terms: list[Item] = field(default_factory=list)
    before: Kind | None = None
    after: Kind | None = None
    excluded: bool = False


@dataclass
class Combination:
    """Clauses, and what had to be guessed."""

    clauses: list[Clause]
    guesses: list[str] = field(default_factory=list)  # a sentence each
    sure: float = 1.0


def combine(items: list[Item]) -> Combination:
    """Decide for every term whether it is required, excluded or welcome."""
    groups, guesses = _grouped(items)
    _settle_commas(groups)
    kinds = {kind for group in groups if not group.excluded for kind in (group.before, group.after)}
    sure = 1.0
    if {Kind.AND, Kind.OR} <= kinds:
        guesses.append(
            "AND and OR are mixed: what stands beside OR is welcome, the rest beside AND required."
        )
        sure -= 0.35
    clauses = [clause for group in groups for clause in _clauses(group)]
    if clauses and all(clause.occur is Occur.MUST_NOT for clause in clauses):
        guesses.append("No required words: every issue matches but the excluded ones.")
        sure -= 0.3
    return Combination(_excluded_last(clauses), guesses, sure)


def _grouped(items: list[Item]) -> tuple[list[Group], list[str]]:
    """Gather terms into groups, and let "without" and its like take theirs."""
    groups: list[Group] = []
    guesses: list[str] = []
    current: Group | None = None
    joint: Kind | None = None
    excluding = only_one = False
    for item in items:
        if item.kind is Kind.NOT_PREV and item.text in _NOUNS and not groups:
            item = term(item.text)  # nothing is before it: "제외 조건"
        if item.kind is Kind.TERM:
            if current is None:
                current = Group(before=joint, excluded=excluding)
                if groups and joint:
                    groups[-1].after = joint
                groups.append(current)
                joint = None
            current.terms.append(item)
            continue
        if item.kind is Kind.NOT_PREV:
            _exclude_before(groups, items)
            joint = None
        elif item.kind in (Kind.NOT_NEXT, Kind.NOT_ONE):
            joint, excluding, only_one = None, True, item.kind is Kind.NOT_ONE
        elif item.kind in _JOINTS:
            # "and" says more than the comma before it; "with" after what is excluded starts anew.
            joint = (
                item.kind if groups and (joint in (None, Kind.COMMA) or item.kind is not Kind.COMMA) else None
            )
            if item.text == "with" or only_one:
                excluding = only_one = False
        elif excluding and current is not None:
            excluding = False
        current = None
    return groups, guesses


def _exclude_before(groups: list[Group], items: list[Item]) -> None:
    """Exclude what stands before "제외" or "以外": all that is joined to it, if that leaves something."""
    if not groups:
        return
    last = len(groups) - 1
    first = last
    while first > 0 and groups[first].before in (Kind.AND, Kind.OR) and not groups[first - 1].excluded:
        first -= 1
    here = sum(len(group.terms) for group in groups[first:])
    all_terms = sum(item.kind is Kind.TERM for item in items)
    if here < all_terms:
        for group in groups[first:]:
            group.excluded = True
    elif len(groups[last].terms) > 1:
        groups.append(Group([groups[last].terms.pop()], excluded=True))
    else:
        groups[last].excluded = True
    groups[last].after = None


def _settle_commas(groups: list[Group]) -> None:
    """Let a comma join like the next "and" or "or" in the same list."""
    for group, following in zip(reversed(groups[:-1]), reversed(groups[1:]), strict=True):
        if group.after is Kind.COMMA:
            group.after = following.before = (
                following.after if following.after in (Kind.AND, Kind.OR) else None
            )


def _clauses(group: Group) -> list[Clause]:
    terms = group.terms
    if group.excluded:
        if len(terms) > 1 and not any(one.number for one in terms):
            return [Clause(" ".join(one.text for one in terms), Occur.MUST_NOT, phrase=True)]
        return [Clause(one.text, Occur.MUST_NOT, one.phrase, one.number) for one in terms]
    joints = {group.before, group.after}
    occur = Occur.MUST if Kind.AND in joints and Kind.OR not in joints else Occur.SHOULD
    return [Clause(one.text, occur, one.phrase, one.number) for one in terms]


def _excluded_last(clauses: list[Clause]) -> list[Clause]:
    return sorted(clauses, key=lambda clause: clause.occur is Occur.MUST_NOT)
