"""A question taken apart: filters first, then numbers and phrases, then words by language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from crawler.query.natural import days, english, people, product, reference, state
from crawler.query.natural.lexicon import lexicon
from crawler.query.natural.terms import Item, Kind, Piece, left_out, term
from crawler.query.script import fold, language_of, language_of_word, says_something
from crawler.query.tokens import Lexeme

_PAUSES = re.compile("([、，；;])")
_NUMBER = re.compile(r"[0-9]{1,18}")
_DENIED = re.compile(r"\bNOT\s*\(([^()]+)\)")
_JOINT = re.compile(r"(?<!\s)\s*(?:,|\b(?:OR|AND|or|and)\b)\s*")
_OPERATORS = re.compile(r"\b(?:AND|OR|NOT)\b")


@dataclass
class Sentence:
    """A question's parts in their order, and what became a filter."""

    items: list[Item] = field(default_factory=list)
    filters: dict[str, str] = field(default_factory=dict)
    guesses: list[str] = field(default_factory=list)  # a sentence each
    sure: float = 1.0  # goes down with every guess


def take_apart(lexemes: Sequence[Lexeme], products: Sequence[str] | None, today: date) -> Sentence:
    """Read a question that has no signs."""
    sentence = Sentence()
    pieces = [_without_brackets(piece) for piece in _unquoted(lexemes)]
    pieces = _with_days(sentence, pieces, today)
    pieces = _with_people(sentence, pieces)
    pieces = reference.split(pieces, state.pattern(), lambda found: _state(sentence, found))
    pieces = reference.split(pieces, reference.number_pattern(), reference.read_number)
    if products is not None:
        pieces = _with_product(sentence, pieces, products)
    pieces = reference.split(pieces, reference.phrase_pattern(), reference.read_phrase)
    text = " ".join(piece for piece in pieces if isinstance(piece, str))
    japanese_text = language_of(text) == "ja"
    shouting = language_of(text) == "en" and _OPERATORS.sub("", text).isupper()
    for piece in pieces:
        if isinstance(piece, Item):
            sentence.items.append(piece)
        else:
            _read_words(sentence, piece, japanese_text=japanese_text, shouting=shouting)
    _settle(sentence)
    return sentence


def _without_brackets(piece: Piece) -> Piece:
    """Let NOT before brackets hold for each term in them."""
    if isinstance(piece, Item):
        return piece
    return _DENIED.sub(
        lambda found: " ".join(f"NOT {part}" for part in _JOINT.split(found[1].strip())), piece
    )


def _unquoted(lexemes: Sequence[Lexeme]) -> list[Piece]:
    pieces: list[Piece] = [""]
    for one in lexemes:
        if one.quoted:
            pieces += [term(one.text, phrase=True), ""] if one.text else []
        else:
            before = pieces[-1]
            space = "" if one.glued or not before else " "
            mark = one.mark if _PAUSES.fullmatch(one.mark) else ""
            pieces[-1] = f"{before}{space}{one.text}{mark}"
    return pieces


def _with_days(sentence: Sentence, pieces: list[Piece], today: date) -> list[Piece]:
    if not any(isinstance(piece, str) and days.may_name(piece) for piece in pieces):
        return pieces

    def take(bounds: days.Days) -> bool:
        if "since" in sentence.filters or "until" in sentence.filters:
            return False
        named = {"since": bounds.since, "until": bounds.until}
        sentence.filters |= {name: day.isoformat() for name, day in named.items() if day}
        return True

    return days.split(pieces, today, take)


def _state(sentence: Sentence, found: re.Match[str]) -> Item | None:
    status = state.read_state(found)
    if status is None or "status" in sentence.filters:
        return None
    sentence.filters["status"] = status
    return Item(Kind.FILTER, found.group().strip())


def _with_people(sentence: Sentence, pieces: list[Piece]) -> list[Piece]:
    if not any(isinstance(piece, str) and people.may_name(piece) for piece in pieces):
        return pieces
    named: dict[str, str] = {}

    def read(found: re.Match[str]) -> Item | None:
        person = people.read_person(found)
        if person is None or person[0] in named:
            return None
        named[person[0]] = person[1]
        return Item(Kind.FILTER, person[1])

    pieces = people.split(people.with_quoted(pieces, named), read)
    for role, name in named.items():
        sentence.guesses.append(f"{name} is taken for the {role}; quote the words to look for them.")
    sentence.filters |= named
    return pieces


