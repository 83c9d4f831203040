"""Standard output and standard error, whatever they are connected to."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO


class OutputLost(Exception):
    """Standard output takes nothing any more."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(
            f"Standard output cannot be written: {reason.strerror}. Free some space, or write elsewhere."
        )
        self.is_closed_pipe = isinstance(reason, BrokenPipeError)


class _Results(io.TextIOWrapper):
    """Standard output: what cannot be written is told apart from every other fault of input and output."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as error:
            raise OutputLost(error) from error

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise OutputLost(error) from error


class _Messages(io.TextIOWrapper):
    """Standard error: a message that nobody can read must not stop the work."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            give_up(2)


def prepare() -> None:
    """Make both streams safe to write to: closed ones lead nowhere, and any character can be printed."""
    for descriptor in range(3):
        _open(descriptor)
    sys.stdout = _wrapped(sys.stdout, _Results, 1)
    sys.stderr = _wrapped(sys.stderr, _Messages, 2)


def give_up(descriptor: int) -> None:
    """Let a standard stream lead nowhere, so that nothing is said about it when the interpreter ends."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _open(descriptor: int) -> None:
    # Else the next file or connection gets the number, and whoever prints an error writes into it.
    try:
        os.fstat(descriptor)
    except OSError:
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != descriptor:
            os.dup2(nowhere, descriptor)
            os.close(nowhere)


def _wrapped(stream: TextIO | None, kind: type[io.TextIOWrapper], descriptor: int) -> TextIO:
    if isinstance(stream, io.TextIOWrapper):
        encoding, by_line = stream.encoding, stream.line_buffering or descriptor == 2
        at_once = stream.write_through
        binary = stream.detach()
    else:
        encoding, by_line, at_once = "utf-8", False, False
        binary = os.fdopen(descriptor, "wb", closefd=False)
    return kind(binary, encoding=encoding, errors="replace", line_buffering=by_line, write_through=at_once)
