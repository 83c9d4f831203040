"""The options that tell which of the stored issues are wanted, the same for every search."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, TypeAlias, get_type_hints

import typer

from cli.arguments import places, products, trackers


class State(StrEnum):
    """What a tracker's own status comes to."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    UNKNOWN = "unknown"


class Sort(StrEnum):
    """What hits are ordered by."""

    RANK = "rank"
    UPDATED = "updated"
    CREATED = "created"


Given: TypeAlias = dict[str, str]  # options as they were typed, by name

_OPTIONS: dict[str, Any] = {
    "product": Annotated[
        str | None, typer.Option(help="only this product, or products that begin so", autocompletion=products)
    ],
    "status": Annotated[str | None, typer.Option(help="open, closed, or the tracker's own word")],
    "state": Annotated[
        State | None, typer.Option(help="where the issue stands, whatever its tracker calls it")
    ],
    "priority": Annotated[str | None, typer.Option(help="the tracker's own word")],
    "module": Annotated[str | None, typer.Option(help="the tracker's own word")],
    "reporter": Annotated[str | None, typer.Option(help="the reporter's name contains this")],
    "owner": Annotated[str | None, typer.Option(help="the owner's name contains this")],
    "tracker": Annotated[
        str | None, typer.Option(help="only from this tracker, by its name", autocompletion=trackers)
    ],
    "created": Annotated[
        str | None,
        typer.Option(
            metavar="A..B", help="registered from A to B: 2026-01-01..2026-01-31, yesterday, 7d (UTC)"
        ),
    ],
    "updated": Annotated[
        str | None, typer.Option(metavar="A..B", help="changed from A to B; A.. and ..B leave one end open")
    ],
    "since": Annotated[
        str | None, typer.Option(metavar="A", help="changed at or after A; the same as --updated A..")
    ],
    "until": Annotated[
        str | None, typer.Option(metavar="B", help="changed before the end of B; the same as --updated ..B")
    ],
    "has_attachment": Annotated[bool, typer.Option("--has-attachment", help="only with an attached file")],
    "places": Annotated[
        str | None,
        typer.Option(
            "--in",
            metavar="PLACES",
            help="look only in title, description, comments or attachments: title,comments",
            autocompletion=places,
        ),
    ],
    "sort": Annotated[
        Sort | None,
        typer.Option(help="best hits first (rank, the default), or the newest by change or creation"),
    ],
}


def with_filters(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options above; it gets what was typed as ``filters``, texts by name."""

    @wraps(command)
    def called(**values: Any) -> None:
        typed = {name: values.pop(name) for name in _OPTIONS}
        filters: Given = {
            name: "yes" if value is True else str(value) for name, value in typed.items() if value
        }
        command(**values, filters=filters)

    hints = get_type_hints(command, include_extras=True)
    parameters = {
        name: one.replace(annotation=hints[name])
        for name, one in signature(command).parameters.items()
        if name != "filters"
    }
    for name, annotation in _OPTIONS.items():
        default = False if name == "has_attachment" else None
        parameters[name] = Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
    ordered = sorted(parameters.values(), key=lambda one: one.kind)
    called.__signature__ = Signature(ordered)  # type: ignore[attr-defined]
    called.__annotations__ = {name: one.annotation for name, one in parameters.items()}
    return called
