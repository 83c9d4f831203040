"""A long text, page by page on a terminal."""

from __future__ import annotations

import os
import pydoc
import sys
from collections.abc import Iterable

from cli.children import secrets_put_away
from cli.output import say


def show_lines(lines: Iterable[str]) -> None:
    """Print lines: through PAGER or ``less`` on a terminal, plainly where the output goes elsewhere."""
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        for line in lines:
            say(line)
        return
    # Read before anything is put away: it may come from the database.
    text = "".join(f"{line}\n" for line in lines)
    # Quit at once where it fits the screen; let colours pass; leave the text on the screen.
    os.environ.setdefault("LESS", "-FRX")
    with secrets_put_away():
        pydoc.pager(text)
