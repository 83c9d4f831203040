"""The options of a kind of tracker, as people write them: ``NAME=VALUE``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from crawler.errors import UsageError
from crawler.http.secret_names import has_secret, is_secret
from crawler.records import Json
from crawler.source import Kind, Option

TRUE, FALSE = ("yes", "true", "on", "1"), ("no", "false", "off", "0")
_LONGEST = 2000  # characters of a text
_ACCOUNT = re.compile(r"//[^/?#]*@")  # a name and a password in an address


def type_of(option: Option) -> str:
    """The type of an option by its default: ``bool``, ``int`` or ``str``."""
    return "str" if option.default is None else type(option.default).__name__


def changed(kind: Kind, stored: Mapping[str, Json], given: Iterable[str]) -> dict[str, Json]:
    """Return a connection's options after some were given.

    Args:
        kind: declares them.
        stored: what was set before.
        given: ``NAME=VALUE`` each; an empty value sets the option back to its default.

    Raises:
        UsageError: the kind has no such option, or it cannot have the value.
    """
    declared = {option.name: option for option in kind.features.options}
    options = dict(stored)
    for each in given:
        name, equals, value = each.partition("=")
        name, value = name.strip(), value.strip()
        if name not in declared:
            raise UsageError(_unknown(kind, name))
        if not equals:
            raise UsageError(f"Give the option {name} its value: --option {name}=VALUE.")
        options.pop(name, None)
        if value:
            options[name] = _converted(declared[name], value)
    return options


def _converted(option: Option, value: str) -> Json:
    name = option.name
    if isinstance(option.default, bool):
        if (word := value.lower()) not in (*TRUE, *FALSE):
            raise UsageError(f"The option {name} is yes or no, not {value!r}.")
        return word in TRUE
    if isinstance(option.default, int):
        return _number(option, value)
    if len(value) > _LONGEST or not value.isprintable():
        raise UsageError(f"The option {name} is up to {_LONGEST} printable characters.")
    if is_secret(name, "") or has_secret(value) or _ACCOUNT.search(value):
        raise UsageError(
            f"The option {name} must not hold a secret, for others may read it: give that as the password."
        )
    return value


def _number(option: Option, value: str) -> int:
    if re.fullmatch(r"-?[0-9]{1,18}", value):
        number = int(value)
        low = option.least is not None and number < option.least
        high = option.most is not None and number > option.most
        if not low and not high:
            return number
    least = "" if option.least is None else f" from {option.least}"
    most = "" if option.most is None else f" up to {option.most}"
    raise UsageError(f"The option {option.name} is a whole number{least}{most}, not {value[:80]!r}.")


def _unknown(kind: Kind, name: str) -> str:
    names = sorted(option.name for option in kind.features.options)
    if not names:
        return f"A tracker of the kind {kind.name} has no options."
    near = get_close_matches(name, names, n=3) or names
    wanted = f"no option {name[:80]!r}" if name else "no option without a name"
    return f"A tracker of the kind {kind.name} has {wanted}: did you mean {' or '.join(near)}?"
