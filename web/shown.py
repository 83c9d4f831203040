"""Pages from templates: whatever a tracker wrote, it stays text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from crawler.http.web_address import is_web_address
from db.sanitize import storable_text
from pipeline.printable import without_unseen
from pipeline.search.timeline import plain_json
from web.door import LANGUAGE_COOKIE
from web.words import LANGUAGES, wanted_language, words_of

_MARK = re.compile("<mark>((?:(?!<mark>|</mark>).)*+)</mark>", re.DOTALL)
_ADDRESS = re.compile(r"https?://[^\s<>\"'`，。、）)\]}]{1,2000}")
_END = re.compile("</(?:section|form)>")
_YEAR = 365 * 24 * 3600


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """Render a template.

    Args:
        request: whom it answers.
        template: a file of ``templates``.
        status: of the answer.
        values: what the template shows.
    """
    text = _environment().get_template(template).render(**_around(request), **values)
    return _answer(request, HTMLResponse(text, status))


def pieces(request: Request, template: str, **values: Any) -> Iterator[str]:
    """Render a template section by section: what is on its way is waited for where it is shown."""
    waiting: list[str] = []
    for piece in _environment().get_template(template).generate(**_around(request), **values):
        waiting.append(piece)
        if _END.search(piece):
            yield "".join(waiting)
            waiting.clear()
    yield "".join(waiting)


def streamed(request: Request, text: Iterator[str]) -> Response:
    """A page that is sent as it comes."""
    return _answer(request, StreamingResponse(text, media_type="text/html"))


def _around(request: Request) -> dict[str, Any]:
    """What every template knows of whom it answers."""
    language = language_of(request)
    return {
        "language": language,
        "languages": LANGUAGES,
        "words": words_of(language),
        "visitor": request.state.visitor,
        "door": request.state.door,
        "here": request.url.path,
        "same_page": lambda name, value: _changed(request, name, value),
        "asset": _asset,
    }


def _answer(request: Request, answer: Response) -> Response:
    """The answer, with the language remembered that was asked for."""
    wanted = request.query_params.get("lang")
    answer.headers["Vary"] = "Accept-Language, Cookie"
    if wanted in LANGUAGES:
        answer.set_cookie(
            LANGUAGE_COOKIE,
            wanted,
            max_age=_YEAR,
            path="/",
            secure=request.state.door.is_secure,
            httponly=True,
            samesite="lax",
        )
    return answer


def rendered(template: str, language: str, *, root: str, **values: Any) -> str:
    """Render a template as a file of an archive.

    Args:
        template: a file of ``templates``.
        language: one of LANGUAGES.
        root: leads from the file to the archive's own folder: empty, or ``../`` so many times.
        values: what the template shows.
    """
    return (
        _environment()
        .get_template(template)
        .render(
            language=language,
            words=words_of(language),
            root=root,
            asset=lambda name: f"{root}site/{name}",
            **values,
        )
    )


def failure(request: Request, status: int, word: str, sentence: str | None = None) -> Response:
    """A page with one sentence that says what to do.

    Args:
        request: whom it answers.
        status: of the answer.
        word: which of our sentences; with a sentence of the program's own, its heading.
        sentence: the program's own, as it says it in the shell.
    """
    words = words_of(language_of(request))
    return page(request, "failure.html", status=status, sentence=sentence or words[f"failure_{word}"])


def language_of(request: Request) -> str:
    """The language that somebody reads."""
    return wanted_language(
        request.query_params.get("lang"),
        request.cookies.get(LANGUAGE_COOKIE),
        request.headers.get("accept-language", ""),
    )


def asked(request: Request) -> dict[str, str]:
    """What an address asks for, as texts that can be stored and looked for."""
    return {name: storable_text(value) for name, value in request.query_params.items()}


def link(path: str, values: Mapping[str, object]) -> str:
    """An address of ours; what is None or empty is left out."""
    given = {name: _storable(str(value)) for name, value in values.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(given)}" if given else path


def clean(text: object) -> str:
    """A tracker's text without what nobody sees; lone surrogates become question marks."""
    return _storable(without_unseen("" if text is None else str(text)))


def marked(snippet: str) -> Markup:
    """A snippet with its hits marked; everything else in it is text."""
    parts, position = [], 0
    text = clean(snippet)
    for hit in _MARK.finditer(text):
        parts += [escape(text[position : hit.start()]), Markup("<mark>{}</mark>").format(hit[1])]
        position = hit.end()
    return Markup("").join([*parts, escape(text[position:])])


def linked(text: object) -> Markup:
    """A text with its addresses as links, to the web and nowhere else."""
    parts, position = [], 0
    whole = clean(text)
    for found in _ADDRESS.finditer(whole):
        address = found[0].rstrip(".,;:!?")
        if not is_web_address(address):
            continue
        parts.append(escape(whole[position : found.start()]))
        parts.append(Markup('<a href="{0}" rel="noreferrer noopener nofollow">{0}</a>').format(address))
        position = found.start() + len(address)
    return Markup("").join([*parts, escape(whole[position:])])


def moment(value: datetime | None, form: str = "%Y-%m-%d %H:%M") -> Markup:
    """A time in UTC, for people and for programs."""
    if value is None:
        return Markup("")
    told = value.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        told.strftime("%Y-%m-%dT%H:%M:%SZ"), told.strftime(form)
    )


def size(value: int | None) -> str:
    """A number of bytes as people read it."""
    if value is None:
        return ""
    number = float(value)
    for unit in ("B", "KB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 10 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} GB"


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _changed(request: Request, name: str, value: object) -> str:
    """This page's address with one value changed."""
    given = {**dict(request.query_params), name: value}
    return link(request.url.path, given)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        clean=clean,
        marked=marked,
        linked=linked,
        moment=moment,
        size=size,
        value=plain_json,
        web_address=is_web_address,
    )
    environment.globals.update(link=link, root=None)
    return environment


@cache
def asset_bytes(name: str) -> bytes | None:
    """A file that the page brings along; None: there is none of that name."""
    found = files(__package__) / "static" / name
    return found.read_bytes() if name in ("style.css", "keys.js", "site.js", "icon.svg") else None


@cache
def _asset(name: str) -> str:
    body = asset_bytes(name)
    if body is None:
        raise AssertionError(name)
    return f"/static/{name}?v={hashlib.sha256(body).hexdigest()[:12]}"
