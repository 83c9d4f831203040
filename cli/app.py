"""The commands put together, and the one place where an error becomes a sentence and an exit status.

0    all well
1    a defect
2    wrong usage: an option, a query, a name
3    login refused or not permitted
4    finished, but some issues failed
5    tracker or database unreachable, or not what it should be
130  interrupted; can be resumed
"""

from __future__ import annotations

import gc
import signal
import sys
from typing import Annotated, Any

import typer

from cli.commands import Root
from cli.examples import EXAMPLES
from cli.output import complain, say
from cli.streams import OutputLost, give_up, prepare

app = typer.Typer(
    name="ims-crawl",
    help="Copy issues from a tracker into PostgreSQL, and search, watch and report on them there.",
    epilog="\n".join(["\b", "Examples:", *(f"  ims-crawl {line}" for line in EXAMPLES[""])]),
    cls=Root,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(f"ims-crawl {version('ims-crawler')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="show the version and exit"),
    ] = False,
) -> None:
    """The program itself; what it does is up to its commands."""


def run(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its status."""
    prepare()
    status = _flushed(_run(sys.argv[1:] if arguments is None else arguments))
    # The interpreter takes signal handlers away before it ends, and the status is settled.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    gc.disable()  # it would look through all that is about to be thrown away
    sys.exit(status)


def _flushed(status: int) -> int:
    """Write out what is still buffered; the interpreter would do it after the exit status is settled."""
    try:
        sys.stdout.flush()
    except OutputLost as lost:
        return _lost(lost)
    return status


def _lost(lost: OutputLost) -> int:
    give_up(1)
    if lost.is_closed_pipe:  # whoever read the output has seen enough
        return 0
    complain(str(lost))
    return 5


def _run(arguments: list[str]) -> int:
    try:
        status: Any = typer.main.get_command(app).main(arguments, "ims-crawl", standalone_mode=False)
    except typer.TyperException as error:
        complain(_wrong_usage(error))
        return 2
    except (typer.Abort, KeyboardInterrupt):
        complain("Interrupted.")
        return 130
    except typer.Exit as error:
        return error.exit_code
    except OutputLost as lost:
        return _lost(lost)
    except Exception as error:
        return _explain(error)
    return status if isinstance(status, int) else 0


def _wrong_usage(error: typer.TyperException) -> str:
    """What is wrong, what may have been meant, and where the command at fault explains itself."""
    message = error.format_message().partition(" (Possible options:")[0]
    if possible := getattr(error, "possibilities", None):
        message = f"{message}. Did you mean {' or '.join(sorted(possible))}?"
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "ims-crawl"
    return f"{_sentence(message)} See {where} --help."


def _explain(error: Exception) -> int:
    from cli.exit_codes import sentence, status_of
    from db.refusals import in_our_words
    from pipeline.defect import keep_trace

    error = in_our_words(error)
    status = status_of(error)
    if status is not None:
        complain(sentence(error))
        return status
    complain(f"This is a defect of ims-crawl: {type(error).__name__}. {keep_trace(error)}")
    return 1


def _sentence(message: str) -> str:
    return message if message.endswith((".", "?", "!")) else f"{message}."
