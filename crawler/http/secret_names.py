"""Which parameters of an address have a secret for a value, told by their names.

A name is decoded and split into its words (``x-functions-key``, ``AWSAccessKeyId``), in time that grows with
its length only: names come from trackers.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote_plus

_DECODINGS = 5  # as often as an address is encoded within another one, at most
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# Anywhere in a word, for names are also written in one: PRIVATETOKEN, sessionid, mypassword.
_PARTS = (
    "token", "passw", "passphrase", "passcode", "pwd", "secret", "apikey", "accesskey", "privatekey",
    "session", "sessid", "signature", "credential", "saml", "cookie", "jwt", "bearer", "csrf", "xsrf",
)  # fmt: skip
_WORDS = frozenset({"authorization", "pass", "otp", "totp", "pin", "sid", "sig", "access"})
# Secrets of a login when they stand alone; else numbers of products, projects and tickets.
_ALONE = frozenset({"code", "ticket", "assertion"})
# Keys that tell rows apart, and open nothing.
_HARMLESS_KEYS = frozenset({
    "issue", "project", "parent", "sort", "search", "group", "order", "field", "primary", "foreign", "epic",
})  # fmt: skip


def is_secret(name: str, value: str) -> bool:
    """Tell whether a parameter's value is nothing to be shown.

    Args:
        name: as it stands in the address.
        value: likewise; it may be an address with parameters of its own.
    """
    match _told_by(name):
        case "secret":
            return True
        case "number or secret":
            return not value.isdigit()  # the number of a ticket
        case "no secret":
            return False
    return not value.isalnum() and "=" in (inner := _decoded(value)) and has_secret(inner)


@lru_cache(maxsize=256)
def _told_by(name: str) -> str:
    """What a parameter's name alone tells; a tracker's addresses have the same few names all day."""
    words = [word.lower() for word in _WORD.findall(_decoded(name))]
    joined = "".join(words)
    if any(part in joined for part in _PARTS) or "auth" in joined.replace("author", ""):
        return "secret"
    if not _WORDS.isdisjoint(words):
        return "secret"
    if len(words) == 1 and words[0] in _ALONE:
        return "number or secret"
    if "key" in words:
        return "secret" if _HARMLESS_KEYS.isdisjoint(words) else "no secret"
    return "nothing"


def has_secret(text: str) -> bool:
    """Tell whether one of the parameters in a text is a secret; those within parameters are decoded."""
    pairs = (part.partition("=") for part in re.split("[?&;#]", text))
    return any(equals and is_secret(name.rpartition("/")[2], "") for name, equals, _ in pairs)


def _decoded(text: str) -> str:
    for _ in range(_DECODINGS):
        decoded = unquote_plus(text, errors="replace")
        if decoded == text:
            break
        text = decoded
    return unicodedata.normalize("NFKC", text)
