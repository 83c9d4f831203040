"""Where a file's bytes are: only the page's own script function `downloadFileNew` knows.

The function is not run. Its statements are read for the few forms in which scripts of such pages build an
address: variables and literals put together with `+`, then given to `location`, `window.open`, a frame's
`src`, or a form's `action` with its fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote, urljoin, urlsplit

from msgspec import Struct

_FUNCTION = re.compile(
    r"function\s+downloadFileNew\s*\(([^()]*)\)\s*\{|downloadFileNew\s*=\s*function\s*\w*\s*\(([^()]*)\)\s*\{"
)
_LITERAL = re.compile(r"\s*=\s*(\"[^\"\n]{0,200}\"|'[^'\n]{0,200}')\s*[;,]")
_TERM = r"(?:\"[^\"\n]*\"|'[^'\n]*'|[\w.$]+(?:\(\s*[\w.$]*\s*\))?)"
_EXPRESSION = rf"({_TERM}(?:\s*\+\s*{_TERM})*)"
_STATEMENT = re.compile(
    rf"\b(?P<field>\w++)['\"]?\s*+(?:\]\s*+)?\.value\s*=\s*{_EXPRESSION}"
    rf"|(?P<target>(?:\blocation(?:\.href)?|\.action|\.src)\s*=)\s*{_EXPRESSION}"
    rf"|(?P<call>\b(?:open|replace|assign)\s*\()\s*{_EXPRESSION}"
    rf"|\b(?P<name>\w++)\s*(?P<add>\+?)=(?!=)\s*{_EXPRESSION}"
)
_ONE_TERM = re.compile(_TERM)
_BRACE = re.compile("[{}]")
_LONGEST_BODY = 2000
_ID, _KIND = "~id~", "~kind~"  # stand for the two arguments while an address is put together


class Download:
    """Makes the addresses of one page's files.

    Args:
        html: the page with its scripts.
        page_url: its own absolute address.
        template: an address with `{id}` and `{kind}`, relative to the page's or absolute, in place of what
            the page says.
    """

    def __init__(self, html: str, page_url: str, template: str | None = None) -> None:
        self._page_url = page_url
        self._html = html
        self._template = template

    def address(self, number: str, kind: str) -> str | None:
        """The absolute address of a file; None where the page does not tell, or tells of another server."""
        template = self._found()
        if template is None:
            return None
        path = template.replace("{id}", quote(number, safe="")).replace("{kind}", quote(kind, safe=""))
        try:
            url = urljoin(self._page_url, path)
            there, here = urlsplit(url), urlsplit(self._page_url)
        except ValueError:
            return None
        return url if (there.scheme, there.netloc) == (here.scheme, here.netloc) else None

    def _found(self) -> str | None:
        if self._template is None:
            self._template = template_in(self._html) or ""
        return self._template or None


def template_in(html: str) -> str | None:
    """The address that `downloadFileNew` builds, with `{id}` and `{kind}` for its arguments.

    Args:
        html: the page with its scripts.
    """
    named = html.find("function downloadFileNew")
    function = _FUNCTION.search(html, max(named, 0))
    if function is None:
        return None
    body = _body(html[function.end() : function.end() + _LONGEST_BODY])
    names = [name.strip() for name in (function[1] or function[2] or "").split(",")]
    values: dict[str, str | None] = dict(zip(names, (_ID, _KIND), strict=False))
    return _template(body, values, html)


def _global(html: str, name: str) -> str | None:
    place = html.find(f"var {name}")
    match = _LITERAL.match(html, place + 4 + len(name)) if place >= 0 else None
    return match[1][1:-1] if match else None


def _body(text: str) -> str:
    depth = 1
    for brace in _BRACE.finditer(text):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return text[: brace.start()]
    return text


class _Statement(Struct, frozen=True):
    terms: tuple[str, ...]
    field: str | None  # of a form, that it fills
    name: str | None  # of the variable that it sets
    adds: bool


@lru_cache(maxsize=8)  # the pages of a tracker have one and the same function
def _statements(body: str) -> tuple[_Statement, ...]:
    return tuple(
        _Statement(
            terms=tuple(_ONE_TERM.findall(found[2] or found[4] or found[6] or found[9])),
            field=found["field"],
            name=found["name"],
            adds=bool(found["add"]),
        )
        for found in _STATEMENT.finditer(body)
    )


def _template(body: str, values: dict[str, str | None], html: str) -> str | None:
    fields: dict[str, str] = {}
    address: str | None = None
    for statement in _statements(body):
        value = _evaluate(statement.terms, values, html)
        if statement.field:
            if value is not None:
                fields[statement.field] = value
        elif statement.name:
            before = values.get(statement.name) if statement.adds else ""
            values[statement.name] = None if value is None or before is None else before + value
        else:
            address = value if value is not None else address
    if not address:
        return None
    if fields:
        query = "&".join(f"{quote(name)}={quote(value, safe=_ID + _KIND)}" for name, value in fields.items())
        address += ("&" if "?" in address else "?") + query
    return address.replace("{", "%7B").replace("}", "%7D").replace(_ID, "{id}").replace(_KIND, "{kind}")


def _evaluate(terms: Sequence[str], values: Mapping[str, str | None], html: str) -> str | None:
    parts = []
    for term in terms:
        if term[0] in "\"'":
            parts.append(term[1:-1])
            continue
        name = term.rstrip(")").rpartition("(")[2].strip() if term.endswith(")") else term
        value = values[name] if name in values else _global(html, name)
        if value is None:
            return None
        parts.append(value)
    return "".join(parts)
