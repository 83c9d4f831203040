"""Values that are already what they should be: what checks them takes longer to load than many a command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def check_the_rest(command: Any, ctx: Any) -> None:
    """Let a command take plain values as they are; its parameters check all others as before."""
    for param in command.get_params(ctx):
        if param.type_descriptor.parameter_info.parser is None:  # which may make anything of a value
            param.process_value = _process(param, param.process_value)


def _process(param: Any, checked: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def process(ctx: Any, value: Any) -> Any:
        if _is_number(param, value):
            same = int(value)
        elif _is_plain(param, value):
            same = _same(param, value)
        else:
            return checked(ctx, value)
        return same if param.callback is None else param.callback(ctx, param, same)

    return process


def _same(param: Any, value: Any) -> Any:
    """The value in the form in which a check gives it back."""
    if value is None and (param.multiple or param.nargs != 1):
        return ()
    return list(value) if isinstance(value, tuple) else value


def _is_plain(param: Any, value: Any) -> bool:
    """Tell whether a check would change nothing in a value but its form."""
    annotation = param.type_descriptor.annotation
    is_many = param.multiple or param.nargs != 1
    if value is None:
        return not param.required and (not is_many or param.default is None)
    if annotation is str and not is_many:
        return isinstance(value, str)
    if annotation == list[str] and is_many:
        return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, str) for one in value)
    return annotation in (int, float) and type(value) is annotation and value == param.default


def _is_number(param: Any, value: Any) -> bool:
    """Tell whether a check would make a whole number of a text, as anybody writes one."""
    if param.type_descriptor.annotation is not int or param.multiple or param.nargs != 1:
        return False
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10):
        return False
    info = param.type_descriptor.parameter_info
    return (info.min is None or info.min <= int(value)) and (info.max is None or int(value) <= info.max)