def _with_product(sentence: Sentence, pieces: list[Piece], products: Sequence[str]) -> list[Piece]:
    known = product.known_products(products)
    texts = [piece for piece in pieces if isinstance(piece, str)]
    named = {one for text in texts for found in known.pattern.finditer(text) if (one := known.read(found))}
    names = {one.name for one in named}
    if len(names) > 1:
        sentence.guesses.append(
            f"{' and '.join(sorted(names))} are products; as only one can be chosen, all are words."
        )
        sentence.sure -= 0.2
    if len(names) != 1:
        return pieces
    name = names.pop()
    if not any(one.certain for one in named):
        if _is_all(pieces, name):
            return pieces
        sentence.guesses.append(f"{name} is taken for the product; quote it to look for the word.")
        sentence.sure -= 0.1
    sentence.filters["product"] = name
    return reference.split(
        pieces, known.pattern, lambda found: Item(Kind.FILTER, found["name"]) if known.read(found) else None
    )


def _is_all(pieces: list[Piece], name: str) -> bool:
    """Tell whether the question is the product's name and nothing else, so that it may as well be a word."""
    return [piece.strip(" ?.!") if isinstance(piece, str) else "?" for piece in pieces if piece] == [
        name
    ] or (len(pieces) == 1 and isinstance(pieces[0], str) and fold(pieces[0].strip(" ?.!")) == fold(name))


def _read_words(sentence: Sentence, text: str, *, japanese_text: bool, shouting: bool) -> None:
    for part in _PAUSES.split(text):
        if _PAUSES.fullmatch(part):
            sentence.items.append(Item(Kind.COMMA, part))
            continue
        run: list[str] = []
        language = ""
        for word in part.split():
            now = language_of_word(word, japanese_text=japanese_text)
            if now != language:
                _read_run(sentence, language, run, shouting=shouting)
                run, language = [], now
            run.append(word)
        _read_run(sentence, language, run, shouting=shouting)


def _read_run(sentence: Sentence, language: str, words: list[str], *, shouting: bool) -> None:
    items = sentence.items
    if language == "ko":
        from crawler.query.natural import korean  # with its patterns, for those who write so

        items += korean.read_words(words)
    elif language == "ja":
        from crawler.query.natural import japanese  # likewise

        for chunk in words:
            items += japanese.read_chunk(chunk, begun=any(item.kind is Kind.TERM for item in items))
    elif words:
        begun = any(item.kind is Kind.TERM for item in items)
        items += english.read_words(words, begun=begun, shouting=shouting)


def _settle(sentence: Sentence) -> None:
    """Decide what could not be decided word by word."""
    items = sentence.items
    followed = False
    for at in range(len(items) - 1, -1, -1):
        item = items[at]
        if item.kind is not Kind.TERM:
            continue
        if not item.phrase and not says_something(item.text):
            items[at] = left_out(item.text)
        elif item.dropped:
            items[at] = term(item.text) if followed else left_out(item.text)
            followed = True
        else:
            followed = True
            if not item.phrase and not item.number and _NUMBER.fullmatch(item.text):
                items[at] = _number(sentence, at)


def _number(sentence: Sentence, at: int) -> Item:
    """Tell an issue's number from the number of a port, a signal or a version."""
    item = sentence.items[at]
    before = next(
        (one for one in reversed(sentence.items[:at]) if one.kind in (Kind.TERM, Kind.FILTER)), None
    )
    name = fold(before.text) if before else ""
    is_code = any(lexicon(language).has("codes", name) for language in ("en", "ko", "ja"))
    if is_code or (before is not None and before.kind is Kind.FILTER and len(item.text) < 4):
        sentence.guesses.append(f"{item.text} is taken for a part of the text, not for an issue's number.")
        sentence.sure -= 0.05
        return replace(item, phrase=True)
    return replace(item, number=True)
