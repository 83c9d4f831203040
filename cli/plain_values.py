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
        if not _is_plain(param, value):
            return checked(ctx, value)
        same = list(value) if isinstance(value, tuple) else value
        return same if param.callback is None else param.callback(ctx, param, same)

    return process


def _is_plain(param: Any, value: Any) -> bool:
    """Tell whether a check would give the very same value back."""
    annotation = param.type_descriptor.annotation
    is_many = param.multiple or param.nargs != 1
    if value is None:
        return not (is_many or param.required)
    if annotation is str and not is_many:
        return isinstance(value, str)
    if annotation == list[str] and is_many:
        return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, str) for one in value)
    return annotation in (int, float) and type(value) is annotation and value == param.default
