"""No regular expression of the project takes longer than in proportion to its text, whatever that is."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import re._constants as kinds
import re._parser as parser
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler.query.natural.period import CUED, PLAIN
from crawler.query.natural.product import known_products
from tests.fixtures.program import ROOT

_PACKAGES = ("cli", "crawler", "db", "pipeline", "web")
_tried: set[tuple[object, ...]] = set()
_METHODS = ("search", "match", "fullmatch", "findall", "finditer", "sub", "subn", "split")
_MOST = 1 << 15  # characters; what grows with their square takes far longer than _ENOUGH by then
_LEAST = 512  # characters
_ENOUGH = 0.004  # seconds from which on a clock tells the truth


def _modules() -> list[str]:
    """The modules that have expressions; none is loaded for it, since each process of the tests asks."""
    files = [path for package in _PACKAGES for path in (ROOT / package).rglob("*.py")]
    kept = [path for path in files if "migrations" not in path.parts and path.name != "__main__.py"]
    with_any = [
        path for path in kept if re.search(r"^import re$|re\.Pattern", path.read_text("utf-8"), re.MULTILINE)
    ]
    places = [path.relative_to(ROOT).with_suffix("") for path in with_any]
    return sorted(".".join(place.parts).removesuffix(".__init__") for place in places)


def _uses(tree: ast.Module, name: str) -> set[str]:
    """The methods that a module calls on a name; where it only hands it on, the costliest."""
    uses = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    }
    return uses & set(_METHODS) or {"finditer"}


def _within(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _within(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _within(each)


def _compiled(module: str) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Those that a module keeps, and those that its functions make and keep."""
    loaded = importlib.import_module(module)
    for name, value in vars(loaded).items():
        for found in _within(value):
            yield name, found
        made_here = getattr(value, "__module__", None) == module and callable(value)
        gives = str(getattr(value, "__annotations__", {}).get("return"))
        if made_here and "re.Pattern" in gives and not inspect.signature(value).parameters:
            yield name, value()


def _written(tree: ast.Module) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Those that are written where they are used: `re.sub("…", …)`."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        of_re = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
        text = node.args[0]
        if of_re and node.func.attr in _METHODS and isinstance(text, ast.Constant):
            yield node.func.attr, re.compile(text.value)


def _cases(module: str) -> Iterator[tuple[str, re.Pattern[Any], str]]:
    """The expressions of a module with the methods that are called on each."""
    tree = ast.parse(Path(importlib.import_module(module).__file__ or "").read_text("utf-8"))
    found = [(name, _uses(tree, name), pattern) for name, pattern in _compiled(module)]
    found += [("re", {method}, pattern) for method, pattern in _written(tree)]
    if module == "crawler.query.natural.product":
        found.append(("products", {"finditer"}, known_products(("Tibero 7", "OpenFrame")).pattern))
    if module == "crawler.query.natural.period":
        forms = [re.compile(form, re.IGNORECASE) for form, _ in (*PLAIN, *CUED)]
        found += [("period", {"fullmatch"}, form) for form in forms]
    for name, methods, pattern in found:
        looks = {method if method in ("search", "match", "fullmatch") else "finditer" for method in methods}
        for method in sorted(looks):
            yield name, pattern, method


def _sample(items: Any, pick: int) -> str:
    """The shortest text that a part of a pattern can match, of its alternatives one after the other."""
    text = ""
    for kind, value in items:
        if kind is kinds.LITERAL:
            text += chr(value)
        elif kind is kinds.NOT_LITERAL:
            text += "a" if value != ord("a") else "b"
        elif kind is kinds.ANY:
            text += "a"
        elif kind is kinds.IN:
            text += _member(value, pick)
        elif kind is kinds.BRANCH:
            text += _sample(value[1][pick % len(value[1])], pick)
        elif kind is kinds.SUBPATTERN:
            text += _sample(value[3], pick)
        elif kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT):
            text += _sample(value[2], pick) * max(value[0], 1)
        elif kind is kinds.ATOMIC_GROUP:
            text += _sample(value, pick)
    return text


def _member(members: Any, pick: int) -> str:
    if members[0][0] is kinds.NEGATE:
        candidates = "a <\"'(0\n."
        shape = parser.parse("")
        shape.data = [(kinds.IN, list(members))]
        fits = [letter for letter in candidates if _fits(members, letter)]
        return fits[pick % len(fits)] if fits else "\u2603"
    kind, value = members[pick % len(members)]
    if kind is kinds.LITERAL:
        return chr(value)
    if kind is kinds.RANGE:
        return chr(value[0])
    return {kinds.CATEGORY_DIGIT: "0", kinds.CATEGORY_SPACE: " ", kinds.CATEGORY_WORD: "a"}.get(value, "-")


