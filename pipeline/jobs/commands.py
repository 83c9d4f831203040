"""Commands that a worker runs when there is news, named in ``notify.toml`` of its own data folder.

::

    desk = ["/usr/local/bin/tell", "--urgent"]

A schedule only picks a name. What is run on a machine is decided on that machine, and not by whoever can
write a row of the database. No shell reads the words.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from crawler.errors import UsageError
from db.errors import DataFolderForbidden
from db.files import read_own

COMMANDS_FILE = "notify.toml"
Commands: TypeAlias = Mapping[str, list[str]]  # the program and its arguments, by the command's name

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def read_commands(home: Path) -> Commands:
    """Read the commands that schedules may name.

    Args:
        home: the data folder; without the file in it there are none.

    Raises:
        UsageError: the file is not what it should be, somebody else may write it, or a program is missing.
    """
    path = home / COMMANDS_FILE
    try:
        commands = tomllib.loads(read_own(path).decode())
    except FileNotFoundError:
        return {}
    except DataFolderForbidden as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(
            f'{path} is not in TOML: a line is such as desk = ["/usr/bin/tell", "now"].'
        ) from error
    for name, words in commands.items():
        check_name(name)
        if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
            raise UsageError(
                f'{path}: {name} must be a list of words, the program first, as in ["/usr/bin/tell", "now"]: '
                "no shell reads it."
            )
        if shutil.which(words[0]) is None:
            raise UsageError(f"{path}: the program of {name}, {words[0]}, is not there or cannot be run.")
    return commands


def check_name(name: str) -> None:
    """See that a text can be a command's name.

    Raises:
        UsageError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            "--notify takes the name of a command, no command line (no shell reads it): the worker's own "
            f"{COMMANDS_FILE}, in its data folder, says what the name runs."
        )
