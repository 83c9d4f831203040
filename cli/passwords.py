"""Passwords: asked for without an echo, or read from standard input; never an argument."""

from __future__ import annotations

import sys
from getpass import getpass

from crawler.errors import UsageError

LONGEST = 4096


def read_password(prompt: str, *, from_stdin: bool) -> str | None:
    """A password from standard input's first line, or from a prompt; None where nobody can be asked.

    Raises:
        UsageError: standard input is empty.
    """
    if from_stdin:
        password = sys.stdin.readline(LONGEST).rstrip("\r\n")
        if not password:
            raise UsageError("Standard input has no password in its first line.")
        return password
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return getpass(prompt, stream=sys.stderr) or None
