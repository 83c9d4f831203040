"""What can be set: each setting with its variable, its default and its help in one place.

A flag wins over a variable, a variable over a line of a ``.env`` file in the current folder. Where the data
lives, which database and which user are the database's own settings (:mod:`db.settings`); the rest is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from crawler.errors import UsageError
from crawler.limits import LARGEST_ANSWER, LARGEST_PAGE
from pipeline.sessions.ceiling import USUAL, Ceiling

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

LogFormat = Literal["console", "json"]
_LLM_MODEL = "llama3.2"
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The settings of one run beside the database's."""

    log: LogFormat = "console"  # IMS_LOG: how log lines look on standard error
    tracker_username: str | None = None  # IMS_TRACKER_USERNAME: for --kind/--url
    tracker_password: str | None = field(default=None, repr=False)  # IMS_TRACKER_PASSWORD: never a flag
    # HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY: for trackers without a proxy of their own
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy_password: str | None = field(default=None, repr=False)  # IMS_PROXY_PASSWORD: never a flag
    secret_key: str | None = field(default=None, repr=False)  # IMS_SECRET_KEY: encrypts stored passwords
    # IMS_ALLOW_NETWORKS: of our own, where a worker may go for webhooks and for other users' trackers
    allow_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    largest_answer: int = LARGEST_ANSWER  # IMS_MAX_FILE: bytes of a tracker's answer, files included
    ceiling: Ceiling = USUAL  # IMS_MAX_ISSUES, IMS_MAX_BYTES: the most that one session may bring
    llm_url: str | None = None  # IMS_LLM_URL: a language model to ask where the rules are not sure; up to /v1
    llm_model: str = _LLM_MODEL  # IMS_LLM_MODEL
    llm_key: str | None = field(default=None, repr=False)  # IMS_LLM_KEY


def read_settings(env: Mapping[str, str]) -> Settings:
    """Read the settings from the variables; :func:`db.settings.environment` has ``.env`` merged into them.

    Raises:
        UsageError: IMS_LOG is neither ``console`` nor ``json``, or IMS_ALLOW_NETWORKS names no networks,
            or a number is none.
    """
    log = env.get("IMS_LOG") or "console"
    if log not in ("console", "json"):
        raise UsageError(f"IMS_LOG is {log!r}: set it to console or json.")
    return Settings(
        log="json" if log == "json" else "console",
        tracker_username=env.get("IMS_TRACKER_USERNAME") or None,
        tracker_password=env.get("IMS_TRACKER_PASSWORD") or None,
        proxies={name: value for name, value in env.items() if name.lower() in _PROXIES},
        proxy_password=env.get("IMS_PROXY_PASSWORD") or None,
        secret_key=env.get("IMS_SECRET_KEY") or None,
        allow_networks=_networks(env.get("IMS_ALLOW_NETWORKS", "").replace(",", " ").split()),
        largest_answer=_number(env, "IMS_MAX_FILE", LARGEST_ANSWER, most=LARGEST_PAGE),
        ceiling=Ceiling(
            issues=_number(env, "IMS_MAX_ISSUES", USUAL.issues),
            bytes=_number(env, "IMS_MAX_BYTES", USUAL.bytes),
        ),
        llm_url=env.get("IMS_LLM_URL") or None,
        llm_model=env.get("IMS_LLM_MODEL") or _LLM_MODEL,
        llm_key=env.get("IMS_LLM_KEY") or None,
    )


def _networks(named: list[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    if not named:
        return ()
    from crawler.http.reach import networks  # with the HTTP library, which a question does not need

    return networks(named)


def _number(env: Mapping[str, str], name: str, default: int, *, most: int = 10**18) -> int:
    text = (env.get(name) or str(default)).strip()
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 19 and int(text) > 0):
        raise UsageError(f"{name} is {text[:50]!r}: set it to a number above 0.")
    if int(text) > most:
        raise UsageError(f"{name} is {text}: set it to {most:,} or less.")
    return int(text)
