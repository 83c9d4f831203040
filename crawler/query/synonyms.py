"""Other words for the same thing, from the program's own table and the users'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.resources import files
from typing import TypeAlias

from crawler.query.direct import MOST_CLAUSES, as_clause
from crawler.query.script import clean, fold
from crawler.query.tokens import Lexeme
from crawler.query.tree import Clause, Occur, Tree

Synonyms: TypeAlias = Mapping[
    str, tuple[str, ...]
]  # folded word or phrase to the others, in the table's order


def own_synonyms() -> str:
    """Return the program's own table, to be read by ``read_synonyms``."""
    return files("crawler.query").joinpath("words", "synonyms.txt").read_text(encoding="utf-8")


def read_synonyms(*tables: str) -> Synonyms:
    """Read tables: words for the same thing on a line, with commas between them; ``#`` starts a remark.

    Lines that share a word become one group, so that a user's table extends the program's.
    """
    groups: dict[str, list[str]] = {}
    for line in "\n".join(tables).splitlines():
        words = [" ".join(clean(word).split()) for word in line.partition("#")[0].split(",")]
        merged: list[str] = []
        for word in filter(None, words):
            merged += groups.get(fold(word), [word])
        unique = list({fold(word): word for word in reversed(merged)}.values())[::-1]
        groups |= {fold(word): unique for word in unique}
    return {key: tuple(word for word in group if fold(word) != key) for key, group in groups.items()}


def alternatives(clause: Clause, synonyms: Synonyms) -> tuple[Clause, ...]:
    """Return the other clauses that say the same as this one, with the same sign.

    For a renderer that can say "one of these is required", which a tree cannot.
    """
    if clause.number:
        return ()
    return tuple(replace(_clause(word), occur=clause.occur) for word in synonyms.get(fold(clause.text), ()))


def expand(tree: Tree, synonyms: Synonyms) -> Tree:
    """Add the other words for what a query looks for.

    Words that are welcome and words that are excluded get their synonyms. A required word gets them only
    where it is the only word looked for, which is then as good as welcome; a tree cannot say that one of
    several is required, see ``alternatives``.
    """
    wanted = [clause for clause in tree.clauses if clause.occur is not Occur.MUST_NOT]
    clauses = list(tree.clauses)
    if len(wanted) == 1 and wanted[0].occur is Occur.MUST and alternatives(wanted[0], synonyms):
        clauses[clauses.index(wanted[0])] = replace(wanted[0], occur=Occur.SHOULD)
    added = list(_with_others(clauses, synonyms))
    return Tree(tuple(dict.fromkeys(added))) if len(added) <= MOST_CLAUSES else tree


def _with_others(clauses: Iterable[Clause], synonyms: Synonyms) -> Iterable[Clause]:
    for clause in clauses:
        yield clause
        if clause.occur is not Occur.MUST:
            yield from alternatives(clause, synonyms)


def _clause(word: str) -> Clause:
    if " " in word:
        return Clause(word, phrase=True)
    read = as_clause(Lexeme(word))
    return read if read == Clause(word) else Clause(word, phrase=True)
