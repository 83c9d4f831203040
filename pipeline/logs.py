"""Log lines: structured, on standard error, with the session's id in each and no secret in any."""

from __future__ import annotations

import html
import json
import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pipeline.printable import escaped_unseen, without_unseen

if TYPE_CHECKING:
    from db.log_library import structlog
    from pipeline.settings import LogFormat

REDACTED = "[secret]"
_SECRET_NAMES = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|api_?key|authorization|cookie", re.IGNORECASE
)
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_ENCODINGS = ("utf-8", "cp949", "euc_jp", "shift_jis", "latin-1")  # of the pages that answer with an address
_known_secrets: dict[str, re.Pattern[str]] = {}


def keep_secret(value: str | None) -> None:
    """Never let this text appear in what this process says or stores of an error, however it is encoded.

    Very short texts are left alone.
    """
    if value and len(value) >= 4:
        _known_secrets.setdefault(value, _in_any_encoding(value))


def redact(text: str) -> str:
    """Take known secrets and the user part of addresses out of a text."""
    for secret in sorted(_known_secrets, key=len, reverse=True):  # one may be a part of another
        text = _known_secrets[secret].sub(REDACTED, text)
    return _USERINFO.sub("", text)


def told(error: BaseException) -> str:
    """An error's sentence as it may be stored and shown: what a tracker answered may be part of it."""
    return redact(str(error))


def _in_any_encoding(secret: str) -> re.Pattern[str]:
    """A pattern for a text as it is, in an address (encoded any number of times), in HTML and in JSON."""
    return re.compile("".join(map(_character, secret)))


def _character(character: str) -> str:
    forms = {re.escape(character), rf"(?i:&\#x0*{ord(character):x};)", rf"&\#0*{ord(character)};"}
    forms |= {re.escape(entity) for entity in (html.escape(character), json.dumps(character)[1:-1])}
    if character == " ":
        forms |= {r"\+", "(?i:%(?:25)*2b)"}
    for encoding in _ENCODINGS:
        with suppress(UnicodeEncodeError):
            octets = character.encode(encoding)
            forms.add("(?i:" + "".join(rf"%(?:25)*{octet:02x}" for octet in octets) + ")")
    return f"(?:{'|'.join(sorted(forms, key=len, reverse=True))})"


def _redact_event(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if _SECRET_NAMES.search(key):
            event[key] = REDACTED
        elif isinstance(value, str):
            event[key] = redact(value)
        elif isinstance(value, BaseException):
            event[key] = redact(str(value))
    return event


def _printable(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # A log line is read on a terminal: what a tracker said must not steer it.
    for key, value in event.items():
        if isinstance(value, str):
            seen = without_unseen(value)
            event[key] = "".join(c if c.isprintable() else " " for c in seen)
    return event


def _json(event: object, **options: Any) -> str:
    return escaped_unseen(json.dumps(event, ensure_ascii=False, **options))


def configure(log: LogFormat, *, level: int = logging.INFO) -> None:
    """Set logging up for this process."""
    from db.log_library import structlog  # large, and what only asks has nothing to log

    renderer: structlog.typing.Processor
    if log == "json":
        renderer = structlog.processors.JSONRenderer(_json)
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _redact_event,
            *([] if log == "json" else [_printable]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Asked for at each line: a progress display, or a test, stands in for standard error for a while.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    keep_libraries_quiet()


def keep_libraries_quiet() -> None:
    """Let libraries that log through the standard module say nothing: a user should not read it."""
    logging.getLogger().addHandler(logging.NullHandler())
