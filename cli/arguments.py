"""Arguments and options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

SessionId = Annotated[str, typer.Argument(help="the session's id or its first digits, as sessions shows it")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document")]