def _fits(members: Any, letter: str) -> bool:
    for kind, value in members[1:]:
        if kind is kinds.LITERAL and ord(letter) == value:
            return False
        if kind is kinds.RANGE and value[0] <= ord(letter) <= value[1]:
            return False
        if kind is kinds.CATEGORY:
            taken = {kinds.CATEGORY_DIGIT: str.isdigit, kinds.CATEGORY_SPACE: str.isspace}
            if taken.get(value, lambda one: one.isalnum())(letter):
                return False
    return True


def _pieces(items: Any, pick: int) -> Iterator[str]:
    """Samples of every part of a pattern, and of its beginnings."""
    before = ""
    run = ""
    for item in items:
        kind, value = item
        run = run + chr(value) if kind is kinds.LITERAL else ""
        if run:
            yield run
        yield _sample([item], pick)
        before += _sample([item], pick)
        yield before
        if kind is kinds.SUBPATTERN:
            yield from _pieces(value[3], pick)
        elif kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT):
            yield from _pieces(value[2], pick)
        elif kind is kinds.BRANCH:
            for branch in value[1]:
                yield from _pieces(branch, pick)


def _texts(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str, str]]:
    """What to put first, what to repeat, and what to put last."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = parser.parse(source, pattern.flags & ~(re.UNICODE if isinstance(pattern.pattern, bytes) else 0))
    units: dict[str, None] = {}
    starts = {"": None}
    for pick in range(3):
        units |= dict.fromkeys(piece for piece in _pieces(tree, pick) if piece)
        starts[_sample(tree[:1], pick)] = None
    units |= dict.fromkeys([" ", "a", "0", "\n", "\xa0", "<", "-", " a", "a "])
    wanted = list(units)[:40]
    for unit in wanted:
        for start in list(starts)[:2]:
            yield start, unit, "\x00"
    for place in range(1, min(len(tree), 24)):
        start = _sample(tree[:place], 0)
        around = {_sample(tree[place : place + 1], 0), _sample(tree[place - 1 : place], 0)}
        for unit in sorted({" ", "a", *around} - {""}):
            yield start, unit, "\x00"
    for unit in wanted:
        yield "", unit, ""


def _seconds(pattern: re.Pattern[Any], method: str, text: str, least_of: int) -> float:
    subject = text.encode("utf-8", "replace") if isinstance(pattern.pattern, bytes) else text
    best = float("inf")
    for _ in range(least_of):
        began = time.process_time()
        if method == "finditer":
            for _ in pattern.finditer(subject):
                pass
        else:
            getattr(pattern, method)(subject)
        best = min(best, time.process_time() - began)
    return best


def _grows(pattern: re.Pattern[Any], method: str, start: str, unit: str, end: str) -> str | None:
    """How much longer twice the text takes, where that is too much."""

    def seconds(size: int, least_of: int = 1) -> float:
        return _seconds(pattern, method, start + unit * (size // len(unit)) + end, least_of)

    size, first = _LEAST, seconds(_LEAST)
    took = first
    while size < _MOST and took < _ENOUGH:
        # As far as it would need for a clock to tell, were it in proportion.
        size = min(_MOST, size * max(2, int(_ENOUGH / max(took, 1e-6))))
        took = seconds(size)
    if took < _ENOUGH or (size > _LEAST and took < 1.5 * first * size / _LEAST):
        return None
    for least_of in (1, 3, 9):  # a busy machine is no fault of a pattern
        once, twice = seconds(size, least_of), seconds(2 * size, least_of)
        if twice < 2.5 * once:
            return None
    text = f"{start!r} + {unit!r} * n + {end!r}"
    return f"{text}: {size} characters take {once:.4f} s, twice as many {twice:.4f} s"


@pytest.mark.parametrize("module", _modules())
def test_twice_the_text_takes_twice_the_time(module: str) -> None:
    for name, pattern, method in _cases(module):
        key = pattern.pattern, pattern.flags, method
        if key in _tried:  # a module has those that it imports
            continue
        _tried.add(key)
        for start, unit, end in _texts(pattern):
            assert (told := _grows(pattern, method, start, unit, end)) is None, f"{name}.{method}: {told}"


def test_the_patterns_are_found() -> None:
    cases = {pattern.pattern for module in _modules() for _, pattern, _ in _cases(module)}
    assert len(cases) > 300
