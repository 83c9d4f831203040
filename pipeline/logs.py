"""Log lines: structured, on standard error, with the session's id in each and no secret in any."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from pipeline.settings import LogFormat

REDACTED = "[secret]"
_SECRET_NAMES = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|api_?key|authorization|cookie", re.IGNORECASE
)
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_known_secrets: set[str] = set()


def keep_secret(value: str | None) -> None:
    """Never let this text appear in a log line of this process. Very short texts are left alone."""
    if value and len(value) >= 4:
        _known_secrets.add(value)


def redact(text: str) -> str:
    """Take known secrets and the user part of addresses out of a text."""
    for secret in sorted(_known_secrets, key=len, reverse=True):  # one may be a part of another
        text = text.replace(secret, REDACTED)
    return _USERINFO.sub("", text)


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
        if isinstance(value, str) and not value.isprintable():
            event[key] = "".join(c if c.isprintable() else " " for c in value)
    return event


def configure(log: LogFormat, *, level: int = logging.INFO) -> None:
    """Set logging up for this process."""
    renderer: structlog.typing.Processor
    if log == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
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
    # Libraries that log through the standard module have nothing to say that a user should read.
    logging.getLogger().addHandler(logging.NullHandler())
